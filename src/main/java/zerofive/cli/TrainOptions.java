package zerofive.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.Options;
import zerofive.backend.Optimizer;
import zerofive.data.ClassFilter;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.ModelFile;
import zerofive.train.RunConfig;
import zerofive.train.Schedule;

/**
 * The settings of a new run, as far as they can be told without its data.
 *
 * @param classes which take part
 * @param loss where one is asked for; else it follows from the number of classes
 * @param start to begin from, where a file is named
 * @param config all else; its classes and loss stand for two classes until {@link #resolve}
 */
record TrainOptions(
    ClassFilter classes, Optional<Loss> loss, Optional<ModelFile> start, RunConfig config) {
  private static final List<String> DEFAULT_CLASSES = List.of("0", "5");
  private static final String DEFAULT_MODEL = "mlp:30";
  private static final int DEFAULT_EPOCHS = 40;
  private static final int DEFAULT_BATCH_SIZE = 256;
  private static final float DEFAULT_RATE = 0.5f;
  private static final long DEFAULT_SEED = 42;
  private static final int DEFAULT_CHECKPOINT_EVERY = 10;

  static final String NOTEBOOK = "notebook";
  private static final float NOTEBOOK_RATE = 0.1f;

  static Options options() {
    Options options = new Options();
    options.addOption(
        Arguments.option(
            "data",
            "NAME|DIR",
            "mnist, or a folder of four IDX files, raw or .gz (default: " + DataSets.MNIST + ")"));
    options.addOption(
        Arguments.option(
            "classes",
            "LIST",
            "0,5 or 3,7 or 0,1,2 or all; the first of two is the positive one (default: "
                + String.join(",", DEFAULT_CLASSES)
                + ")"));
    options.addOption(
        Arguments.option(
            "model", "NAME", "linear, mlp:30, mlp:128,64 (default: " + DEFAULT_MODEL + ")"));
    options.addOption(
        Arguments.option(
            "loss",
            "NAME",
            "mnist, bce, cross-entropy (default: bce, or cross-entropy from three classes on)"));
    options.addOption(Arguments.option("optimizer", "NAME", "sgd, adam, adamw (default: sgd)"));
    options.addOption(Arguments.option("momentum", "X", "of sgd, in [0, 1) (default: 0)"));
    options.addOption(
        Arguments.option(
            "weight-decay",
            "X",
            "0 or more (default: 0; adamw " + Optimizer.ADAMW_WEIGHT_DECAY + ")"));
    options.addOption(
        Arguments.option("lr", "X", "learning rate, above 0 (default: " + DEFAULT_RATE + ")"));
    options.addOption(
        Arguments.option(
            "schedule",
            "NAME",
            "of the learning rate: constant, cosine, one-cycle (default: "
                + Schedule.CONSTANT
                + ")"));
    options.addOption(
        Arguments.option("epochs", "N", "passes over the data (default: " + DEFAULT_EPOCHS + ")"));
    options.addOption(
        Arguments.option(
            "batch-size", "N", "examples a step (default: " + DEFAULT_BATCH_SIZE + ")"));
    options.addOption(
        Arguments.option(
            "order",
            "NAME",
            "of the examples: shuffled, or sequential, class after class (default: "
                + ExampleOrder.SHUFFLED
                + ")"));
    options.addOption(
        Arguments.option(
            "seed", "N", "of initial weights and shuffles (default: " + DEFAULT_SEED + ")"));
    options.addOption(
        Arguments.option(
            "init",
            "NAME",
            "initial weights: pytorch, normal (default: " + Initializer.PYTORCH + ")"));
    options.addOption(
        Arguments.option(
            "init-from", "FILE", "start from this .safetensors file; it decides the model"));
    options.addOption(
        Arguments.option(
            "preset",
            "NAME",
            "notebook: loss mnist, lr "
                + NOTEBOOK_RATE
                + ", order sequential, schedule constant; options named beside it win"));
    DeviceOptions.addTo(options);
    options.addOption(
        Arguments.option(
            "checkpoint-every",
            "N",
            "epochs between checkpoints (default: " + DEFAULT_CHECKPOINT_EVERY + ")"));
    return options;
  }

  static TrainOptions of(Arguments arguments) {
    boolean notebook =
        arguments
            .parsed(
                "preset",
                name -> {
                  if (!name.equals(NOTEBOOK)) {
                    throw new IllegalArgumentException(
                        "unknown preset '" + name + "'; known is notebook");
                  }
                  return true;
                })
            .orElse(false);
    String data = arguments.text("data").orElse(DataSets.MNIST);
    if (!DataSets.isKnown(data)) {
      throw unknownData(data);
    }
    ClassFilter classes =
        arguments.parsed("classes", ClassFilter::parse).orElse(new ClassFilter(DEFAULT_CLASSES));
    Optional<Loss> loss =
        arguments
            .parsed("loss", Loss::parse)
            .or(() -> notebook ? Optional.of(Loss.MNIST) : Optional.empty());
    if (!classes.equals(ClassFilter.ALL)) {
      loss.ifPresent(chosen -> checkLoss(chosen, classes.names().size()));
    }
    arguments.parsed("model", Architecture::parseHidden);
    Optional<ModelFile> start = arguments.path("init-from").map(ModelFile::read);
    String model =
        arguments
            .text("model")
            .or(() -> start.map(file -> file.parameters().architecture().name()))
            .orElse(DEFAULT_MODEL);
    DeviceOptions device = DeviceOptions.of(arguments);
    RunConfig config =
        new RunConfig(
            data.equals(DataSets.MNIST)
                ? data
                : Path.of(data).toAbsolutePath().normalize().toString(),
            DEFAULT_CLASSES,
            model,
            Loss.BCE,
            optimizer(arguments),
            rate(arguments, notebook ? NOTEBOOK_RATE : DEFAULT_RATE),
            arguments.parsed("schedule", Schedule::parse).orElse(Schedule.CONSTANT),
            arguments.integer("epochs", 1).orElse(DEFAULT_EPOCHS),
            arguments.integer("batch-size", 1).orElse(DEFAULT_BATCH_SIZE),
            arguments
                .parsed("order", ExampleOrder::parse)
                .orElse(notebook ? ExampleOrder.SEQUENTIAL : ExampleOrder.SHUFFLED),
            arguments.wholeNumber("seed").orElse(DEFAULT_SEED),
            arguments.parsed("init", Initializer::parse).orElse(Initializer.PYTORCH),
            arguments.path("init-from").map(file -> file.toAbsolutePath().normalize().toString()),
            arguments.integer("checkpoint-every", 1).orElse(DEFAULT_CHECKPOINT_EVERY),
            device.device(),
            device.threads());
    return new TrainOptions(classes, loss, start, config);
  }

  /** The notebook's recipe for a model. */
  static RunConfig notebook(String model, DeviceOptions device, long seed) {
    return new RunConfig(
        DataSets.MNIST,
        DEFAULT_CLASSES,
        model,
        Loss.MNIST,
        Optimizer.sgd(),
        NOTEBOOK_RATE,
        Schedule.CONSTANT,
        DEFAULT_EPOCHS,
        DEFAULT_BATCH_SIZE,
        ExampleOrder.SEQUENTIAL,
        seed,
        Initializer.PYTORCH,
        Optional.empty(),
        DEFAULT_CHECKPOINT_EVERY,
        device.device(),
        device.threads());
  }

  static long defaultSeed() {
    return DEFAULT_SEED;
  }

  static UsageException unknownData(String data) {
    return new UsageException(
        "unknown data set '" + data + "': it is neither mnist nor a folder that exists");
  }

  /** The settings with the classes that the data turned out to have. */
  RunConfig resolve(List<String> found) {
    Loss resolved = loss.orElse(Loss.defaultFor(found.size()));
    checkLoss(resolved, found.size());
    return new RunConfig(
        config.data(),
        found,
        config.model(),
        resolved,
        config.optimizer(),
        config.learningRate(),
        config.schedule(),
        config.epochs(),
        config.batchSize(),
        config.order(),
        config.seed(),
        config.initializer(),
        config.initFrom(),
        config.checkpointEvery(),
        config.device(),
        config.threads());
  }

  private static void checkLoss(Loss loss, int classes) {
    try {
      loss.checkClasses(classes);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private static Optimizer optimizer(Arguments arguments) {
    Optimizer.Kind kind =
        arguments.parsed("optimizer", Optimizer.Kind::parse).orElse(Optimizer.Kind.SGD);
    try {
      return new Optimizer(
          kind,
          arguments.decimal("momentum").orElse(0f),
          arguments
              .decimal("weight-decay")
              .orElse(kind == Optimizer.Kind.ADAMW ? Optimizer.ADAMW_WEIGHT_DECAY : 0f));
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage(), e);
    }
  }

  private static float rate(Arguments arguments, float otherwise) {
    float rate = arguments.decimal("lr").orElse(otherwise);
    if (!(rate > 0 && rate < Float.POSITIVE_INFINITY)) {
      throw new UsageException(
          "--lr " + arguments.text("lr").orElse("") + " is not a float32 number above 0");
    }
    return rate;
  }
}
