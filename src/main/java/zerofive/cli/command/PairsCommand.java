package zerofive.cli.command;

import static zerofive.cli.option.ShardOptions.SHARD;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.LOSS;

import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Experiment;
import zerofive.cli.Invocation;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.ShardOptions;
import zerofive.cli.option.TrainOptions;
import zerofive.cli.option.UsageException;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.files.OutputException;
import zerofive.model.Loss;
import zerofive.model.ModelSpec;
import zerofive.report.chart.HeatMap;
import zerofive.report.console.Format;
import zerofive.report.console.PairsTable;
import zerofive.report.console.Progress;
import zerofive.report.console.Terminal;
import zerofive.run.RunFolder;
import zerofive.study.PairsConfig;
import zerofive.study.PairsCsv;
import zerofive.study.PairsRun;
import zerofive.study.PairsSummary;
import zerofive.study.PairsTrainer;
import zerofive.study.Shard;
import zerofive.study.Trainings;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;
import zerofive.train.StopSignal;

/** {@code pairs}: every two classes of a data set, many trainings at once, one table. */
public final class PairsCommand implements Command {
  /** Where the trainings run. */
  public interface Workplace {
    /**
     * The device that each training computes on.
     *
     * @throws zerofive.backend.DeviceException where it cannot be used
     */
    Backends.Choice choose(DeviceRequest asked, ModelSpec model, Invocation invocation);

    /** How many of so many trainings run at a time on {@code threads}, 0 for one on each core. */
    int atOnce(Backends.Choice device, int threads, int trainings);

    /** The same in words. */
    default String describe(Experiment experiment, int atOnce) {
      return atOnce + " at a time";
    }

    /** What trains the pairs of {@code run}, {@code atOnce} at a time. */
    Trainings trainings(
        Experiment experiment, PairsRun run, int atOnce, StopSignal stop, Terminal terminal);
  }

  /** Threads of this process. */
  private static final Workplace HERE =
      new Workplace() {
        @Override
        public Backends.Choice choose(DeviceRequest asked, ModelSpec model, Invocation invocation) {
          // Each training computes on one thread: so many small ones at a time waste the least.
          DeviceRequest each = asked.withThreads(1).exactByDefault();
          Backends.Choice first = Experiment.choose(each, invocation);
          return first.with(Backends.otherGpus(each, first, model));
        }

        @Override
        public int atOnce(Backends.Choice device, int threads, int trainings) {
          return PairsCommand.atOnce(device, threads, trainings);
        }

        @Override
        public String describe(Experiment experiment, int atOnce) {
          return PairsCommand.atOnce(experiment, atOnce);
        }

        @Override
        public Trainings trainings(
            Experiment experiment, PairsRun run, int atOnce, StopSignal stop, Terminal terminal) {
          return new PairsTrainer(
              experiment.recipe(),
              experiment.data(),
              experiment.start(),
              experiment.device().backends(),
              atOnce,
              stop);
        }
      };

  private final Workplace workplace;

  /** Trains in this process. */
  PairsCommand() {
    this(HERE);
  }

  /** Trains elsewhere; all but the trainings is done here. */
  public PairsCommand(Workplace workplace) {
    this.workplace = workplace;
  }

  private static final Setting<Integer> SEEDS =
      Setting.integer("seeds", Group.OPTIMIZATION, 1)
          .defaultValue(1)
          .help("of each pair, counted on from --seed")
          .build();

  /** The trainings leave no folder of their own. */
  private static final List<Setting<?>> SETTINGS = Settings.without(EnumSet.of(Group.RUN), CLASSES);

  private static final Set<String> BESIDE_MERGE =
      Set.of("merge", "out", "json", "quiet", "verbose");

  @Override
  public String name() {
    return "pairs";
  }

  @Override
  public String summary() {
    return "train every pair of classes, several at a time: one table and one heat map of errors";
  }

  @Override
  public String example() {
    return "zerofive pairs --classes 0,1,2,3 --model linear --seeds 5";
  }

  @Override
  public List<String> details() {
    return List.of(
        "Each training runs on one thread, and as many at a time as --threads. Each has the same"
            + " bits as train with these two classes and as many epochs, which by default are those"
            + " for a pair of average size.",
        "A GPU trains as many at a time as it holds, with the bits of the CPU (--exact), and"
            + " --device cuda takes every GPU of the machine. With --cublas or --precision it"
            + " trains one after the other, with the bits of train and the same options.",
        "Started again with the same --out, it continues where it was stopped. Shards of the work"
            + " (--shard) may run on different machines; pairs --merge DIR... --out DIR joins"
            + " them.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(
        Arguments.option(
            CLASSES.withHelp("whose pairs: 0,1,2 or all").withDefault(ClassFilter.ALL, "all")));
    TrainOptions.options(SETTINGS).getOptions().forEach(options::addOption);
    options.addOption(Arguments.option(SEEDS));
    options.addOption(
        Arguments.option(SHARD.withHelp("train the I-th of N shards, counted from 1")));
    options.addOption(
        ShardOptions.merge(
            "DIR...", "join the runs of all shards in --out; it takes no other option"));
    options.addOption(
        Arguments.option(
            "out", "DIR", "the run's folder, new or to be resumed (default: runs/TIME-pairs)"));
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
    if (!arguments.has("merge")) {
      return train(arguments, invocation);
    }
    ShardOptions.checkMerge(line, BESIDE_MERGE);
    Path out =
        arguments
            .path("out")
            .orElseThrow(() -> new UsageException("--merge needs --out DIR for the joined run"));
    PairsRun run = PairsRun.merge(ShardOptions.merged(line), out, PairsCommand::picture);
    invocation.time().mark("report");
    print(run, invocation);
    return ExitCode.DONE;
  }

  private int train(Arguments arguments, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    TrainOptions options = TrainOptions.of(arguments, ClassFilter.ALL);
    if (arguments.get(LOSS).filter(Loss.CROSS_ENTROPY::equals).isPresent()) {
      throw new UsageException("--loss cross-entropy takes three classes, and a pair has two");
    }
    int seeds = arguments.getOrDefault(SEEDS);
    Shard shard = arguments.getOrDefault(SHARD);
    DeviceRequest asked = DeviceRequest.of(options.recipe());
    Backends.Choice device = workplace.choose(asked, options.recipe().model(), invocation);
    Experiment experiment =
        Experiment.prepare(options, device, names -> names.subList(0, 2), invocation);
    PairsConfig config = config(experiment.recipe(), experiment.data().classes(), seeds, shard);
    experiment.describeTraining(terminal);
    device.print(asked.withThreads(1).exactByDefault(), terminal);
    try (StopSignal stop = listen(terminal);
        RunFolder folder = open(arguments.path("out"), shard)) {
      try {
        return train(folder, config, experiment, stop, asked.threads(), invocation);
      } catch (OutputException e) {
        throw folder.resumable(e, invocation.continueCommand(folder.path()));
      }
    }
  }

  private int train(
      RunFolder folder,
      PairsConfig config,
      Experiment experiment,
      StopSignal stop,
      int threads,
      Invocation invocation) {
    Terminal terminal = invocation.terminal();
    PairsRun run = begin(folder, config, experiment, terminal);
    int atOnce = workplace.atOnce(experiment.device(), threads, run.todo().size());
    terminal.info("pairs    ", describe(run, workplace.describe(experiment, atOnce)));
    terminal.info("run      " + folder.path());
    terminal.info("");
    Trainings trainings = workplace.trainings(experiment, run, atOnce, stop, terminal);
    try (Progress progress = terminal.progress("pairs", run.todo().size())) {
      run.train(trainings, progress::step);
    }
    invocation.time().mark("training");
    if (run.isStopped()) {
      terminal.error(
          "zerofive: stopped after "
              + run.done()
              + " of "
              + Format.plural(config.pairs().size(), "training")
              + ", which are saved; resume with: "
              + invocation.continueCommand(folder.path()));
      return ExitCode.INTERRUPTED;
    }
    run.finish(PairsCommand::picture);
    invocation.time().mark("report");
    print(run, invocation);
    return ExitCode.DONE;
  }

  private static PairsConfig config(Recipe settings, List<String> classes, int seeds, Shard shard) {
    PairsConfig config;
    try {
      config = new PairsConfig(settings, classes, seeds, shard);
    } catch (IllegalArgumentException e) {
      throw new UsageException(e.getMessage() + "; ask for fewer --seeds or --classes", e);
    }
    if (config.pairs().isEmpty()) {
      throw new UsageException(
          "--shard "
              + shard
              + " is empty: there "
              + (config.all().size() == 1 ? "is " : "are ")
              + Format.plural(config.all().size(), "training")
              + " in all; make at most as many shares");
    }
    return config;
  }

  private static StopSignal listen(Terminal terminal) {
    return StopSignal.install(
        () -> terminal.error("zerofive: stopping as soon as the epochs under way are done ..."),
        () ->
            terminal.fatal(
                "zerofive: stopped without the epochs under way, which take too long to wait for;"
                    + " started again with the same --out, it continues"));
  }

  /** A new folder, or that of a run to resume; locked. */
  private static RunFolder open(Optional<Path> out, Shard shard) {
    if (out.isEmpty()) {
      String name = shard.equals(Shard.WHOLE) ? "pairs" : "pairs-" + shard;
      return Invocation.newFolder(out, name.replace("/", "-of-"));
    }
    if (!RunFolder.isRun(out.get())) {
      return RunFolder.create(out.get());
    }
    RunFolder folder = RunFolder.find(out.get());
    folder.lock();
    return folder;
  }

  private static PairsRun begin(
      RunFolder folder, PairsConfig config, Experiment experiment, Terminal terminal) {
    DataSet data = experiment.data();
    return RunFolder.isRun(folder.path())
        ? PairsRun.resume(
            folder,
            config,
            data,
            experiment.session(),
            before -> TrainingJob.warn(before, experiment, terminal))
        : PairsRun.begin(folder, config, data, experiment.session());
  }

  /** How many trainings run at a time on {@code threads}, 0 for one on each core. */
  static int atOnce(Backends.Choice device, int threads, int trainings) {
    boolean gpu = device.backend().name().equals("cuda");
    int maxThreads = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    return Math.max(1, Math.min(gpu ? 1 : maxThreads, trainings));
  }

  /** The same in words. */
  static String atOnce(Experiment experiment, int trainings) {
    return experiment.backend().sweeps(experiment.recipe().model())
        ? "as many at a time as a GPU holds"
        : trainings + " at a time";
  }

  private static String describe(PairsRun run, String atOnce) {
    PairsConfig config = run.config();
    int trainings = config.pairs().size();
    return Format.plural(config.all().size() / config.seeds(), "pair")
        + " of "
        + config.classes().size()
        + " classes, "
        + Format.plural(config.seeds(), "seed")
        + (config.shard().equals(Shard.WHOLE) ? "" : ", shard " + config.shard())
        + ": "
        + Format.plural(trainings, "training")
        + ", "
        + atOnce
        + (run.done() == 0 ? "" : "; " + run.done() + " are done already");
  }

  private static void print(PairsRun run, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    PairsSummary summary = run.summary();
    boolean several = summary.accuracy().count() > 1;
    terminal.result(
        several ? "errors, mean of " + summary.accuracy().count() + " seeds:" : "errors:");
    PairsTable.lines(summary, terminal.width()).forEach(terminal::result);
    terminal.result("");
    terminal.emphasised(
        "mean     accuracy "
            + accuracy(summary)
            + " over "
            + Format.plural(summary.cells().size(), "pair"));
    terminal.result("hardest  " + PairsTable.describe(summary.hardest().get(0)));
    invocation.printTime();
    terminal.result("run      " + run.path());
    terminal.result(
        "         ", PairsCsv.NAME + ", " + PairsRun.PICTURE + ", config.json, the receipt");
    invocation.noteContainer(run.path());
    if (terminal.answersInJson()) {
      terminal.json(result(run, summary, invocation));
    }
  }

  /** {@code 99.44 %}, with several seeds {@code 99.44 +- 0.01 %}. */
  private static String accuracy(PairsSummary summary) {
    PairsSummary.Spread accuracy = summary.accuracy();
    return accuracy.count() == 1
        ? Format.percent(accuracy.mean())
        : String.format(
            Locale.ROOT, "%.2f +- %.2f %%", 100 * accuracy.mean(), 100 * accuracy.deviation());
  }

  private static String picture(PairsRun run) {
    PairsConfig config = run.config();
    PairsSummary summary = run.summary();
    return HeatMap.toSvg(
        "errors of "
            + config.model()
            + " on "
            + config.data()
            + ", "
            + Format.plural(summary.cells().size(), "pair"),
        "mean accuracy "
            + accuracy(summary)
            + (summary.accuracy().count() > 1 ? " over " + config.seeds() + " seeds" : "")
            + "; hardest "
            + PairsTable.describe(summary.hardest().get(0)),
        summary);
  }

  /** What {@code --json} prints. */
  private record Result(
      String run,
      String model,
      String data,
      List<String> classes,
      int seeds,
      double accuracy,
      double accuracyDeviation,
      List<Row> pairs,
      Map<String, Double> seconds) {}

  private record Row(
      String first,
      String second,
      int images,
      double errors,
      double errorsDeviation,
      double accuracy) {
    static Row of(PairsSummary.Cell cell) {
      return new Row(
          cell.first(),
          cell.second(),
          cell.images(),
          cell.errors().mean(),
          cell.errors().deviation(),
          cell.accuracy());
    }
  }

  private static Result result(PairsRun run, PairsSummary summary, Invocation invocation) {
    return new Result(
        run.path().toString(),
        run.config().model(),
        run.config().data(),
        run.config().classes(),
        run.config().seeds(),
        summary.accuracy().mean(),
        summary.accuracy().deviation(),
        summary.cells().stream().map(Row::of).toList(),
        invocation.time().phases());
  }
}
