package zerofive.cli;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.LOSS;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.data.AtomicFile;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.InputException;
import zerofive.data.OutputException;
import zerofive.data.Sha256;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.report.HeatMap;
import zerofive.report.PairsTable;
import zerofive.report.Progress;
import zerofive.report.Terminal;
import zerofive.report.Text;
import zerofive.train.DivergedException;
import zerofive.train.Pair;
import zerofive.train.PairResult;
import zerofive.train.PairsConfig;
import zerofive.train.PairsCsv;
import zerofive.train.PairsSummary;
import zerofive.train.PairsTrainer;
import zerofive.train.Receipt;
import zerofive.train.Recipe;
import zerofive.train.RunFolder;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;
import zerofive.train.Shard;
import zerofive.train.StopSignal;

/** {@code pairs}: every two classes of a data set, many trainings at once, one table. */
final class PairsCommand implements Command {
  private static final String PICTURE = "errors.svg";

  private static final Setting<Integer> SEEDS =
      Setting.integer("seeds", Group.OPTIMIZATION, 1)
          .fallback(1)
          .help("of each pair, counted on from --seed")
          .build();

  private static final Setting<Shard> SHARD =
      Setting.parsed("shard", Group.RUN, text -> ShardOption.parse(text, System.getenv()))
          .valueName("I/N")
          .fallback(Shard.WHOLE)
          .help("train the I-th of N shares; auto or auto/N asks Kubernetes' or Slurm's variables")
          .build();

  /** The trainings leave no folder of their own. */
  private static final List<Setting<?>> SETTINGS = Settings.without(EnumSet.of(Group.RUN), CLASSES);

  private static final Set<String> BESIDE_MERGE =
      Set.of("merge", "out", "json", "quiet", "verbose");

  /** A run of pairs that is under way: its folder, its settings, what it has so far. */
  private record Run(
      RunFolder folder, PairsConfig config, Receipt receipt, Map<Pair, PairResult> results) {
    Path csv() {
      return folder.file(PairsCsv.NAME);
    }

    List<Pair> todo() {
      return config.pairs().stream().filter(pair -> !results.containsKey(pair)).toList();
    }

    /** The results in the order of the settings, not of the trainings' ends. */
    List<PairResult> inOrder() {
      return config.pairs().stream().filter(results::containsKey).map(results::get).toList();
    }

    PairsSummary summary() {
      return PairsSummary.of(config.classes(), results.values());
    }

    /** The receipt's result is written last: a run that has it has everything. */
    void finish() {
      PairsSummary summary = summary();
      PairsCsv.write(csv(), inOrder());
      AtomicFile.write(folder.file(PICTURE), picture(config, summary));
      receipt.finish(results.size(), summary.accuracy().mean(), Sha256.of(csv()));
    }
  }

  @Override
  public String name() {
    return "pairs";
  }

  @Override
  public String summary() {
    return "train every pair of classes, several at a time: one table and picture of errors";
  }

  @Override
  public String example() {
    return "zerofive pairs --classes 0,1,2,3 --model linear --seeds 5";
  }

  @Override
  public List<String> details() {
    return List.of(
        "Each training runs on one thread, and as many at a time as --threads; on a card they run"
            + " one after the other. Each has the same bits as train with these two classes.",
        "Started again with the same --out, it goes on where it was stopped. Shares of the work"
            + " (--shard) may run on different machines; pairs --merge DIR... --out DIR joins"
            + " them.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(
        Arguments.option(
            CLASSES.withHelp("whose pairs: 0,1,2 or all").withFallback(ClassFilter.ALL, "all")));
    TrainOptions.options(SETTINGS).getOptions().forEach(options::addOption);
    options.addOption(Arguments.option(SEEDS));
    options.addOption(Arguments.option(SHARD));
    options.addOption(
        Option.builder()
            .longOpt("merge")
            .hasArgs()
            .argName("DIR...")
            .desc("join the runs of all shares in --out; no other option may stand beside it")
            .get());
    options.addOption(
        Arguments.option(
            "out", "DIR", "the run's folder, new or to go on with (default: runs/TIME-pairs)"));
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
    for (Option option : line.getOptions()) {
      if (!BESIDE_MERGE.contains(option.getLongOpt())) {
        throw new UsageException(
            "--"
                + option.getLongOpt()
                + " cannot stand beside --merge, which trains nothing; only --out may");
      }
    }
    return merge(folders(line.getOptionValues("merge")), arguments, invocation);
  }

  private static int train(Arguments arguments, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    TrainOptions options = TrainOptions.of(arguments, ClassFilter.ALL);
    if (arguments.get(LOSS).filter(Loss.CROSS_ENTROPY::equals).isPresent()) {
      throw new UsageException("--loss cross-entropy takes three classes, and a pair has two");
    }
    int seeds = arguments.getOrDefault(SEEDS);
    Shard shard = arguments.getOrDefault(SHARD);
    DeviceOptions asked = DeviceOptions.of(options.recipe());
    // Each training computes on one thread: so many small ones at a time waste the least.
    DeviceOptions each = asked.withThreads(1);
    invocation.time().mark("start-up");
    Backends.Choice device = Backends.choose(each);
    invocation.time().mark("device");
    DataSet data = invocation.load(options.data(), options.recipe().get(CLASSES));
    Recipe settings = options.resolve(data.classes().subList(0, 2));
    Architecture architecture = TrainCommand.architecture(settings, data);
    Optional<Parameters> start =
        options.start().map(file -> TrainCommand.startFrom(settings, file, architecture));
    TrainOptions.checkAugmentation(settings, data);
    PairsConfig config = config(settings, data.classes(), seeds, shard);
    invocation.time().mark("data");
    TrainCommand.describe(settings, architecture, data, terminal);
    each.note(device, terminal);
    try (StopSignal stop = listen(terminal);
        RunFolder folder = open(arguments.path("out"), shard)) {
      Run run = begin(folder, config, settings, data, device, invocation);
      int atOnce = atOnce(device, asked.threads(), run.todo().size());
      terminal.note("pairs    ", describe(run, atOnce));
      terminal.note("run      " + folder.path());
      terminal.note("");
      PairsTrainer trainer = new PairsTrainer(settings, data, start, device.backend(), stop);
      List<String> diverged = train(run, trainer, atOnce, terminal);
      trainer.notes().forEach(note -> terminal.note("note     ", note));
      invocation.time().mark("training");
      if (run.todo().size() > diverged.size()) {
        terminal.complain(
            "zerofive: stopped after "
                + run.results().size()
                + " of "
                + Text.plural(run.config().pairs().size(), "training")
                + ", which are saved; go on with: "
                + invocation.goOn(folder.path()));
        return ExitCode.INTERRUPTED;
      }
      if (!diverged.isEmpty()) {
        throw diverged(run, diverged);
      }
      run.finish();
      invocation.time().mark("report");
      print(run, invocation);
      return ExitCode.DONE;
    }
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
              + Text.plural(config.all().size(), "training")
              + " in all; make at most as many shares");
    }
    return config;
  }

  private static StopSignal listen(Terminal terminal) {
    return StopSignal.install(
        () -> terminal.complain("zerofive: stopping as soon as the epochs under way are done ..."),
        () ->
            terminal.lastWords(
                "zerofive: stopped without the epochs under way, which take too long to wait for;"
                    + " started again with the same --out, it goes on"));
  }

  /** A new folder, or that of a run to go on with; locked. */
  private static RunFolder open(Optional<Path> out, Shard shard) {
    if (out.isEmpty()) {
      String name = shard.equals(Shard.WHOLE) ? "pairs" : "pairs-" + shard;
      return RunFolder.createNumbered(
          TrainCommand.RUNS, TrainCommand.name(name.replace("/", "-of-")));
    }
    if (!RunFolder.isRun(out.get())) {
      return RunFolder.create(out.get());
    }
    RunFolder folder = RunFolder.find(out.get());
    folder.lock();
    return folder;
  }

  private static Run begin(
      RunFolder folder,
      PairsConfig config,
      Recipe settings,
      DataSet data,
      Backends.Choice device,
      Invocation invocation) {
    Receipt.Session session = TrainingJob.session(device, invocation);
    if (RunFolder.isRun(folder.path())) {
      return resume(folder, config, data, session, invocation.terminal());
    }
    try {
      Receipt receipt = Receipt.begin(folder.receipt(), data, settings);
      receipt.add(session, 0);
      config.write(folder);
      return new Run(folder, config, receipt, new LinkedHashMap<>());
    } catch (RuntimeException | Error e) {
      folder.abandon();
      throw e;
    }
  }

  private static Run resume(
      RunFolder folder,
      PairsConfig config,
      DataSet data,
      Receipt.Session session,
      Terminal terminal) {
    PairsConfig before = PairsConfig.read(folder);
    Optional<String> difference =
        before
            .difference(config)
            .or(
                () ->
                    before.shard().equals(config.shard())
                        ? Optional.empty()
                        : Optional.of("share " + before.shard() + ", not " + config.shard()));
    if (difference.isPresent()) {
      throw new OutputException(
          folder.path()
              + " was begun with "
              + difference.get()
              + "; go on with its own settings, or name another folder with --out");
    }
    Receipt receipt = Receipt.read(folder.receipt());
    receipt.checkData(data);
    Path csv = folder.file(PairsCsv.NAME);
    Run run = new Run(folder, before, receipt, PairsCsv.read(csv, before.pairs()));
    if (!run.todo().isEmpty()) {
      receipt.latest().ifPresent(latest -> TrainingJob.warn(latest, session, terminal));
      receipt.add(session, 0);
    }
    return run;
  }

  private static int atOnce(Backends.Choice device, int threads, int trainings) {
    boolean card = device.backend().name().equals("cuda");
    int most = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
    return Math.max(1, Math.min(card ? 1 : most, trainings));
  }

  private static String describe(Run run, int atOnce) {
    PairsConfig config = run.config();
    int trainings = config.pairs().size();
    return Text.plural(config.all().size() / config.seeds(), "pair")
        + " of "
        + config.classes().size()
        + " classes, "
        + Text.plural(config.seeds(), "seed")
        + (config.shard().equals(Shard.WHOLE) ? "" : ", share " + config.shard())
        + ": "
        + Text.plural(trainings, "training")
        + ", "
        + atOnce
        + " at a time"
        + (run.results().isEmpty() ? "" : "; " + run.results().size() + " are done already");
  }

  private static List<String> train(Run run, PairsTrainer trainer, int atOnce, Terminal terminal) {
    List<Pair> todo = run.todo();
    if (todo.isEmpty()) {
      return List.of();
    }
    try (PairsCsv csv = new PairsCsv(run.csv(), run.results().values());
        Progress progress = terminal.progress("pairs", todo.size())) {
      return trainer.train(
          todo,
          atOnce,
          result -> {
            csv.append(result);
            run.results().put(result.pair(), result);
            progress.step();
          });
    }
  }

  private static DivergedException diverged(Run run, List<String> diverged) {
    return new DivergedException(
        diverged.get(0)
            + (diverged.size() == 1
                ? ""
                : "; " + (diverged.size() - 1) + " more diverged, each in its own way")
            + "; the "
            + Text.plural(run.results().size(), "training")
            + " that did not are kept in "
            + run.csv());
  }

  private static List<Path> folders(String[] names) {
    List<Path> folders = new ArrayList<>();
    for (String name : names) {
      try {
        folders.add(Path.of(name));
      } catch (InvalidPathException e) {
        throw new UsageException("--merge '" + name + "' is no folder's name", e);
      }
    }
    return folders;
  }

  private static int merge(List<Path> folders, Arguments arguments, Invocation invocation) {
    Path out =
        arguments
            .path("out")
            .orElseThrow(() -> new UsageException("--merge needs --out DIR for the joined run"));
    RunFolder.checkFree(out);
    List<Run> shares = folders.stream().map(PairsCommand::read).toList();
    Run first = shares.get(0);
    Map<Pair, PairResult> results = new LinkedHashMap<>();
    Map<Pair, Path> origin = new LinkedHashMap<>();
    for (Run share : shares) {
      checkSame(first, share);
      share
          .results()
          .forEach(
              (pair, result) -> {
                Path before = origin.put(pair, share.folder().path());
                if (before != null) {
                  throw new InputException(
                      pair
                          + " is in both "
                          + before
                          + " and "
                          + share.folder().path()
                          + "; name each share once");
                }
                results.put(pair, result);
              });
    }
    checkWhole(first.config().whole(), results);
    try (RunFolder folder = RunFolder.create(out)) {
      Run run = join(folder, shares, results);
      invocation.time().mark("report");
      print(run, invocation);
      return ExitCode.DONE;
    }
  }

  /** Writes a run of all shares together; where it cannot be written, nothing of it stays. */
  private static Run join(RunFolder folder, List<Run> shares, Map<Pair, PairResult> results) {
    try {
      Receipt receipt = Receipt.join(folder.receipt(), shares.stream().map(Run::receipt).toList());
      Run run = new Run(folder, shares.get(0).config().whole(), receipt, results);
      run.finish();
      run.config().write(folder);
      return run;
    } catch (RuntimeException | Error e) {
      folder.abandon(PairsCsv.NAME, PICTURE);
      throw e;
    }
  }

  private static Run read(Path path) {
    RunFolder folder = RunFolder.find(path);
    PairsConfig config = PairsConfig.read(folder);
    Map<Pair, PairResult> results = PairsCsv.read(folder.file(PairsCsv.NAME), config.pairs());
    return new Run(folder, config, Receipt.read(folder.receipt()), results);
  }

  private static void checkSame(Run first, Run share) {
    share
        .config()
        .difference(first.config())
        .ifPresent(
            difference -> {
              throw new InputException(
                  share.folder().path()
                      + " was made with "
                      + difference
                      + " as "
                      + first.folder().path()
                      + "; merge shares of one run");
            });
  }

  private static void checkWhole(PairsConfig whole, Map<Pair, PairResult> results) {
    List<Pair> missing = whole.pairs().stream().filter(pair -> !results.containsKey(pair)).toList();
    if (!missing.isEmpty()) {
      throw new InputException(
          missing.get(0)
              + (missing.size() == 1
                  ? " is"
                  : " and " + Text.plural(missing.size() - 1, "other training") + " are")
              + " in none of the folders; let every share finish, and name them all");
    }
  }

  private static void print(Run run, Invocation invocation) {
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
            + Text.plural(summary.cells().size(), "pair"));
    terminal.result("hardest  " + PairsTable.describe(summary.hardest().get(0)));
    invocation.printTime();
    terminal.result("run      " + run.folder().path());
    terminal.result("         ", PairsCsv.NAME + ", " + PICTURE + ", config.json, the receipt");
    if (terminal.answersInJson()) {
      terminal.json(json(run, summary, invocation));
    }
  }

  /** {@code 99.44 %}, with several seeds {@code 99.44 +- 0.01 %}. */
  private static String accuracy(PairsSummary summary) {
    PairsSummary.Spread accuracy = summary.accuracy();
    return accuracy.count() == 1
        ? Text.percent(accuracy.mean())
        : String.format(
            Locale.ROOT, "%.2f +- %.2f %%", 100 * accuracy.mean(), 100 * accuracy.deviation());
  }

  private static String picture(PairsConfig config, PairsSummary summary) {
    return HeatMap.toSvg(
        "errors of "
            + config.model()
            + " on "
            + config.data()
            + ", "
            + Text.plural(summary.cells().size(), "pair"),
        "mean accuracy "
            + accuracy(summary)
            + (summary.accuracy().count() > 1 ? " over " + config.seeds() + " seeds" : "")
            + "; hardest "
            + PairsTable.describe(summary.hardest().get(0)),
        summary);
  }

  private static JsonObject json(Run run, PairsSummary summary, Invocation invocation) {
    JsonArray classes = new JsonArray();
    run.config().classes().forEach(classes::add);
    JsonArray pairs = new JsonArray();
    for (PairsSummary.Cell cell : summary.cells()) {
      JsonObject pair = new JsonObject();
      pair.addProperty("first", cell.first());
      pair.addProperty("second", cell.second());
      pair.addProperty("images", cell.images());
      pair.addProperty("errors", cell.errors().mean());
      pair.addProperty("errors_deviation", cell.errors().deviation());
      pair.addProperty("accuracy", cell.accuracy());
      pairs.add(pair);
    }
    JsonObject json = new JsonObject();
    json.addProperty("run", run.folder().path().toString());
    json.addProperty("model", run.config().model());
    json.addProperty("data", run.config().data());
    json.add("classes", classes);
    json.addProperty("seeds", run.config().seeds());
    json.addProperty("accuracy", summary.accuracy().mean());
    json.addProperty("accuracy_deviation", summary.accuracy().deviation());
    json.add("pairs", pairs);
    json.add("seconds", RunJson.seconds(invocation.time()));
    return json;
  }
}
