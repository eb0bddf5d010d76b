package zerofive.spark;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.INIT_FROM;
import static zerofive.train.Settings.MEAN;
import static zerofive.train.Settings.SKIP_UNREADABLE;
import static zerofive.train.Settings.STD;
import static zerofive.train.Settings.THREADS;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Invocation;
import zerofive.cli.Version;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.TrainOptions;
import zerofive.cli.option.UsageException;
import zerofive.data.ClassFilter;
import zerofive.data.DataRequest;
import zerofive.data.DataSet;
import zerofive.files.Csv;
import zerofive.files.Json;
import zerofive.files.Sha256;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.train.DivergedException;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;
import zerofive.train.StopSignal;

/** {@code sweep}: a table of settings, trained by executors into a table of results. */
final class SweepCommand implements Command {
  /** What the files of results are. */
  enum As {
    CSV,
    PARQUET;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static final Setting<As> AS =
      Setting.oneOf("as", Group.RUN, "value of --as", As.values())
          .defaultValue(As.CSV)
          .help("what is written: csv or parquet")
          .build();

  private static final Setting<Integer> SEEDS =
      Setting.integer("seeds", Group.OPTIMIZATION, 1)
          .defaultValue(1)
          .help("of each row, counted on from its seed")
          .build();

  /** What a row of the grid may set beside its classes. */
  static final List<Setting<?>> SETTINGS =
      Settings.without(
          EnumSet.of(Group.RUN, Group.DEVICE), DATA, SKIP_UNREADABLE, INIT_FROM, MEAN, STD);

  private static final List<Setting<?>> OPTIONS =
      Settings.without(EnumSet.of(Group.RUN), CLASSES, INIT_FROM, MEAN, STD, THREADS);

  /** Rows that arrived wait so long to be written together. */
  private static final long JOURNAL_NANOS = 1_000_000_000L;

  private static final int SHOWN = 5;

  private final Cluster cluster;

  SweepCommand(Cluster cluster) {
    this.cluster = cluster;
  }

  @Override
  public String name() {
    return "sweep";
  }

  @Override
  public String summary() {
    return "train a grid of settings on executors: one table of results";
  }

  @Override
  public String example() {
    return "spark-submit zerofive-spark.jar sweep --grid grid.csv --seeds 3 --out runs/sweep";
  }

  @Override
  public List<String> details() {
    return List.of(
        "--grid is CSV. A column that is called as an option of train is that setting, and an empty"
            + " cell its default; other columns are passed through. Each row is trained with every"
            + " pair of --classes, or with those of its own column classes, and with every seed."
            + " Each training has the bits of train with these settings.",
        "--out is a folder in any file system of the cluster; results.csv or results.parquet lies in"
            + " it at the end, with receipt.json, which names every executor's device. Submitted"
            + " again with the same --out, the sweep continues where it was stopped. A training that"
            + " diverges is a row with its reason, and the exit code is 5.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(Arguments.option("grid", "FILE", "a CSV file of settings (required)"));
    options.addOption(
        Arguments.option(
            CLASSES.withHelp("whose pairs each row is trained with: 0,5 or 0,1,2 or all")));
    TrainOptions.options(OPTIONS).getOptions().forEach(options::addOption);
    options.addOption(Arguments.option(SEEDS));
    options.addOption(
        Arguments.option("out", "URI", "the folder of results, new or to be continued (required)"));
    options.addOption(Arguments.option(AS));
    options.addOption(
        Arguments.flag("json", "print one JSON object at the end; the rest is on standard error"));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    Terminal terminal = invocation.terminal();
    if (arguments.has("json")) {
      terminal.answerInJson();
    }
    Path gridFile = ClusterFiles.path("grid", required(arguments, "grid"));
    Path out = ClusterFiles.path("out", required(arguments, "out"));
    TrainOptions options = TrainOptions.of(arguments);
    invocation.time().mark("start-up");
    ClusterFiles files = new ClusterFiles(cluster.hadoop());
    Grid grid = Grid.parse(gridFile.toString(), files.text(gridFile));
    grid.check(SETTINGS);
    boolean hasClasses = grid.columns().contains(CLASSES.name());
    if (hasClasses && arguments.has(CLASSES)) {
      throw new UsageException("--classes and the grid's column classes exclude each other");
    }
    DecidedDevice device = cluster.decide(DeviceRequest.of(options.recipe()));
    invocation.time().mark("device");
    DataRequest asked = options.request();
    DataSet data =
        invocation.load(
            hasClasses
                ? new DataRequest(
                    asked.source(), ClassFilter.ALL, asked.split(), asked.skipUnreadable())
                : asked);
    Sweep sweep = Sweep.of(grid, options.recipe(), data, arguments.getOrDefault(SEEDS));
    invocation.time().mark("data");
    Run run = new Run(files, out, sweep, data, invocation);
    terminal.info(
        "sweep    ",
        Format.plural(grid.rows().size(), "row")
            + ": "
            + Format.plural(sweep.trainings().size(), "training")
            + ", "
            + cluster.slots()
            + " at a time"
            + (run.rows.isEmpty() ? "" : "; " + run.rows.size() + " are done already"));
    cluster.describe(device).print(DeviceRequest.of(options.recipe()), terminal);
    terminal.info("out      " + out);
    try (StopSignal stop =
        StopSignal.install(
            () -> terminal.error("zerofive: stopping ..."),
            () -> terminal.fatal("zerofive: stopped; the trainings under way are not saved"))) {
      run.train(device, stop);
    }
    invocation.time().mark("training");
    if (run.rows.size() < sweep.trainings().size()) {
      terminal.error(
          "zerofive: stopped after "
              + run.rows.size()
              + " of "
              + Format.plural(sweep.trainings().size(), "training")
              + ", which are saved; submit the same again to continue");
      return ExitCode.INTERRUPTED;
    }
    Path results = run.finish(arguments.getOrDefault(AS));
    print(run, results, invocation);
    long diverged = run.rows.values().stream().filter(row -> !row.hasResult()).count();
    if (diverged > 0) {
      throw new DivergedException(
          Format.plural((int) diverged, "training")
              + " of "
              + sweep.trainings().size()
              + " failed, and the column error of "
              + results
              + " has the reasons; choose other settings for these rows");
    }
    return ExitCode.DONE;
  }

  static String required(Arguments arguments, String name) {
    return arguments
        .text(name)
        .orElseThrow(() -> new UsageException("--" + name + " is missing; name one"));
  }

  private void print(Run run, Path results, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    List<TrainingRow> best =
        run.rows.values().stream()
            .filter(TrainingRow::hasResult)
            .sorted(
                Comparator.comparingDouble(TrainingRow::accuracy)
                    .reversed()
                    .thenComparingDouble(TrainingRow::validLoss))
            .limit(SHOWN)
            .toList();
    for (TrainingRow row : best) {
      terminal.result(
          row == best.get(0) ? "best     " : "         ",
          Format.percent(row.accuracy())
              + ", "
              + Format.plural(row.errors(), "error")
              + ": "
              + run.describe(row));
    }
    invocation.printTime();
    terminal.result("results  " + results);
    if (terminal.answersInJson()) {
      JsonObject json = new JsonObject();
      json.addProperty("results", results.toString());
      json.addProperty("trainings", run.rows.size());
      json.addProperty(
          "failed", run.rows.values().stream().filter(row -> !row.hasResult()).count());
      if (!best.isEmpty()) {
        JsonObject first = new JsonObject();
        List<String> cells = run.sweep.trainings().get(best.get(0).index()).cells();
        for (int i = 0; i < cells.size(); i++) {
          first.addProperty(run.sweep.columns().get(i), cells.get(i));
        }
        first.addProperty("errors", best.get(0).errors());
        first.addProperty("accuracy", best.get(0).accuracy());
        json.add("best", first);
      }
      json.add("seconds", Json.of(invocation.time().phases()));
      terminal.json(json);
    }
  }

  /** A sweep and its folder: what a kill leaves there, another submit continues. */
  private final class Run {
    private final ClusterFiles files;
    private final Path out;
    private final Sweep sweep;
    private final DataSet data;
    private final Invocation invocation;
    private final Path description;
    private final Path journal;
    private final Map<Integer, TrainingRow> rows = new TreeMap<>();
    private final Set<ExecutorDevice> devices = new LinkedHashSet<>();
    private final List<TrainingRow> unsaved = new ArrayList<>();
    private final JsonObject receipt;
    private int parts;
    private long saved = System.nanoTime();

    Run(ClusterFiles files, Path out, Sweep sweep, DataSet data, Invocation invocation) {
      this.files = files;
      this.out = out;
      this.sweep = sweep;
      this.data = data;
      this.invocation = invocation;
      description = new Path(out, "receipt.json");
      journal = new Path(out, "_rows");
      JsonObject before = files.claim(out, description, key()).orElse(null);
      receipt = before == null ? new JsonObject() : before;
      if (before == null) {
        receipt.addProperty("job", key());
        receipt.add("data_sha256", Json.of(data.sha256()));
        receipt.add("sessions", new JsonArray());
        write();
      }
      for (FileStatus part : files.list(journal)) {
        if (!part.getPath().getName().startsWith(".")) {
          parts++;
          files.text(part.getPath()).lines().forEach(row -> restore(Json.parse(row)));
        }
      }
    }

    /** What makes it the same sweep: every training's settings, the data and the arithmetic. */
    private String key() {
      StringBuilder all = new StringBuilder(Json.of(data.sha256()).toString());
      for (Sweep.Training training : sweep.trainings()) {
        all.append(training.recipe().toJson()).append(training.cells());
      }
      return Sha256.of(all.toString().getBytes(StandardCharsets.UTF_8));
    }

    private void write() {
      files.write(description, Json.file(receipt));
    }

    private void restore(JsonObject row) {
      int index = row.get("index").getAsInt();
      Optional<JsonElement> error = Optional.ofNullable(row.get("error"));
      ExecutorDevice device =
          new ExecutorDevice(
              row.get("executor").getAsString(),
              "",
              row.get("backend").getAsString(),
              row.get("device").getAsString(),
              new TreeMap<>());
      rows.put(
          index,
          error.isPresent()
              ? TrainingRow.failed(index, error.get().getAsString(), false, device)
              : new TrainingRow(
                  index,
                  row.get("errors").getAsInt(),
                  row.get("images").getAsInt(),
                  row.get("train_loss").getAsDouble(),
                  row.get("valid_loss").getAsDouble(),
                  row.get("seconds").getAsDouble(),
                  row.get("model_sha256").getAsString(),
                  null,
                  false,
                  device));
    }

    private static String line(TrainingRow row) {
      JsonObject json = new JsonObject();
      json.addProperty("index", row.index());
      json.addProperty("executor", row.device().executor());
      json.addProperty("backend", row.device().backend());
      json.addProperty("device", row.device().device());
      if (row.hasResult()) {
        json.addProperty("errors", row.errors());
        json.addProperty("images", row.images());
        json.addProperty("train_loss", row.trainLoss());
        json.addProperty("valid_loss", row.validLoss());
        json.addProperty("seconds", row.seconds());
        json.addProperty("model_sha256", row.modelSha256());
      } else {
        json.addProperty("error", row.error());
      }
      return Json.line(json) + "\n";
    }

    void train(DecidedDevice device, StopSignal stop) {
      List<TrainingJob.Task> todo =
          sweep.tasks().stream().filter(task -> !rows.containsKey(task.index())).toList();
      TrainingJob job = new TrainingJob(device, new SharedData(data), null);
      try {
        cluster.train(
            job,
            todo,
            stop::requested,
            row -> {
              rows.put(row.index(), row);
              unsaved.add(row);
              if (devices.add(row.device())) {
                receipt
                    .getAsJsonArray("sessions")
                    .add(Json.of(row.device().session(invocation.arguments())));
                write();
              }
              if (System.nanoTime() - saved > JOURNAL_NANOS) {
                save();
              }
            },
            invocation.terminal());
      } finally {
        save();
      }
    }

    private void save() {
      saved = System.nanoTime();
      if (!unsaved.isEmpty()) {
        StringBuilder lines = new StringBuilder();
        unsaved.forEach(row -> lines.append(line(row)));
        files.write(
            new Path(journal, String.format(Locale.ROOT, "%06d.jsonl", parts)), lines.toString());
        parts++;
        unsaved.clear();
      }
    }

    String describe(TrainingRow row) {
      List<String> cells = sweep.trainings().get(row.index()).cells();
      List<String> named = new ArrayList<>();
      for (int i = 0; i < cells.size(); i++) {
        if (!cells.get(i).isEmpty()) {
          named.add(sweep.columns().get(i) + " " + cells.get(i));
        }
      }
      return String.join(", ", named);
    }

    /** Writes the table, in the order of the trainings; the journal goes last. */
    Path finish(As format) {
      Path results = new Path(out, "results." + format);
      List<Row> table = new ArrayList<>();
      rows.forEach((index, row) -> table.add(Sweep.row(sweep.trainings().get(index).cells(), row)));
      if (format == As.CSV) {
        files.write(results, csv(table));
      } else {
        cluster
            .session()
            .createDataFrame(table, sweep.schema())
            .coalesce(1)
            .write()
            .mode("overwrite")
            .parquet(results.toString());
      }
      receipt.addProperty("trainings", rows.size());
      receipt.addProperty("failed", rows.values().stream().filter(row -> !row.hasResult()).count());
      receipt.addProperty("program", Version.read().toString());
      write();
      return results;
    }

    private String csv(List<Row> table) {
      StringBuilder text = new StringBuilder();
      append(text, List.of(sweep.schema().fieldNames()));
      for (Row row : table) {
        List<String> cells = new ArrayList<>();
        for (int i = 0; i < row.size(); i++) {
          Object value = row.get(i);
          cells.add(
              value instanceof Double number
                  ? String.format(Locale.ROOT, "%.9g", number)
                  : value == null ? "" : value.toString());
        }
        append(text, cells);
      }
      return text.toString();
    }

    private static void append(StringBuilder text, List<String> cells) {
      text.append(String.join(",", cells.stream().map(Csv::field).toList())).append('\n');
    }
  }
}
