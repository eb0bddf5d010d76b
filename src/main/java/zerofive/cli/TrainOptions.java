package zerofive.cli;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.Catalogue;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.data.InputException;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.ModelFile;
import zerofive.train.RunConfig;
import zerofive.train.Schedule;

/**
 * The settings of a new run, as far as they can be told without its data.
 *
 * @param data a known name or a folder
 * @param classes which take part
 * @param loss where one is asked for; else it follows from the number of classes
 * @param start to begin from, where a file is named
 * @param config all else; {@link #resolve} replaces its classes and loss
 */
record TrainOptions(
    String data,
    ClassFilter classes,
    Optional<Loss> loss,
    Optional<ModelFile> start,
    RunConfig config) {
  static final RunConfig DEFAULTS = new RunConfig.Builder().build();

  static Options options() {
    Options options = new Options();
    options.addOption(
        Arguments.choice(
            "data",
            "NAME|DIR",
            "a name that zerofive data list shows, fetched once; or a folder of four IDX files, raw or"
                + " .gz, or of images in train/CLASS and valid/CLASS (default: "
                + DEFAULTS.data()
                + ")",
            Catalogue.names().toArray()));
    options.addOption(
        Arguments.option(
            "classes",
            "LIST",
            "0,5 or 3,7 or 0,1,2 or all; the first of two is the positive one (default: "
                + String.join(",", DEFAULTS.classes())
                + ")"));
    options.addOption(
        Arguments.choice(
            "model",
            "NAME",
            "linear, mlp:30, mlp:128,64 (default: " + DEFAULTS.model() + ")",
            "linear",
            "mlp:30",
            "mlp:128,64"));
    options.addOption(
        Arguments.choice(
            "loss",
            "NAME",
            "mnist, bce, cross-entropy (default: "
                + DEFAULTS.loss()
                + ", or cross-entropy from three classes on)",
            (Object[]) Loss.values()));
    options.addOption(
        Arguments.choice(
            "optimizer",
            "NAME",
            "sgd, adam, adamw (default: " + DEFAULTS.optimizer().kind() + ")",
            (Object[]) Optimizer.Kind.values()));
    options.addOption(
        Arguments.option(
            "momentum",
            "X",
            "of sgd, in [0, 1) (default: " + DEFAULTS.optimizer().momentum() + ")"));
    options.addOption(
        Arguments.option(
            "weight-decay",
            "X",
            "0 or more (default: "
                + DEFAULTS.optimizer().weightDecay()
                + "; adamw "
                + Optimizer.ADAMW_WEIGHT_DECAY
                + ")"));
    options.addOption(
        Arguments.option(
            "lr", "X", "learning rate, above 0 (default: " + DEFAULTS.learningRate() + ")"));
    options.addOption(
        Arguments.choice(
            "schedule",
            "NAME",
            "of the learning rate: constant, cosine, one-cycle (default: "
                + DEFAULTS.schedule()
                + ")",
            (Object[]) Schedule.values()));
    options.addOption(
        Arguments.option(
            "epochs", "N", "passes over the data (default: " + DEFAULTS.epochs() + ")"));
    options.addOption(
        Arguments.option(
            "batch-size", "N", "examples a step (default: " + DEFAULTS.batchSize() + ")"));
    options.addOption(
        Arguments.choice(
            "order",
            "NAME",
            "of the examples: shuffled, or sequential, class after class (default: "
                + DEFAULTS.order()
                + ")",
            (Object[]) ExampleOrder.values()));
    options.addOption(
        Arguments.choice(
            "augment",
            "NAME",
            "move every training image at random, anew in every epoch: shift:2 by up to 2 pixels"
                + " across and down, or none (default: "
                + DEFAULTS.augmentation()
                + ")",
            Augmentation.NONE,
            new Augmentation(2)));
    options.addOption(
        Arguments.option(
            "seed",
            "N",
            "of initial weights, shuffles and shifts (default: " + DEFAULTS.seed() + ")"));
    options.addOption(
        Arguments.choice(
            "init",
            "NAME",
            "initial weights: pytorch, normal (default: " + DEFAULTS.initializer() + ")",
            (Object[]) Initializer.values()));
    options.addOption(
        Arguments.option(
            "init-from", "FILE", "start from this .safetensors file; it decides the model"));
    options.addOption(
        Arguments.choice(
            "preset",
            "NAME",
            "options named beside it win; notebook: "
                + Preset.NOTEBOOK.description()
                + "; accurate: "
                + Preset.ACCURATE.description(),
            (Object[]) Preset.values()));
    DeviceOptions.addTo(options);
    options.addOption(
        Arguments.option(
            "checkpoint-every",
            "N",
            "epochs between checkpoints (default: " + DEFAULTS.checkpointEvery() + ")"));
    options.addOption(
        Arguments.option(
            "early-stop",
            "N",
            "end after N epochs without a lower validation loss, and keep the best epoch's weights"
                + " (default: off)"));
    options.addOption(
        Arguments.flag("tensorboard", "write TensorBoard's event files into the run folder"));
    return options;
  }

  static TrainOptions of(Arguments arguments) {
    TrainOptions options = of(arguments, new ClassFilter(DEFAULTS.classes()));
    if (!options.classes().equals(ClassFilter.ALL)) {
      options.loss().ifPresent(chosen -> checkLoss(chosen, options.classes().names().size()));
    }
    return options;
  }

  /**
   * The same, with other classes where none are asked for; whether the loss is made for so many is
   * left open.
   */
  static TrainOptions of(Arguments arguments, ClassFilter otherwise) {
    Optional<Preset> preset = arguments.parsed("preset", Preset::parse);
    RunConfig.Builder settings = preset.map(Preset::settings).orElseGet(() -> DEFAULTS.toBuilder());
    String data = arguments.data();
    settings.data(DataSets.isName(data) ? data : realPath(data));
    ClassFilter classes = arguments.parsed("classes", ClassFilter::parse).orElse(otherwise);
    Optional<Loss> loss =
        arguments.parsed("loss", Loss::parse).or(() -> preset.flatMap(Preset::loss));
    arguments.parsed("model", Architecture::parseHidden);
    Optional<ModelFile> start = arguments.path("init-from").map(ModelFile::read);
    start.ifPresent(file -> settings.model(file.parameters().architecture().name()));
    arguments.text("model").ifPresent(settings::model);
    settings.optimizer(optimizer(arguments, settings.build().optimizer()));
    rate(arguments).ifPresent(settings::learningRate);
    arguments.parsed("schedule", Schedule::parse).ifPresent(settings::schedule);
    arguments.integer("epochs", 1).ifPresent(settings::epochs);
    arguments.integer("batch-size", 1).ifPresent(settings::batchSize);
    arguments.parsed("order", ExampleOrder::parse).ifPresent(settings::order);
    arguments.parsed("augment", Augmentation::parse).ifPresent(settings::augmentation);
    arguments.wholeNumber("seed").ifPresent(settings::seed);
    arguments.parsed("init", Initializer::parse).ifPresent(settings::initializer);
    if (arguments.has("init") && arguments.has("init-from")) {
      throw new UsageException("--init and --init-from exclude each other; name one of them");
    }
    settings.initFrom(arguments.path("init-from").map(file -> realPath(file.toString())));
    arguments.integer("checkpoint-every", 1).ifPresent(settings::checkpointEvery);
    arguments.integer("early-stop", 1).ifPresent(settings::earlyStop);
    settings.tensorboard(arguments.has("tensorboard"));
    DeviceOptions device = DeviceOptions.of(arguments);
    settings.device(device.device()).threads(device.threads()).deviceSettings(device.settings());
    return new TrainOptions(data, classes, loss, start, settings.build());
  }

  /**
   * The command line that asks for these settings, from {@code train} on: every setting that is not
   * the default, under the name it has in {@code config.json}.
   */
  static List<String> commandLine(RunConfig config) {
    JsonObject defaults = JsonParser.parseString(DEFAULTS.toJson()).getAsJsonObject();
    JsonObject settings = JsonParser.parseString(config.toJson()).getAsJsonObject();
    List<String> words = new ArrayList<>(List.of("train"));
    settings.remove("device_settings");
    config.initFrom().ifPresent(file -> settings.remove("init"));
    boolean decays = config.optimizer().kind() == Optimizer.Kind.ADAMW;
    for (String name : settings.keySet()) {
      // Its default is not the same for all optimisers.
      boolean explicit = name.equals("weight_decay") && decays;
      if (explicit || !settings.get(name).equals(defaults.get(name))) {
        words.add("--" + name.replace('_', '-'));
        boolean flag = settings.get(name).equals(new JsonPrimitive(true));
        if (!flag) {
          words.add(name.equals("classes") ? classes(config) : settings.get(name).getAsString());
        }
      }
    }
    config
        .deviceSettings()
        .forEach(
            (name, value) -> {
              words.add("--" + name);
              words.add(value);
            });
    return words;
  }

  /** A name with a comma cannot have been listed. */
  private static String classes(RunConfig config) {
    return config.classes().stream().anyMatch(name -> name.contains(","))
        ? ClassFilter.ALL.toString()
        : String.join(",", config.classes());
  }

  /** Where a file or folder really is, so that a resumed run finds it from anywhere. */
  private static String realPath(String path) {
    try {
      return Path.of(path).toRealPath().toString();
    } catch (IOException e) {
      throw new InputException(Path.of(path), e);
    }
  }

  /** The settings with the classes that the data turned out to have. */
  RunConfig resolve(List<String> found) {
    Loss resolved = loss.orElse(Loss.defaultFor(found.size()));
    checkLoss(resolved, found.size());
    return config.toBuilder().classes(found).loss(resolved).build();
  }

  private static void checkLoss(Loss loss, int classes) {
    try {
      loss.checkClasses(classes);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  /** Throws UsageException where {@code --augment} does not fit the images. */
  static void checkAugmentation(RunConfig config, DataSet data) {
    try {
      config.augmentation().check(data.train().height(), data.train().width());
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  /** {@code preset}'s own figures hold as long as its kind does. */
  private static Optimizer optimizer(Arguments arguments, Optimizer preset) {
    Optimizer.Kind kind =
        arguments.parsed("optimizer", Optimizer.Kind::parse).orElse(preset.kind());
    float decay = kind == Optimizer.Kind.ADAMW ? Optimizer.ADAMW_WEIGHT_DECAY : 0f;
    boolean asPreset = kind == preset.kind();
    try {
      return new Optimizer(
          kind,
          arguments.decimal("momentum").orElse(asPreset ? preset.momentum() : 0f),
          arguments.decimal("weight-decay").orElse(asPreset ? preset.weightDecay() : decay));
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private static Optional<Float> rate(Arguments arguments) {
    Optional<Float> rate = arguments.decimal("lr");
    if (rate.isPresent() && !(rate.get() > 0 && rate.get() < Float.POSITIVE_INFINITY)) {
      throw new UsageException(
          "--lr " + arguments.text("lr").orElse("") + " is not a float32 number above 0");
    }
    return rate;
  }
}
