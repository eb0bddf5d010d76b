package zerofive.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.InputException;
import zerofive.model.Architecture;
import zerofive.model.ModelFile;
import zerofive.model.Parameters;
import zerofive.report.EpochTable;
import zerofive.report.Terminal;
import zerofive.report.Text;
import zerofive.train.EpochRecord;
import zerofive.train.Receipt;
import zerofive.train.RunConfig;
import zerofive.train.RunFolder;
import zerofive.train.Trainer;

/** {@code train}: the main job. */
final class TrainCommand implements Command {
  private static final Set<String> BESIDE_RESUME =
      Set.of("resume", "epochs", "device", "threads", "quiet", "verbose");

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
  public Options options() {
    Options options = TrainOptions.options();
    options.addOption(
        Arguments.option(
            "resume",
            "RUN",
            "go on with a run folder; beside it only --epochs, --device and --threads"));
    options.addOption(
        Arguments.option("out", "DIR", "the run folder, new or empty (default: runs/TIME-MODEL)"));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    if (!arguments.has("resume")) {
      return begin(arguments, invocation);
    }
    for (Option option : line.getOptions()) {
      if (!BESIDE_RESUME.contains(option.getLongOpt())) {
        throw new UsageException(
            "--"
                + option.getLongOpt()
                + " cannot stand beside --resume: the run's config.json decides; only --epochs,"
                + " --device and --threads may");
      }
    }
    return resume(arguments, invocation);
  }

  private static int begin(Arguments arguments, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    TrainOptions options = TrainOptions.of(arguments);
    invocation.time().mark("start-up");
    DataSet data = DataSets.load(options.data(), options.classes());
    RunConfig config = options.resolve(data.classes());
    Architecture architecture = architecture(config, data);
    terminal.note("data     " + TrainingJob.describe(data));
    terminal.note("model    " + describe(config, architecture));
    invocation.time().mark("data");
    Backends.Choice device = device(config).choose(terminal);
    Parameters initial =
        options
            .start()
            .map(start -> startFrom(config, start, architecture))
            .orElseGet(() -> config.initializer().create(architecture, config.seed()));
    try (RunFolder folder = folder(arguments, config)) {
      TrainingJob job =
          TrainingJob.begin(config, data, folder, initial, session(device, invocation));
      return run(job, device, folder, invocation);
    }
  }

  private static int resume(Arguments arguments, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    try (RunFolder folder = RunFolder.open(arguments.path("resume").orElseThrow())) {
      RunConfig saved = folder.config();
      RunConfig config =
          saved.toBuilder()
              .epochs(arguments.integer("epochs", 1).orElse(saved.epochs()))
              .device(arguments.text("device").orElse(saved.device()))
              .threads(arguments.integer("threads", 1).orElse(saved.threads()))
              .build();
      Backends.checkName(config.device());
      if (config.epochs() < saved.epochs()) {
        throw new UsageException(
            "--epochs "
                + config.epochs()
                + " is less than the "
                + saved.epochs()
                + " the run was made for; name as many or more");
      }
      invocation.time().mark("start-up");
      DataSet data = DataSets.load(config.data(), new ClassFilter(config.classes()));
      Architecture architecture = architecture(config, data);
      terminal.note("data     " + TrainingJob.describe(data));
      terminal.note("model    " + describe(config, architecture));
      invocation.time().mark("data");
      Backends.Choice device = device(config).choose(terminal);
      TrainingJob job =
          TrainingJob.resume(config, data, folder, session(device, invocation), terminal);
      int done = job.history().size();
      if (done == config.epochs() && Files.exists(folder.model())) {
        terminal.result(
            folder.path()
                + " is finished: all "
                + Text.plural(done, "epoch")
                + " are done; ask for more with --epochs");
        return ExitCode.DONE;
      }
      terminal.note("resumed  after epoch " + done + " of " + config.epochs());
      return run(job, device, folder, invocation);
    }
  }

  private static int run(
      TrainingJob job, Backends.Choice device, RunFolder folder, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    invocation.time().mark("device");
    terminal.note("");
    terminal.result(EpochTable.header());
    Trainer.Outcome outcome =
        job.run(
            device.backend(),
            terminal,
            invocation.time(),
            row -> terminal.result(EpochTable.row(row)),
            epoch ->
                terminal.complain(
                    "zerofive: stopped after epoch "
                        + epoch
                        + ", which is saved; go on with: "
                        + Invocation.program()
                        + " train --resume "
                        + folder.path()));
    if (outcome.interrupted()) {
      return ExitCode.INTERRUPTED;
    }
    terminal.result("");
    summary(outcome.history(), terminal);
    invocation.printTime();
    terminal.result("run      " + folder.path());
    terminal.note(
        "         model.safetensors, metrics.csv, accuracy.svg, loss.svg, confusion.csv, the receipt");
    return ExitCode.DONE;
  }

  private static void summary(List<EpochRecord> history, Terminal terminal) {
    EpochRecord last = history.get(history.size() - 1);
    EpochRecord best =
        history.stream().min(Comparator.comparingInt(EpochRecord::errors)).orElseThrow();
    terminal.emphasised("final    " + describe(last));
    terminal.result("best     " + describe(best));
  }

  private static String describe(EpochRecord row) {
    return Text.plural(row.errors(), "error")
        + " after epoch "
        + row.epoch()
        + ", accuracy "
        + Text.percent(row.accuracy());
  }

  private static String describe(RunConfig config, Architecture architecture) {
    return config.model()
        + " ("
        + architecture
        + ", "
        + Text.count(architecture.parameterCount())
        + " parameters), "
        + config.loss()
        + ", "
        + config.optimizer().kind()
        + ", lr "
        + config.learningRate()
        + ", batch size "
        + config.batchSize()
        + ", "
        + config.order()
        + ", seed "
        + config.seed();
  }

  private static DeviceOptions device(RunConfig config) {
    return new DeviceOptions(config.device(), config.threads());
  }

  static Receipt.Session session(Backends.Choice device, Invocation invocation) {
    return new Receipt.Session(
        Version.read().toString(),
        device.backend().name(),
        device.device(),
        invocation.arguments());
  }

  private static Architecture architecture(RunConfig config, DataSet data) {
    try {
      return config.architecture(data.train().imageSize());
    } catch (IllegalArgumentException e) {
      throw new UsageException("--model " + config.model() + ": " + e.getMessage(), e);
    }
  }

  private static Parameters startFrom(
      RunConfig config, ModelFile start, Architecture architecture) {
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

  /** The folder asked for, or a new one named after the time and the model. */
  private static RunFolder folder(Arguments arguments, RunConfig config) {
    if (arguments.has("out")) {
      return RunFolder.create(arguments.path("out").orElseThrow());
    }
    return RunFolder.create(unused("-" + config.model().replaceAll("[:,]", "-")));
  }

  /** {@code runs/TIME-ENDING}, with a number behind it where that exists already. */
  static Path unused(String ending) {
    String time =
        LocalDateTime.now(ZoneId.systemDefault())
            .truncatedTo(ChronoUnit.SECONDS)
            .toString()
            .replace(':', '-');
    Path folder = Path.of("runs", time + ending);
    for (int i = 2; Files.exists(folder); i++) {
      folder = Path.of("runs", time + ending + "-" + i);
    }
    return folder;
  }
}
