package zerofive.cli;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.backend.Optimizer;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.InputException;
import zerofive.model.Architecture;
import zerofive.model.ModelFile;
import zerofive.model.Parameters;
import zerofive.report.DataText;
import zerofive.report.EpochTable;
import zerofive.report.Terminal;
import zerofive.report.Text;
import zerofive.train.EpochRecord;
import zerofive.train.Receipt;
import zerofive.train.RunConfig;
import zerofive.train.RunFolder;
import zerofive.train.Schedule;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/** {@code train}: the main job. */
final class TrainCommand implements Command {
  /** Where runs without --out go. */
  static final Path RUNS = Path.of("runs");

  private static final Set<String> BESIDE_RESUME =
      Stream.concat(
              Stream.of("resume", "epochs", "device", "threads", "json", "quiet", "verbose"),
              DeviceOptions.SETTINGS.stream())
          .collect(Collectors.toUnmodifiableSet());

  @Override
  public String name() {
    return "train";
  }

  @Override
  public String summary() {
    return "train a classifier; with no options the simple net on MNIST, 0 against 5";
  }

  @Override
  public String example() {
    return "zerofive train --classes 3,7 --model linear --epochs 20";
  }

  @Override
  public List<String> details() {
    return List.of(
        "The run folder holds report.html (the whole run on one page), config.json (every setting),"
            + " metrics.csv (one row an epoch), model.safetensors, accuracy.svg, loss.svg,"
            + " confusion.csv, receipt.json (what is needed to remake the run) and"
            + " checkpoint.safetensors, which --resume goes on from.",
        "Ctrl-C and SIGTERM save a checkpoint first. A run that was killed goes on with --resume and"
            + " ends with the same bits on the same device. With one seed and one device the"
            + " number of threads changes no bit.");
  }

  @Override
  public Options options() {
    Options options = TrainOptions.options();
    options.addOption(
        Arguments.option(
            "resume",
            "RUN",
            "go on with a run folder; beside it only --epochs and the device's options"));
    options.addOption(
        Arguments.option("out", "DIR", "the run folder, new or empty (default: runs/TIME-MODEL)"));
    options.addOption(
        Arguments.flag(
            "json", "print one JSON object at the end; the table goes to standard error"));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    if (arguments.has("json")) {
      invocation.terminal().answerInJson();
    }
    if (!arguments.has("resume")) {
      return begin(arguments, invocation);
    }
    for (Option option : line.getOptions()) {
      if (!BESIDE_RESUME.contains(option.getLongOpt())) {
        throw new UsageException(
            "--"
                + option.getLongOpt()
                + " cannot stand beside --resume: the run's config.json decides; only --epochs,"
                + " --device and the device's own options may");
      }
    }
    return resume(arguments, invocation);
  }

  private static int begin(Arguments arguments, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    TrainOptions options = TrainOptions.of(arguments);
    DeviceOptions deviceOptions = DeviceOptions.of(arguments);
    invocation.time().mark("start-up");
    Backends.Choice device = Backends.choose(deviceOptions);
    invocation.time().mark("device");
    Optional<Path> out = arguments.path("out");
    out.ifPresent(RunFolder::checkFree);
    DataSet data = invocation.load(options.data(), options.classes());
    RunConfig config = options.resolve(data.classes());
    Architecture architecture = architecture(config, data);
    TrainOptions.checkAugmentation(config, data);
    invocation.time().mark("data");
    describe(config, architecture, data, terminal);
    options.start().stream()
        .flatMap(start -> start.notes().stream())
        .forEach(note -> terminal.note("note     ", note));
    deviceOptions.note(device, terminal);
    Parameters initial = initial(options, config, architecture);
    try (StopSignal stop = TrainingJob.listen(terminal);
        RunFolder folder =
            out.map(RunFolder::create)
                .orElseGet(() -> RunFolder.createNumbered(RUNS, name(config.model())))) {
      TrainingJob job =
          TrainingJob.begin(config, data, folder, initial, TrainingJob.session(device, invocation));
      return run(job, config, device, folder, stop, invocation);
    }
  }

  private static int resume(Arguments arguments, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    try (StopSignal stop = TrainingJob.listen(terminal);
        RunFolder folder = RunFolder.find(arguments.path("resume").orElseThrow())) {
      if (unfinished(folder, arguments, terminal).isEmpty()) {
        return ExitCode.DONE;
      }
      folder.lock();
      // Another process may have gone on with the run until now.
      Optional<RunConfig> unfinished = unfinished(folder, arguments, terminal);
      if (unfinished.isEmpty()) {
        return ExitCode.DONE;
      }
      RunConfig config = unfinished.get();
      warnOfStretching(folder.config(), config, terminal);
      DeviceOptions deviceOptions =
          new DeviceOptions(config.device(), config.threads(), config.deviceSettings());
      invocation.time().mark("start-up");
      Backends.Choice device = Backends.choose(deviceOptions);
      invocation.time().mark("device");
      DataSet data = invocation.load(config.data(), new ClassFilter(config.classes()));
      invocation.time().mark("data");
      describe(config, architecture(folder, config, data), data, terminal);
      deviceOptions.note(device, terminal);
      TrainingJob job =
          TrainingJob.resume(
              config, data, folder, TrainingJob.session(device, invocation), terminal);
      if (!folder.formerColumns().isEmpty()) {
        terminal.note(
            "note     ",
            "metrics.csv has columns of --statistics, an option that has left; they stay, and are"
                + " empty in the rows that are added");
      }
      terminal.note("resumed  ", "after epoch " + job.history().size() + " of " + config.epochs());
      return run(job, config, device, folder, stop, invocation);
    }
  }

  /**
   * The run's settings with what is asked for anew; none, and a line that says so, where it is
   * done.
   */
  private static Optional<RunConfig> unfinished(
      RunFolder folder, Arguments arguments, Terminal terminal) {
    RunConfig config = resumed(folder.config(), folder, arguments);
    Receipt receipt = Receipt.read(folder.receipt());
    Optional<Receipt.Ending> ending =
        receipt
            .ending(folder.model())
            .filter(end -> end.stoppedEarly() || end.trainedEpochs() == config.epochs());
    if (ending.isEmpty()) {
      return Optional.of(config);
    }
    Receipt.Ending end = ending.get();
    terminal.result(
        "",
        end.stoppedEarly()
            ? folder.path()
                + " is finished: it stopped early, after epoch "
                + end.trainedEpochs()
                + ", and its model is of epoch "
                + end.epoch()
                + "; start a new run to train longer"
            : folder.path()
                + " is finished, after epoch "
                + end.trainedEpochs()
                + "; ask for more with --epochs");
    if (terminal.answersInJson()) {
      String backend = receipt.latest().map(Receipt.Session::backend).orElse("");
      List<EpochRecord> history = folder.history(end.trainedEpochs());
      terminal.json(RunJson.of(folder, config, backend, history, end.epoch()));
    }
    return Optional.empty();
  }

  private static void warnOfStretching(RunConfig saved, RunConfig config, Terminal terminal) {
    if (config.epochs() != saved.epochs() && config.schedule() != Schedule.CONSTANT) {
      terminal.complain(
          "zerofive: warning: the schedule "
              + config.schedule()
              + " is stretched from "
              + saved.epochs()
              + " to "
              + config.epochs()
              + " epochs, so the run ends with other bits than one of that length");
    }
  }

  /** The run's settings with what may be asked for anew. */
  private static RunConfig resumed(RunConfig saved, RunFolder folder, Arguments arguments) {
    RunConfig.Builder settings = saved.toBuilder();
    DeviceOptions asked = DeviceOptions.of(arguments);
    Map<String, String> deviceSettings = new TreeMap<>(saved.deviceSettings());
    deviceSettings.putAll(asked.settings());
    settings
        .device(arguments.has("device") ? asked.device() : saved.device())
        .threads(arguments.has("threads") ? asked.threads() : saved.threads())
        .deviceSettings(deviceSettings);
    if (!arguments.has("device") && !DeviceOptions.isName(saved.device())) {
      throw new InputException(
          folder.path()
              + ": its config.json names an unknown device '"
              + saved.device()
              + "'; name one with --device");
    }
    deviceSettings.forEach((name, value) -> checkSetting(folder, name, value));
    int epochs = arguments.integer("epochs", 1).orElse(saved.epochs());
    if (epochs < saved.epochs()) {
      throw new UsageException(
          "--epochs "
              + epochs
              + " is less than the "
              + saved.epochs()
              + " the run was made for; name as many or more");
    }
    return settings.epochs(epochs).build();
  }

  private static void checkSetting(RunFolder folder, String name, String value) {
    try {
      Backends.setting(name, value);
    } catch (IllegalArgumentException e) {
      throw new InputException(
          folder.path()
              + ": its config.json has "
              + name
              + " where "
              + e.getMessage()
              + "; name the right one beside --resume",
          e);
    }
  }

  private static int run(
      TrainingJob job,
      RunConfig config,
      Backends.Choice device,
      RunFolder folder,
      StopSignal stop,
      Invocation invocation) {
    Terminal terminal = invocation.terminal();
    invocation.time().mark("device");
    terminal.note("run      " + folder.path());
    terminal.note("");
    terminal.result(EpochTable.header());
    Trainer.Outcome outcome =
        job.run(device.backend(), stop, invocation, row -> terminal.result(EpochTable.row(row)));
    if (outcome.interrupted()) {
      terminal.complain(
          "zerofive: stopped after epoch "
              + outcome.history().size()
              + ", which is saved; go on with: "
              + Invocation.resume(folder.path()));
      return ExitCode.INTERRUPTED;
    }
    terminal.result("");
    summary(config, outcome, terminal);
    invocation.printTime();
    terminal.result("run      " + folder.path());
    terminal.result(
        "         ",
        "report.html, "
            + (config.earlyStop() > 0
                ? "model.safetensors (of epoch " + outcome.kept().orElseThrow().epoch() + ")"
                : "model.safetensors")
            + ", metrics.csv, accuracy.svg, loss.svg, confusion.csv, the receipt");
    if (terminal.answersInJson()) {
      JsonObject json =
          RunJson.of(
              folder,
              config,
              device.backend().name(),
              outcome.history(),
              outcome.kept().orElseThrow().epoch());
      json.add("seconds", RunJson.seconds(invocation.time()));
      terminal.json(json);
    }
    return ExitCode.DONE;
  }

  private static void summary(RunConfig config, Trainer.Outcome outcome, Terminal terminal) {
    List<EpochRecord> history = outcome.history();
    EpochRecord kept = outcome.kept().orElseThrow();
    EpochRecord best =
        history.stream().min(Comparator.comparingInt(EpochRecord::errors)).orElseThrow();
    if (config.earlyStop() == 0) {
      terminal.emphasised("final    " + describe(kept));
    } else {
      if (history.size() < config.epochs()) {
        terminal.result(
            "stopped  after epoch "
                + history.size()
                + ": no lower validation loss for "
                + Text.plural(config.earlyStop(), "epoch"));
      }
      terminal.emphasised(
          "kept     "
              + describe(kept)
              + String.format(Locale.ROOT, ", validation loss %.6f, the lowest", kept.validLoss()));
    }
    terminal.result("best     " + describe(best));
  }

  private static String describe(EpochRecord row) {
    return Text.plural(row.errors(), "error")
        + " after epoch "
        + row.epoch()
        + ", accuracy "
        + Text.percent(row.accuracy());
  }

  /** Says what is to be trained. */
  static void describe(
      RunConfig config, Architecture architecture, DataSet data, Terminal terminal) {
    terminal.note("data     ", DataText.describe(data));
    Optimizer optimizer = config.optimizer();
    terminal.note(
        "model    ",
        config.model()
            + " ("
            + architecture
            + ", "
            + Text.count(architecture.parameterCount())
            + " parameters), "
            + config.loss()
            + ", "
            + optimizer.kind()
            + (optimizer.momentum() > 0 ? ", momentum " + optimizer.momentum() : "")
            + (optimizer.weightDecay() > 0 ? ", weight decay " + optimizer.weightDecay() : "")
            + ", lr "
            + config.learningRate()
            + " "
            + config.schedule()
            + ", batch size "
            + config.batchSize()
            + ", "
            + config.order()
            + (config.augmentation().isNone() ? "" : ", " + config.augmentation())
            + ", "
            + config
                .initFrom()
                .map(file -> "init from " + file)
                .orElse("init " + config.initializer())
            + ", seed "
            + config.seed()
            + (config.earlyStop() > 0 ? ", early stop " + config.earlyStop() : ""));
  }

  /** The model for this data; throws UsageException where it cannot be. */
  static Architecture architecture(RunConfig config, DataSet data) {
    try {
      return config.architecture(data.train().imageSize());
    } catch (IllegalArgumentException e) {
      throw new UsageException("--model " + config.model() + ": " + e.getMessage(), e);
    }
  }

  /** The model of a run to be resumed, whose settings somebody may have changed. */
  private static Architecture architecture(RunFolder folder, RunConfig config, DataSet data) {
    try {
      config.augmentation().check(data.train().height(), data.train().width());
      return config.architecture(data.train().imageSize());
    } catch (IllegalArgumentException e) {
      throw new InputException(
          folder.path()
              + ": its config.json asks for what cannot be: "
              + e.getMessage()
              + "; restore it or start a new run",
          e);
    }
  }

  /** The weights a new run begins with. */
  static Parameters initial(TrainOptions options, RunConfig config, Architecture architecture) {
    return options
        .start()
        .map(start -> startFrom(config, start, architecture))
        .orElseGet(() -> config.initializer().create(architecture, config.seed()));
  }

  /** The weights of a model file, which has to fit. */
  static Parameters startFrom(RunConfig config, ModelFile start, Architecture architecture) {
    if (!start.parameters().architecture().equals(architecture)) {
      throw new InputException(
          config.initFrom().orElseThrow()
              + " holds a model "
              + start.parameters().architecture()
              + ", but this run needs "
              + architecture
              + "; name another --model, --classes or --init-from");
    }
    return start.parameters();
  }

  /** {@code TIME-ENDING}: the name of a new run's folder. */
  static String name(String ending) {
    String time =
        LocalDateTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS).toString();
    return (time + "-" + ending).replaceAll("[:,]", "-");
  }
}
