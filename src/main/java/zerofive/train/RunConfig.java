package zerofive.train;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;

/**
 * Every setting of a run, resolved: what {@code config.json} holds.
 *
 * @param data a known name, or the absolute path of a folder
 * @param classes in the order of the targets
 * @param model {@code linear}, {@code mlp:30} and so on
 * @param loss what is lowered
 * @param optimizer how a gradient becomes a step
 * @param learningRate above 0
 * @param schedule of the learning rate
 * @param epochs in all, at least 1
 * @param batchSize examples a step
 * @param order of the examples
 * @param augmentation of the training images
 * @param seed of initial weights, shuffles and shifts
 * @param initializer of the weights where there is no {@code initFrom}
 * @param initFrom absolute path of a safetensors file to start from
 * @param checkpointEvery epochs between checkpoints
 * @param earlyStop epochs without a lower validation loss after which it ends; 0 for never
 * @param tensorboard whether event files are written
 * @param device as asked for: {@code auto}, {@code cpu}, {@code reference}, {@code cuda:N}
 * @param threads as asked for; 0 for all cores
 * @param deviceSettings options of the device as asked for, by name
 */
public record RunConfig(
    String data,
    List<String> classes,
    String model,
    Loss loss,
    Optimizer optimizer,
    float learningRate,
    Schedule schedule,
    int epochs,
    int batchSize,
    ExampleOrder order,
    Augmentation augmentation,
    long seed,
    Initializer initializer,
    Optional<String> initFrom,
    int checkpointEvery,
    int earlyStop,
    boolean tensorboard,
    String device,
    int threads,
    Map<String, String> deviceSettings) {
  public RunConfig {
    classes = List.copyOf(classes);
    loss.checkClasses(classes.size());
    Architecture.parseHidden(model);
    require(learningRate > 0 && learningRate < Float.POSITIVE_INFINITY, "lr", learningRate);
    require(epochs > 0, "epochs", epochs);
    require(batchSize > 0, "batch-size", batchSize);
    require(checkpointEvery > 0, "checkpoint-every", checkpointEvery);
    require(earlyStop >= 0, "early-stop", earlyStop);
    require(threads >= 0, "threads", threads);
    deviceSettings = Collections.unmodifiableMap(new TreeMap<>(deviceSettings));
  }

  /** These settings, to be changed one by one. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** The model for images of {@code inputs} pixels; throws IllegalArgumentException. */
  public Architecture architecture(int inputs) {
    return new Architecture(inputs, Architecture.parseHidden(model), Loss.outputs(classes.size()));
  }

  /** As the text of {@code config.json}. */
  public String toJson() {
    JsonObject json = new JsonObject();
    JsonArray names = new JsonArray();
    classes.forEach(names::add);
    json.addProperty("data", data);
    json.add("classes", names);
    json.addProperty("model", model);
    json.addProperty("loss", loss.toString());
    json.addProperty("optimizer", optimizer.kind().toString());
    json.addProperty("momentum", optimizer.momentum());
    json.addProperty("weight_decay", optimizer.weightDecay());
    json.addProperty("lr", learningRate);
    json.addProperty("schedule", schedule.toString());
    json.addProperty("epochs", epochs);
    json.addProperty("batch_size", batchSize);
    json.addProperty("order", order.toString());
    json.addProperty("augment", augmentation.toString());
    json.addProperty("seed", seed);
    json.addProperty("init", initializer.toString());
    initFrom.ifPresent(file -> json.addProperty("init_from", file));
    json.addProperty("checkpoint_every", checkpointEvery);
    json.addProperty("early_stop", earlyStop);
    json.addProperty("tensorboard", tensorboard);
    json.addProperty("device", device);
    json.addProperty("threads", threads);
    JsonObject settings = new JsonObject();
    deviceSettings.forEach(settings::addProperty);
    json.add("device_settings", settings);
    return new GsonBuilder().setPrettyPrinting().create().toJson(json) + "\n";
  }

  /** Parses {@code config.json}; throws IllegalArgumentException with what is wrong in it. */
  public static RunConfig fromJson(String text) {
    try {
      JsonObject json = JsonParser.parseString(text).getAsJsonObject();
      List<String> classes = new ArrayList<>();
      for (JsonElement name : get(json, "classes").getAsJsonArray()) {
        classes.add(name.getAsString());
      }
      return new Builder()
          .data(get(json, "data").getAsString())
          .classes(classes)
          .model(get(json, "model").getAsString())
          .loss(Loss.parse(get(json, "loss").getAsString()))
          .optimizer(
              new Optimizer(
                  Optimizer.Kind.parse(get(json, "optimizer").getAsString()),
                  get(json, "momentum").getAsFloat(),
                  get(json, "weight_decay").getAsFloat()))
          .learningRate(get(json, "lr").getAsFloat())
          .schedule(Schedule.parse(get(json, "schedule").getAsString()))
          .epochs(integer(json, "epochs"))
          .batchSize(integer(json, "batch_size"))
          .order(ExampleOrder.parse(get(json, "order").getAsString()))
          .augmentation(augmentation(json))
          .seed(get(json, "seed").getAsBigDecimal().longValueExact())
          .initializer(Initializer.parse(get(json, "init").getAsString()))
          .initFrom(Optional.ofNullable(json.get("init_from")).map(JsonElement::getAsString))
          .checkpointEvery(integer(json, "checkpoint_every"))
          .earlyStop(json.has("early_stop") ? integer(json, "early_stop") : 0)
          .tensorboard(flag(json, "tensorboard"))
          .device(get(json, "device").getAsString())
          .threads(integer(json, "threads"))
          .deviceSettings(texts(json, "device_settings"))
          .build();
    } catch (ArithmeticException e) {
      throw new IllegalArgumentException("a whole number in it is none, or far too large", e);
    } catch (JsonParseException
        | IllegalStateException
        | UnsupportedOperationException
        | StackOverflowError e) {
      throw new IllegalArgumentException("it is not the JSON object that train writes", e);
    }
  }

  /** The texts of an object; none where it is missing, as in the folders of earlier versions. */
  private static Map<String, String> texts(JsonObject json, String name) {
    Map<String, String> texts = new TreeMap<>();
    if (json.has(name)) {
      json.get(name)
          .getAsJsonObject()
          .entrySet()
          .forEach(entry -> texts.put(entry.getKey(), entry.getValue().getAsString()));
    }
    return texts;
  }

  /** Whether it is on; off where it is missing. */
  private static boolean flag(JsonObject json, String name) {
    if (!json.has(name)) {
      return false;
    }
    return switch (json.get(name).getAsString()) {
      case "true" -> true;
      case "false" -> false;
      default ->
          throw new IllegalArgumentException("its \"" + name + "\" is neither true nor false");
    };
  }

  /** None where it is missing, as in the folders of earlier versions. */
  private static Augmentation augmentation(JsonObject json) {
    return json.has("augment")
        ? Augmentation.parse(json.get("augment").getAsString())
        : Augmentation.NONE;
  }

  private static int integer(JsonObject json, String name) {
    return get(json, name).getAsBigDecimal().intValueExact();
  }

  private static JsonElement get(JsonObject json, String name) {
    JsonElement value = json.get(name);
    if (value == null) {
      throw new IllegalArgumentException("it has no \"" + name + "\"");
    }
    return value;
  }

  private static void require(boolean holds, String name, Object value) {
    if (!holds) {
      throw new IllegalArgumentException("--" + name + " " + value + " is out of range");
    }
  }

  /** Settings on their way to a {@link RunConfig}; begins with the defaults of {@code train}. */
  public static final class Builder {
    private String data = DataSets.MNIST;
    private List<String> classes = List.of("0", "5");
    private String model = "mlp:30";
    private Loss loss = Loss.BCE;
    private Optimizer optimizer = Optimizer.sgd();
    private float learningRate = 0.5f;
    private Schedule schedule = Schedule.CONSTANT;
    private int epochs = 40;
    private int batchSize = 256;
    private ExampleOrder order = ExampleOrder.SHUFFLED;
    private Augmentation augmentation = Augmentation.NONE;
    private long seed = 42;
    private Initializer initializer = Initializer.PYTORCH;
    private Optional<String> initFrom = Optional.empty();
    private int checkpointEvery = 10;
    private int earlyStop;
    private boolean tensorboard;
    private String device = "auto";
    private int threads;
    private Map<String, String> deviceSettings = Map.of();

    /** The defaults: the simple net on MNIST, 0 against 5. */
    public Builder() {}

    private Builder(RunConfig config) {
      data = config.data;
      classes = config.classes;
      model = config.model;
      loss = config.loss;
      optimizer = config.optimizer;
      learningRate = config.learningRate;
      schedule = config.schedule;
      epochs = config.epochs;
      batchSize = config.batchSize;
      order = config.order;
      augmentation = config.augmentation;
      seed = config.seed;
      initializer = config.initializer;
      initFrom = config.initFrom;
      checkpointEvery = config.checkpointEvery;
      earlyStop = config.earlyStop;
      tensorboard = config.tensorboard;
      device = config.device;
      threads = config.threads;
      deviceSettings = config.deviceSettings;
    }

    /** Sets {@link RunConfig#data}. */
    public Builder data(String value) {
      data = value;
      return this;
    }

    /** Sets {@link RunConfig#classes}. */
    public Builder classes(List<String> value) {
      classes = value;
      return this;
    }

    /** Sets {@link RunConfig#model}. */
    public Builder model(String value) {
      model = value;
      return this;
    }

    /** Sets {@link RunConfig#loss}. */
    public Builder loss(Loss value) {
      loss = value;
      return this;
    }

    /** Sets {@link RunConfig#optimizer}. */
    public Builder optimizer(Optimizer value) {
      optimizer = value;
      return this;
    }

    /** Sets {@link RunConfig#learningRate}. */
    public Builder learningRate(float value) {
      learningRate = value;
      return this;
    }

    /** Sets {@link RunConfig#schedule}. */
    public Builder schedule(Schedule value) {
      schedule = value;
      return this;
    }

    /** Sets {@link RunConfig#epochs}. */
    public Builder epochs(int value) {
      epochs = value;
      return this;
    }

    /** Sets {@link RunConfig#batchSize}. */
    public Builder batchSize(int value) {
      batchSize = value;
      return this;
    }

    /** Sets {@link RunConfig#order}. */
    public Builder order(ExampleOrder value) {
      order = value;
      return this;
    }

    /** Sets {@link RunConfig#augmentation}. */
    public Builder augmentation(Augmentation value) {
      augmentation = value;
      return this;
    }

    /** Sets {@link RunConfig#seed}. */
    public Builder seed(long value) {
      seed = value;
      return this;
    }

    /** Sets {@link RunConfig#initializer}. */
    public Builder initializer(Initializer value) {
      initializer = value;
      return this;
    }

    /** Sets {@link RunConfig#initFrom}. */
    public Builder initFrom(Optional<String> value) {
      initFrom = value;
      return this;
    }

    /** Sets {@link RunConfig#checkpointEvery}. */
    public Builder checkpointEvery(int value) {
      checkpointEvery = value;
      return this;
    }

    /** Sets {@link RunConfig#earlyStop}. */
    public Builder earlyStop(int value) {
      earlyStop = value;
      return this;
    }

    /** Sets {@link RunConfig#tensorboard}. */
    public Builder tensorboard(boolean value) {
      tensorboard = value;
      return this;
    }

    /** Sets {@link RunConfig#device}. */
    public Builder device(String value) {
      device = value;
      return this;
    }

    /** Sets {@link RunConfig#deviceSettings}. */
    public Builder deviceSettings(Map<String, String> value) {
      deviceSettings = value;
      return this;
    }

    /** Sets {@link RunConfig#threads}. */
    public Builder threads(int value) {
      threads = value;
      return this;
    }

    /** Throws IllegalArgumentException where a setting is out of range. */
    public RunConfig build() {
      return new RunConfig(
          data,
          classes,
          model,
          loss,
          optimizer,
          learningRate,
          schedule,
          epochs,
          batchSize,
          order,
          augmentation,
          seed,
          initializer,
          initFrom,
          checkpointEvery,
          earlyStop,
          tensorboard,
          device,
          threads,
          deviceSettings);
    }
  }
}
