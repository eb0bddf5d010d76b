package zerofive.spark;

import static zerofive.cli.option.ModelOptions.FIT;
import static zerofive.train.Settings.MEAN;
import static zerofive.train.Settings.STD;
import static zerofive.train.Settings.THREADS;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.BytesWritable;
import org.apache.hadoop.io.Text;
import org.apache.spark.SparkStageInfo;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Invocation;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.DeviceOptions;
import zerofive.cli.option.ModelOptions;
import zerofive.cli.option.UsageException;
import zerofive.data.image.ImageFile;
import zerofive.data.image.ImagePaths;
import zerofive.files.InputException;
import zerofive.files.Json;
import zerofive.files.Sha256;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.study.predict.Fit;
import zerofive.study.predict.ImageClassifier;
import zerofive.train.Recipe;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.StopSignal;

/** {@code predict}: a saved model on images in a cluster's file system, a row for each. */
final class PredictCommand implements Command {
  /** What holds the images. */
  private enum Source {
    BINARYFILE("binaryFile"),
    PARQUET("parquet"),
    SEQUENCE("sequence");

    private final String text;

    Source(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private static final Setting<Source> FORMAT =
      Setting.oneOf("format", Group.DATA, "value of --format", Source.values())
          .defaultValue(Source.BINARYFILE)
          .help(
              "binaryFile: PNG and JPEG files in folders; parquet: columns path and content;"
                  + " sequence: SequenceFiles of Text and BytesWritable")
          .build();

  private static final int MAX_MODEL = 1 << 30;

  /** As many partitions for each task that runs at a time, so that all end about together. */
  private static final int PARTITIONS_A_SLOT = 8;

  /** So many files at least are worth a task. */
  private static final int FILES_A_PARTITION = 64;

  private static final String DESCRIPTION = "_zerofive.json";

  private final Cluster cluster;

  PredictCommand(Cluster cluster) {
    this.cluster = cluster;
  }

  @Override
  public String name() {
    return "predict";
  }

  @Override
  public String summary() {
    return "classify images in the cluster's file systems, on executors";
  }

  @Override
  public String example() {
    return "spark-submit zerofive-spark.jar predict --model m.safetensors --in hdfs:///scans --out"
        + " hdfs:///predictions";
  }

  @Override
  public List<String> details() {
    return List.of(
        "A row an image: path, class, probability, and error where it cannot be read; then the exit"
            + " code is 3, after all is written. Rows are in no order across files of the output;"
            + " write first, and sort what is written.",
        "--out is a folder of Spark's part files with _zerofive.json, which names model, options and"
            + " every executor's device. Submitted again with the same --out, an unfinished job"
            + " begins anew, and one that is finished only says so.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    ModelOptions.addTo(options);
    options.addOption(Arguments.option(FIT));
    options.addOption(Arguments.option("in", "URI", "where the images are (required)"));
    options.addOption(Arguments.option(FORMAT));
    options.addOption(Arguments.option("out", "URI", "the folder of predictions, new (required)"));
    options.addOption(Arguments.option(SweepCommand.AS));
    options.addOption(
        Arguments.flag("json", "print one JSON object at the end; the rest is on standard error"));
    DeviceOptions.SETTINGS.stream()
        .filter(setting -> setting != THREADS)
        .forEach(setting -> options.addOption(Arguments.option(setting)));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    Terminal terminal = invocation.terminal();
    if (arguments.has("json")) {
      terminal.answerInJson();
    }
    Path modelFile = ClusterFiles.path("model", SweepCommand.required(arguments, "model"));
    Path in = ClusterFiles.path("in", SweepCommand.required(arguments, "in"));
    Path out = ClusterFiles.path("out", SweepCommand.required(arguments, "out"));
    DeviceRequest asked = DeviceOptions.of(arguments);
    Fit fit = arguments.getOrDefault(FIT);
    Source format = arguments.getOrDefault(FORMAT);
    SweepCommand.As as = arguments.getOrDefault(SweepCommand.AS);
    invocation.time().mark("start-up");
    ClusterFiles files = new ClusterFiles(cluster.hadoop());
    byte[] bytes = files.read(modelFile, MAX_MODEL);
    String name = modelFile.toString();
    Recipe normalisation = arguments.recipe(Recipe.DEFAULTS, List.of(MEAN, STD));
    ModelFile model = ModelOptions.read(java.nio.file.Path.of(name), bytes, normalisation);
    terminal.info("model    ", name + " (" + model.describe() + ")");
    model.notes().forEach(note -> terminal.info("note     ", note));
    new ImageClassifier(name, model, fit).notes().forEach(note -> terminal.info("note     ", note));
    DecidedDevice device = cluster.decide(asked);
    cluster.describe(device).print(asked, terminal);
    Path description = new Path(out, DESCRIPTION);
    String key =
        String.join(
            "\n",
            Sha256.of(bytes),
            in.toString(),
            format.toString(),
            fit.toString(),
            String.valueOf(model.normalisation().orElse(Normalisation.NONE)),
            String.valueOf(device.arithmetic()),
            as.toString());
    String job = Sha256.of(key.getBytes(StandardCharsets.UTF_8));
    JsonObject receipt = files.claim(out, description, job).orElseGet(JsonObject::new);
    if (!receipt.has("images")) {
      boolean complete =
          predict(
              new ImageJob(
                  device,
                  name,
                  bytes,
                  normalisation.get(MEAN).orElse(null),
                  normalisation.get(STD).orElse(null),
                  fit),
              new Input(files, in, format),
              new Output(files, out, as, receipt, job),
              invocation);
      if (!complete) {
        terminal.error("zerofive: stopped; submit the same again to begin anew");
        return ExitCode.INTERRUPTED;
      }
    } else {
      terminal.info("note     ", out + " is finished already");
    }
    return finish(receipt, out, invocation);
  }

  private static int finish(JsonObject receipt, Path out, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    long images = receipt.get("images").getAsLong();
    long unreadable = receipt.get("unreadable").getAsLong();
    terminal.result("images   " + Format.count(images));
    invocation.printTime();
    terminal.result("out      " + out);
    if (terminal.answersInJson()) {
      JsonObject json = new JsonObject();
      json.addProperty("out", out.toString());
      json.addProperty("images", images);
      json.addProperty("unreadable", unreadable);
      json.add("seconds", Json.of(invocation.time().phases()));
      terminal.json(json);
    }
    if (unreadable == 0) {
      return ExitCode.DONE;
    }
    terminal.error(
        "zerofive: error: "
            + Format.plural(unreadable, "image")
            + " could not be read, "
            + Format.count(images - unreadable)
            + " predicted; the column error of "
            + out
            + " has the reasons");
    return ExitCode.INPUT;
  }

  private record Input(ClusterFiles files, Path in, Source format) {}

  private record Output(
      ClusterFiles files, Path out, SweepCommand.As as, JsonObject receipt, String job) {
    Path description() {
      return new Path(out, DESCRIPTION);
    }

    void write() {
      files.write(description(), Json.file(receipt));
    }
  }

  /** Whether it was not stopped. */
  private boolean predict(ImageJob job, Input input, Output output, Invocation invocation) {
    // What a killed job left of its rows.
    for (FileStatus left : output.files().list(output.out())) {
      if (!left.getPath().getName().equals(DESCRIPTION)) {
        output.files().delete(left.getPath());
      }
    }
    output.receipt().addProperty("job", output.job());
    output.receipt().addProperty("model_sha256", Sha256.of(job.model()));
    output.receipt().addProperty("model", job.name());
    output.receipt().addProperty("in", input.in().toString());
    output.receipt().addProperty("fit", job.fit().toString());
    output.receipt().add("sessions", new JsonArray());
    output.write();
    JavaRDD<ImageJob.Image> images = images(input);
    invocation.time().mark("listing");
    Broadcast<ImageJob> shared = cluster.context().broadcast(job);
    Arrivals<ExecutorDevice> devices = new Arrivals<>();
    cluster.context().sc().register(devices);
    Dataset<Row> rows =
        cluster
            .session()
            .createDataFrame(
                images.mapPartitions(part -> shared.value().predict(part, devices)),
                ImageJob.SCHEMA);
    Cluster.Counter counter =
        new Cluster.Counter("tasks", images.getNumPartitions(), invocation.terminal());
    try (StopSignal stop =
        StopSignal.install(() -> invocation.terminal().error("zerofive: stopping ..."), () -> {})) {
      cluster.run(
          "predictions",
          () -> write(rows, output),
          stop::requested,
          () -> counter.reached(tasksDone()));
      if (stop.requested()) {
        return false;
      }
    }
    Set<ExecutorDevice> seen = new LinkedHashSet<>(devices.drain());
    seen.forEach(
        device ->
            output
                .receipt()
                .getAsJsonArray("sessions")
                .add(Json.of(device.session(invocation.arguments()))));
    invocation.time().mark("predictions");
    Row counts =
        read(output)
            .agg(functions.count(functions.col("path")), functions.count(functions.col("error")))
            .first();
    output.receipt().addProperty("images", counts.getLong(0));
    output.receipt().addProperty("unreadable", counts.getLong(1));
    output.write();
    invocation.time().mark("counting");
    return true;
  }

  private int tasksDone() {
    int done = 0;
    for (int stage : cluster.context().statusTracker().getActiveStageIds()) {
      SparkStageInfo info = cluster.context().statusTracker().getStageInfo(stage);
      done += info == null ? 0 : info.numCompletedTasks();
    }
    return done;
  }

  private static void write(Dataset<Row> rows, Output output) {
    if (output.as() == SweepCommand.As.PARQUET) {
      rows.write().mode("append").parquet(output.out().toString());
      return;
    }
    rows.withColumn("probability", functions.format_string("%.9f", functions.col("probability")))
        .withColumn(
            "probability",
            functions.when(functions.col("class").isNotNull(), functions.col("probability")))
        .write()
        .mode("append")
        .option("header", true)
        .option("escape", "\"")
        .csv(output.out().toString());
  }

  private Dataset<Row> read(Output output) {
    return output.as() == SweepCommand.As.PARQUET
        ? cluster.session().read().parquet(output.out().toString())
        : cluster
            .session()
            .read()
            .schema(ImageJob.SCHEMA)
            .option("header", true)
            .option("escape", "\"")
            .option("multiLine", true)
            .csv(output.out().toString());
  }

  private JavaRDD<ImageJob.Image> images(Input input) {
    return switch (input.format()) {
      case BINARYFILE -> files(input);
      case PARQUET -> parquet(input);
      case SEQUENCE ->
          cluster
              .context()
              .sequenceFile(input.in().toString(), Text.class, BytesWritable.class)
              // Hadoop uses both objects again for the next pair.
              .map(pair -> new ImageJob.Image(pair._1().toString(), pair._2().copyBytes(), null));
    };
  }

  private JavaRDD<ImageJob.Image> parquet(Input input) {
    Dataset<Row> table = cluster.session().read().parquet(input.in().toString());
    StructType schema = table.schema();
    List<String> names = List.of(schema.fieldNames());
    if (!names.contains("path")
        || !names.contains("content")
        || !schema.apply("content").dataType().equals(DataTypes.BinaryType)) {
      throw new InputException(
          input.in()
              + " has the columns "
              + String.join(", ", names)
              + ", expected path and content, the bytes of an image file; rename them");
    }
    return table
        .select(functions.col("path").cast("string"), functions.col("content"))
        .javaRDD()
        .map(
            row ->
                row.isNullAt(1)
                    ? new ImageJob.Image(
                        row.getString(0), null, row.getString(0) + " has no content")
                    : new ImageJob.Image(row.getString(0), row.getAs(1), null));
  }

  /**
   * Files that executors open themselves: Spark's own source of binary files leaves out empty ones,
   * and makes a task for every few.
   */
  private JavaRDD<ImageJob.Image> files(Input input) {
    List<String> paths =
        input.files().below(input.in()).stream()
            .filter(path -> isImage(input.in(), path))
            .map(Path::toString)
            .sorted(Comparator.naturalOrder())
            .toList();
    if (paths.isEmpty()) {
      throw new UsageException(
          "--in " + input.in() + " holds no .png, .jpg or .jpeg file; name a folder that does");
    }
    int partitions =
        Math.max(
            1, Math.min(PARTITIONS_A_SLOT * cluster.slots(), paths.size() / FILES_A_PARTITION));
    TreeMap<String, String> settings = new TreeMap<>();
    for (Map.Entry<String, String> setting : cluster.hadoop()) {
      settings.put(setting.getKey(), setting.getValue());
    }
    Broadcast<TreeMap<String, String>> hadoop = cluster.context().broadcast(settings);
    return cluster
        .context()
        .parallelize(new ArrayList<>(paths), partitions)
        .mapPartitions(
            part -> {
              Configuration configuration = new Configuration();
              hadoop.value().forEach(configuration::set);
              Iterable<String> names = () -> part;
              return java.util.stream.StreamSupport.stream(names.spliterator(), false)
                  .map(path -> open(path, configuration))
                  .iterator();
            });
  }

  /** As predict takes the files of a folder: by their ending, none that is hidden. */
  private static boolean isImage(Path in, Path file) {
    String below = in.toUri().getPath();
    String path = file.toUri().getPath();
    String relative = path.startsWith(below) ? path.substring(below.length()) : path;
    for (String part : relative.split("/", -1)) {
      if (!part.isEmpty() && ImagePaths.isHidden(java.nio.file.Path.of(part))) {
        return false;
      }
    }
    return ImagePaths.hasEnding(java.nio.file.Path.of(file.getName()));
  }

  private static ImageJob.Image open(String name, Configuration configuration) {
    Path path = new Path(name);
    try (InputStream stream = path.getFileSystem(configuration).open(path)) {
      return new ImageJob.Image(name, stream.readNBytes(ImageFile.MAX_BYTES + 1), null);
    } catch (java.io.IOException e) {
      return new ImageJob.Image(name, null, name + " cannot be read: " + e.getMessage());
    }
  }
}
