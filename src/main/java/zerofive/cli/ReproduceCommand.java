package zerofive.cli;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.SEED;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.data.AtomicFile;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.model.Initializer;
import zerofive.report.DataText;
import zerofive.report.HistoryCharts;
import zerofive.report.LineChart;
import zerofive.report.Terminal;
import zerofive.report.Text;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.RunFolder;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/**
 * {@code reproduce}: the notebook's experiment, beside the figures it published (github
 * AbeRodz/Cyberlabs-MNIST-Challenge). The notebook counts epochs from 0, this program from 1.
 */
final class ReproduceCommand implements Command {
  private static final float SCRATCH_RATE = 1f;
  private static final int SCRATCH_EPOCHS = 21;
  private static final double UNPUBLISHED = Double.NaN;

  /** What the notebook printed of one epoch, counted from 0 as it does. */
  private record Published(int epoch, double validLoss, double accuracy) {}

  private static final List<Published> NET =
      List.of(
          new Published(0, 0.497408, 0.476496),
          new Published(5, 0.105144, 0.925214),
          new Published(10, 0.043186, 0.970620),
          new Published(20, 0.022421, 0.983440),
          new Published(30, 0.017073, 0.987714),
          new Published(39, 0.014815, 0.988782));

  private static final List<Published> LINEAR =
      List.of(
          new Published(0, 0.494991, 0.476496),
          new Published(5, 0.108509, 0.940171),
          new Published(10, 0.054124, 0.971688),
          new Published(20, 0.032799, 0.981303),
          new Published(30, 0.026422, 0.983440),
          new Published(39, 0.023471, 0.984509));

  /** Of the model from scratch the notebook published the last accuracy alone, to three digits. */
  private static final List<Published> SCRATCH =
      List.of(
          new Published(0, UNPUBLISHED, UNPUBLISHED),
          new Published(10, UNPUBLISHED, UNPUBLISHED),
          new Published(20, UNPUBLISHED, 0.977));

  /** One of the three models. */
  private record Experiment(
      String title, String folder, Recipe config, List<Published> published) {}

  @Override
  public String name() {
    return "reproduce";
  }

  @Override
  public String summary() {
    return "the notebook's three models, beside the figures it published";
  }

  @Override
  public String example() {
    return "zerofive reproduce --seed 1";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(Arguments.option(SEED.withHelp("of the initial weights")));
    DeviceOptions.addTo(options);
    options.addOption(
        Arguments.option("out", "DIR", "new or empty folder (default: runs/TIME-reproduce)"));
    options.addOption(
        Arguments.flag(
            "json", "print one JSON object at the end; the table goes to standard error"));
    return options;
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    Terminal terminal = invocation.terminal();
    if (arguments.has("json")) {
      terminal.answerInJson();
    }
    Recipe net =
        DeviceOptions.recipe(Preset.NOTEBOOK.recipe(), arguments)
            .with(SEED, arguments.getOrDefault(SEED));
    DeviceOptions deviceOptions = DeviceOptions.of(net);
    invocation.time().mark("start-up");
    Backends.Choice device = Backends.choose(deviceOptions);
    invocation.time().mark("device");
    Optional<Path> out = arguments.path("out");
    out.ifPresent(RunFolder::checkFree);
    Recipe linear = net.with(MODEL, "linear");
    Recipe scratch =
        linear
            .with(INITIALIZER, Initializer.NORMAL)
            .with(LEARNING_RATE, SCRATCH_RATE)
            .with(EPOCHS, SCRATCH_EPOCHS);
    DataSet data = DataSets.load(net.get(DATA), net.get(CLASSES));
    invocation.time().mark("data");
    terminal.note("data     ", DataText.describe(data));
    deviceOptions.note(device, terminal);
    List<Experiment> experiments =
        List.of(
            new Experiment("linear model from scratch", "scratch", scratch, SCRATCH),
            new Experiment("linear model", "linear", linear, LINEAR),
            new Experiment("simple net", "net", net, NET));
    List<List<EpochRecord>> histories = new ArrayList<>();
    try (StopSignal stop = TrainingJob.listen(terminal);
        RunFolder folder =
            out.map(RunFolder::create)
                .orElseGet(
                    () ->
                        RunFolder.createNumbered(
                            TrainCommand.RUNS, TrainCommand.name("reproduce")))) {
      for (Experiment experiment : experiments) {
        Trainer.Outcome outcome;
        try {
          outcome = train(experiment, folder, data, device, stop, invocation);
        } catch (RuntimeException | Error e) {
          folder.abandon();
          throw e;
        }
        if (outcome.interrupted()) {
          return ExitCode.INTERRUPTED;
        }
        histories.add(outcome.history());
        print(experiment, outcome.history(), terminal);
      }
      AtomicFile.write(folder.file("accuracy.svg"), chart(histories.get(2), histories.get(1)));
      invocation.time().mark("report");
      terminal.result("");
      invocation.printTime();
      terminal.result("picture  " + folder.file("accuracy.svg"));
      terminal.result("runs     " + folder.path() + ", one folder a model");
      if (terminal.answersInJson()) {
        terminal.json(json(experiments, histories, folder, invocation));
      }
      return ExitCode.DONE;
    }
  }

  private static Trainer.Outcome train(
      Experiment experiment,
      RunFolder parent,
      DataSet data,
      Backends.Choice device,
      StopSignal stop,
      Invocation invocation) {
    Recipe config = experiment.config();
    try (RunFolder folder = RunFolder.create(parent.file(experiment.folder()))) {
      TrainingJob job =
          TrainingJob.begin(
              config,
              data,
              folder,
              config.initial(config.architecture(data.train().imageSize())),
              TrainingJob.session(device, invocation));
      invocation.time().mark("device");
      Trainer.Outcome outcome = job.run(device.backend(), stop, invocation, row -> {});
      if (outcome.interrupted()) {
        invocation
            .terminal()
            .complain(
                "zerofive: stopped after epoch "
                    + outcome.history().size()
                    + " of the "
                    + experiment.title()
                    + "; finish that model with: "
                    + Invocation.resume(folder.path()));
      }
      return outcome;
    }
  }

  private static void print(Experiment experiment, List<EpochRecord> history, Terminal terminal) {
    EpochRecord last = history.get(history.size() - 1);
    terminal.result("");
    terminal.emphasised(
        experiment.title()
            + ": "
            + Text.plural(last.errors(), "error")
            + " after "
            + Text.plural(last.epoch(), "epoch"));
    terminal.result(
        String.format(
            Locale.ROOT,
            "%5s  %8s  %10s  %10s  %8s  %9s  %6s",
            "epoch",
            "notebook",
            "valid_loss",
            "published",
            "accuracy",
            "published",
            "errors"));
    for (Published published : experiment.published()) {
      EpochRecord ours = history.get(published.epoch());
      terminal.result(
          String.format(
              Locale.ROOT,
              "%5d  %8d  %10.6f  %10s  %8.6f  %9s  %6d",
              ours.epoch(),
              published.epoch(),
              ours.validLoss(),
              figure(published.validLoss()),
              ours.accuracy(),
              figure(published.accuracy()),
              ours.errors()));
    }
  }

  private static JsonObject json(
      List<Experiment> experiments,
      List<List<EpochRecord>> histories,
      RunFolder folder,
      Invocation invocation) {
    JsonArray models = new JsonArray();
    for (int i = 0; i < experiments.size(); i++) {
      Experiment experiment = experiments.get(i);
      JsonArray rows = new JsonArray();
      for (Published published : experiment.published()) {
        JsonObject row = RunJson.epoch(histories.get(i).get(published.epoch()));
        row.addProperty("notebook_epoch", published.epoch());
        row.add("published_valid_loss", RunJson.finiteOrNull(published.validLoss()));
        row.add("published_accuracy", RunJson.finiteOrNull(published.accuracy()));
        rows.add(row);
      }
      JsonObject model = new JsonObject();
      model.addProperty("title", experiment.title());
      model.addProperty("run", folder.file(experiment.folder()).toString());
      model.add("epochs", rows);
      models.add(model);
    }
    JsonObject json = new JsonObject();
    json.addProperty("run", folder.path().toString());
    json.add("models", models);
    json.add("seconds", RunJson.seconds(invocation.time()));
    return json;
  }

  private static String figure(double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.6f", value);
  }

  private static String chart(List<EpochRecord> net, List<EpochRecord> linear) {
    LineChart chart =
        new LineChart("0 vs 5: the notebook's experiment, validation accuracy", "epoch");
    chart.line(
        "simple net", HistoryCharts.epochs(net), HistoryCharts.values(net, EpochRecord::accuracy));
    chart.line(
        "linear model",
        HistoryCharts.epochs(linear),
        HistoryCharts.values(linear, EpochRecord::accuracy));
    addPublished(chart, "net, published", NET, 0);
    addPublished(chart, "linear, published", LINEAR, 1);
    return chart.toSvg();
  }

  private static void addPublished(
      LineChart chart, String name, List<Published> published, int like) {
    chart.points(
        name,
        published.stream().mapToDouble(figure -> figure.epoch() + 1).toArray(),
        published.stream().mapToDouble(Published::accuracy).toArray(),
        like);
  }
}
