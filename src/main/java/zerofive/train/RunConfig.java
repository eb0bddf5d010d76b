package zerofive.train;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import zerofive.backend.Optimizer;
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
 * @param seed of initial weights and shuffles
 * @param initializer of the weights where there is no {@code initFrom}
 * @param initFrom absolute path of a safetensors file to start from
 * @param checkpointEvery epochs between checkpoints
 * @param device as asked for: {@code auto}, {@code cpu}, {@code reference}, {@code cuda:N}
 * @param threads as asked for; 0 for all cores
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
    long seed,
    Initializer initializer,
    Optional<String> initFrom,
    int checkpointEvery,
    String device,
    int threads) {
  public RunConfig {
    classes = List.copyOf(classes);
    loss.checkClasses(classes.size());
    Architecture.parseHidden(model);
    require(learningRate > 0 && learningRate < Float.POSITIVE_INFINITY, "lr", learningRate);
    require(epochs > 0, "epochs", epochs);
    require(batchSize > 0, "batch-size", batchSize);
    require(checkpointEvery > 0, "checkpoint-every", checkpointEvery);
    require(threads >= 0, "threads", threads);
  }

  /** The same run on another device, with another number of epochs. */
  public RunConfig with(int otherEpochs, String otherDevice, int otherThreads) {
    return new RunConfig(
        data,
        classes,
        model,
        loss,
        optimizer,
        learningRate,
        schedule,
        otherEpochs,
        batchSize,
        order,
        seed,
        initializer,
        initFrom,
        checkpointEvery,
        otherDevice,
        otherThreads);
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
    json.addProperty("seed", seed);
    json.addProperty("init", initializer.toString());
    initFrom.ifPresent(file -> json.addProperty("init_from", file));
    json.addProperty("checkpoint_every", checkpointEvery);
    json.addProperty("device", device);
    json.addProperty("threads", threads);
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
      return new RunConfig(
          get(json, "data").getAsString(),
          classes,
          get(json, "model").getAsString(),
          Loss.parse(get(json, "loss").getAsString()),
          new Optimizer(
              Optimizer.Kind.parse(get(json, "optimizer").getAsString()),
              get(json, "momentum").getAsFloat(),
              get(json, "weight_decay").getAsFloat()),
          get(json, "lr").getAsFloat(),
          Schedule.parse(get(json, "schedule").getAsString()),
          get(json, "epochs").getAsInt(),
          get(json, "batch_size").getAsInt(),
          ExampleOrder.parse(get(json, "order").getAsString()),
          get(json, "seed").getAsLong(),
          Initializer.parse(get(json, "init").getAsString()),
          Optional.ofNullable(json.get("init_from")).map(JsonElement::getAsString),
          get(json, "checkpoint_every").getAsInt(),
          get(json, "device").getAsString(),
          get(json, "threads").getAsInt());
    } catch (JsonParseException | IllegalStateException | UnsupportedOperationException e) {
      throw new IllegalArgumentException("it is not the JSON object that train writes", e);
    }
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
}
