package zerofive.cli;

import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.INIT_FROM;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SCHEDULE;
import static zerofive.train.Settings.SEED;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import zerofive.backend.Backend;
import zerofive.backend.Optimizer;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.ModelOptions;
import zerofive.cli.option.TrainOptions;
import zerofive.cli.option.UsageException;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.image.ImageShape;
import zerofive.files.InputException;
import zerofive.model.Architecture;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;
import zerofive.report.console.DataText;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.run.Receipt;
import zerofive.run.RunFolder;
import zerofive.train.Recipe;

/**
 * All that a training needs before it begins, checked against each other.
 *
 * @param recipe with the classes that the data turned out to have
 * @param data what is learned
 * @param architecture the model for this data
 * @param start weights to begin from, where a file is named
 * @param notes on that file
 * @param device what computes
 * @param session program, device and command line for the receipt
 */
public record Experiment(
    Recipe recipe,
    DataSet data,
    Architecture architecture,
    Optional<Parameters> start,
    List<String> notes,
    Backends.Choice device,
    Receipt.Session session) {

  /** Chooses the device, and meanwhile reads the data that options ask for. */
  public static Experiment prepare(TrainOptions options, Invocation invocation) {
    Supplier<DataSet> data = invocation.loadAhead(options.request());
    Backends.Choice device = choose(options.recipe(), invocation);
    return prepare(options, device, data.get(), names -> names, invocation);
  }

  /** Chooses the device that a recipe asks for; before data is read, which may be fetched first. */
  public static Backends.Choice choose(Recipe recipe, Invocation invocation) {
    return choose(DeviceRequest.of(recipe), invocation);
  }

  /** The same for any request. */
  public static Backends.Choice choose(DeviceRequest request, Invocation invocation) {
    invocation.time().mark("start-up");
    Backends.Choice device = Backends.choose(request);
    invocation.time().mark("device");
    return device;
  }

  /**
   * Reads the data that options ask for.
   *
   * @param classes those of the data set that the recipe is for; the data has all of them
   * @throws UsageException where options do not fit the data, InputException where the start file
   *     does not
   */
  public static Experiment prepare(
      TrainOptions options,
      Backends.Choice device,
      UnaryOperator<List<String>> classes,
      Invocation invocation) {
    DataSet data = invocation.load(options.request());
    return prepare(options, device, data, classes, invocation);
  }

  private static Experiment prepare(
      TrainOptions options,
      Backends.Choice device,
      DataSet data,
      UnaryOperator<List<String>> classes,
      Invocation invocation) {
    List<String> chosen = classes.apply(data.classes());
    // Of some of the classes, such as a pair, as many images as they have on average.
    long images = (long) data.train().count() * chosen.size() / data.classes().size();
    Recipe recipe =
        computedBy(device, options.resolve(chosen)).forImages((int) images, data.train().shape());
    Architecture architecture = architecture(recipe, data);
    TrainOptions.checkAugmentation(recipe, data);
    Experiment experiment = of(recipe, data, architecture, options.start(), device, invocation);
    invocation.time().mark("data");
    return experiment;
  }

  /** On a model that a training starts from; the training takes pixels divided by 255. */
  private static List<String> notes(ModelFile start) {
    return start
        .normalisation()
        .filter(how -> !how.isNone())
        .map(
            how ->
                start
                    .withNote("its normalisation " + how + " is folded into its first layer")
                    .notes())
        .orElse(start.notes());
  }

  private static Architecture architecture(Recipe recipe, DataSet data) {
    try {
      return recipe.architecture(data.train().shape());
    } catch (IllegalArgumentException e) {
      throw new UsageException("--model " + recipe.get(MODEL) + ": " + e.getMessage(), e);
    }
  }

  /**
   * The experiment of a run that is resumed.
   *
   * @throws InputException where its settings, which somebody may have changed, do not fit the data
   */
  public static Experiment resume(RunFolder folder, Recipe recipe, Invocation invocation) {
    Supplier<DataSet> loading = invocation.loadAhead(recipe.dataRequest(recipe.get(DATA)));
    Backends.Choice device = choose(recipe, invocation);
    return of(folder, recipe, loading.get(), Optional.empty(), device, invocation);
  }

  /**
   * The experiment of a finished run, from its start.
   *
   * @param recipe of the run, or of each training of a run of pairs
   * @param classes of the data that are needed
   * @param receipt of the run
   * @param device to compute it with
   * @throws InputException where its data or its start file are gone or are others, or its settings
   *     do not fit them
   */
  public static Experiment repeat(
      RunFolder folder,
      Recipe recipe,
      List<String> classes,
      Receipt receipt,
      Backends.Choice device,
      Invocation invocation) {
    Recipe all = recipe.with(CLASSES, new ClassFilter(classes));
    DataSet data = invocation.load(all.dataRequest(recipe.get(DATA)));
    receipt.checkData(data);
    Optional<ModelFile> start =
        recipe
            .get(INIT_FROM)
            .map(Path::of)
            .map(
                file -> {
                  receipt.checkStart(file);
                  return ModelOptions.read(file, recipe);
                });
    return of(folder, recipe, data, start, device, invocation);
  }

  private static Experiment of(
      RunFolder folder,
      Recipe recipe,
      DataSet data,
      Optional<ModelFile> start,
      Backends.Choice device,
      Invocation invocation) {
    Architecture architecture;
    try {
      recipe.get(AUGMENTATION).check(data.train().height(), data.train().width());
      architecture = recipe.architecture(data.train().shape());
    } catch (IllegalArgumentException e) {
      throw new InputException(
          folder.path()
              + ": its config.json asks for what cannot be: "
              + e.getMessage()
              + "; restore it or start a new run",
          e);
    }
    Experiment experiment =
        of(computedBy(device, recipe), data, architecture, start, device, invocation);
    invocation.time().mark("data");
    return experiment;
  }

  private static Experiment of(
      Recipe recipe,
      DataSet data,
      Architecture architecture,
      Optional<ModelFile> start,
      Backends.Choice device,
      Invocation invocation) {
    return new Experiment(
        recipe,
        data,
        architecture,
        start.map(file -> startFrom(recipe, file, architecture, data.train().shape())),
        start.map(Experiment::notes).orElse(List.of()),
        device,
        new Receipt.Session(
            Version.read().toString(),
            device.backend().name(),
            device.device(),
            device.details(),
            invocation.arguments()));
  }

  /** The weights of a model file, which has to fit. */
  private static Parameters startFrom(
      Recipe recipe, ModelFile start, Architecture architecture, ImageShape images) {
    if (!start.parameters().architecture().equals(architecture)) {
      throw new InputException(
          recipe.get(INIT_FROM).orElseThrow()
              + " holds a model "
              + start.parameters().architecture()
              + ", but this run needs "
              + architecture
              + "; name another --model, --classes or --init-from");
    }
    if (!start.takes(images)) {
      throw new InputException(
          recipe.get(INIT_FROM).orElseThrow()
              + " takes images of "
              + start.images()
              + ", but those of this run have "
              + images
              + "; name another --data or --init-from");
    }
    return start.foldedParameters();
  }

  /** A recipe with the arithmetic of the device that was taken. */
  private static Recipe computedBy(Backends.Choice device, Recipe recipe) {
    return recipe.with(ARITHMETIC, device.arithmetic());
  }

  /** The same with another recipe for the same classes. */
  public Experiment with(Recipe other) {
    return new Experiment(
        computedBy(device, other),
        data,
        other.architecture(data.train().shape()),
        start,
        notes,
        device,
        session);
  }

  /** The weights it begins with. */
  public Parameters initial() {
    return start.orElseGet(() -> recipe.initial(architecture));
  }

  /** What computes. */
  public Backend backend() {
    return device.backend();
  }

  /** {@code mlp:30 on mnist, 0 vs 5}. */
  public String title() {
    return recipe.get(MODEL) + " on " + DataText.title(data);
  }

  /** Says what is to be trained, and on which device. */
  public void describe(Terminal terminal) {
    describeTraining(terminal);
    describeDevice(terminal);
  }

  /** Says which device was taken, and why nothing better. */
  public void describeDevice(Terminal terminal) {
    device.print(DeviceRequest.of(recipe), terminal);
  }

  /** Says what is to be trained. */
  public void describeTraining(Terminal terminal) {
    describe(
        "lr " + recipe.get(LEARNING_RATE) + " " + recipe.get(SCHEDULE),
        recipe.get(EARLY_STOP) > 0 ? ", early stop " + recipe.get(EARLY_STOP) : "",
        terminal);
  }

  /** The same for a sweep of learning rates, which takes neither rate nor end from the recipe. */
  public void describe(String rate, String ending, Terminal terminal) {
    DataText.print(data, terminal);
    Optimizer optimizer = recipe.optimizer();
    terminal.info(
        "model    ",
        recipe.get(MODEL)
            + " ("
            + architecture
            + ", "
            + Format.count(architecture.parameterCount())
            + " parameters), "
            + recipe.get(LOSS)
            + ", "
            + optimizer.kind()
            + (optimizer.momentum() > 0 ? ", momentum " + optimizer.momentum() : "")
            + (optimizer.weightDecay() > 0 ? ", weight decay " + optimizer.weightDecay() : "")
            + ", "
            + rate
            + ", batch size "
            + recipe.get(BATCH_SIZE)
            + ", "
            + recipe.get(ORDER)
            + (recipe.get(AUGMENTATION).isNone() ? "" : ", " + recipe.get(AUGMENTATION))
            + ", "
            + recipe
                .get(INIT_FROM)
                .map(file -> "init from " + file)
                .orElse("init " + recipe.get(INITIALIZER))
            + ", seed "
            + recipe.get(SEED)
            + ending);
    notes.forEach(note -> terminal.info("note     ", note));
  }
}
