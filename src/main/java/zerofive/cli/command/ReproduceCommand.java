package zerofive.cli.command;

import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.SEED;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Experiment;
import zerofive.cli.Invocation;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.DeviceOptions;
import zerofive.cli.option.Preset;
import zerofive.cli.option.TrainOptions;
import zerofive.files.AtomicFile;
import zerofive.files.OutputException;
import zerofive.model.Initializer;
import zerofive.report.chart.HistoryCharts;
import zerofive.report.chart.LineChart;
import zerofive.report.console.DataText;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.run.RunFolder;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
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
  private record Model(String title, String folder, Recipe recipe, List<Published> published) {}

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
    Optional<Path> out = arguments.path("out");
    out.ifPresent(RunFolder::checkFree);
    Experiment experiment =
        Experiment.prepare(new TrainOptions(net.get(DATA), net, Optional.empty()), invocation);
    Recipe linear = net.with(MODEL, "linear");
    Recipe scratch =
        linear
            .with(INITIALIZER, Initializer.NORMAL)
            .with(LEARNING_RATE, SCRATCH_RATE)
            .with(EPOCHS, SCRATCH_EPOCHS);
    terminal.info("data     ", DataText.describe(experiment.data()));
    experiment.describeDevice(terminal);
    List<Model> models =
        List.of(
            new Model("linear model from scratch", "scratch", scratch, SCRATCH),
            new Model("linear model", "linear", linear, LINEAR),
            new Model("simple net", "net", net, NET));
    List<List<EpochRecord>> histories = new ArrayList<>();
    try (StopSignal stop = TrainingJob.listen(terminal);
        RunFolder folder = Invocation.newFolder(out, name())) {
      for (Model model : models) {
        Trainer.Outcome outcome;
        try {
          outcome = train(model, experiment.with(model.recipe()), folder, stop, invocation);
        } catch (RuntimeException | Error e) {
          folder.abandon();
          throw e;
        }
        if (outcome.interrupted()) {
          return ExitCode.INTERRUPTED;
        }
        histories.add(outcome.history());
        print(model, outcome.history(), terminal);
      }
      AtomicFile.write(folder.file("accuracy.svg"), chart(histories.get(2), histories.get(1)));
      invocation.time().mark("report");
      terminal.result("");
      invocation.printTime();
      terminal.result("picture  " + folder.file("accuracy.svg"));
      terminal.result("runs     " + folder.path() + ", one folder a model");
      invocation.noteContainer(folder.path());
      if (terminal.answersInJson()) {
        terminal.json(result(models, histories, folder, invocation));
      }
      return ExitCode.DONE;
    }
  }

  private static Trainer.Outcome train(
      Model model,
      Experiment experiment,
      RunFolder parent,
      StopSignal stop,
      Invocation invocation) {
    try (RunFolder folder = RunFolder.create(parent.file(model.folder()))) {
      TrainingJob job = TrainingJob.begin(experiment, folder);
      invocation.time().mark("device");
      Trainer.Outcome outcome;
      try {
        outcome = job.run(stop, invocation, row -> {});
      } catch (OutputException e) {
        throw folder.resumable(e, Invocation.resume(folder.path()));
      }
      if (outcome.interrupted()) {
        invocation
            .terminal()
            .error(
                "zerofive: stopped after epoch "
                    + outcome.history().size()
                    + " of the "
                    + model.title()
                    + "; finish that model with: "
                    + Invocation.resume(folder.path()));
      }
      return outcome;
    }
  }

  private static void print(Model model, List<EpochRecord> history, Terminal terminal) {
    EpochRecord last = history.get(history.size() - 1);
    terminal.result("");
    terminal.emphasised(
        model.title()
            + ": "
            + Format.plural(last.errors(), "error")
            + " after "
            + Format.plural(last.epoch(), "epoch"));
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
    for (Published published : model.published()) {
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

  /** What {@code --json} prints. */
  private record Result(String run, List<Trained> models, Map<String, Double> seconds) {}

  private record Trained(String title, String run, List<Row> epochs) {
    static Trained of(Model model, List<EpochRecord> history, RunFolder folder) {
      return new Trained(
          model.title(),
          folder.file(model.folder()).toString(),
          model.published().stream()
              .map(published -> Row.of(published, history.get(published.epoch())))
              .toList());
    }
  }

  private record Row(
      int epoch,
      double trainLoss,
      double validLoss,
      double accuracy,
      int errors,
      int notebookEpoch,
      double publishedValidLoss,
      double publishedAccuracy) {
    static Row of(Published published, EpochRecord row) {
      RunJson.Epoch ours = RunJson.Epoch.of(row);
      return new Row(
          ours.epoch(),
          ours.trainLoss(),
          ours.validLoss(),
          ours.accuracy(),
          ours.errors(),
          published.epoch(),
          published.validLoss(),
          published.accuracy());
    }
  }

  private static Result result(
      List<Model> models,
      List<List<EpochRecord>> histories,
      RunFolder folder,
      Invocation invocation) {
    List<Trained> trained = new ArrayList<>();
    for (int i = 0; i < models.size(); i++) {
      trained.add(Trained.of(models.get(i), histories.get(i), folder));
    }
    return new Result(folder.path().toString(), trained, invocation.time().phases());
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
