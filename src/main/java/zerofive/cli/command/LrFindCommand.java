package zerofive.cli.command;

import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.SCHEDULE;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
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
import zerofive.cli.option.TrainOptions;
import zerofive.files.AtomicFile;
import zerofive.report.chart.LearningRateChart;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.run.RunFolder;
import zerofive.study.LearningRateFinder;
import zerofive.study.LearningRateFinder.Point;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;

/** {@code lr-find}: a sweep of the learning rate, its curve and a suggestion. */
final class LrFindCommand implements Command {
  private static final String CSV = "lr-find.csv";
  private static final String SVG = "lr-find.svg";

  /** A sweep has no use for what is left out. */
  private static final List<Setting<?>> SETTINGS =
      Settings.without(EnumSet.of(Group.RUN), LEARNING_RATE, SCHEDULE, EPOCHS, EARLY_STOP);

  /** One row in so many is shown; lr-find.csv has all. */
  private static final int SHOWN_EVERY = 10;

  @Override
  public String name() {
    return "lr-find";
  }

  @Override
  public String summary() {
    return "a learning-rate sweep, its curve and a suggestion";
  }

  @Override
  public String example() {
    return "zerofive lr-find --optimizer adam --model mlp:128";
  }

  @Override
  public List<String> details() {
    return List.of(
        "From the first weights, mini-batch after mini-batch, the learning rate grows tenfold every"
            + " twenty steps from 0.000001 to 10, and ends where the smoothed loss is four times"
            + " the lowest. The suggestion is the rate at which it falls fastest; a tenth of the"
            + " minimum's rate and the middle of the longest fall (fast.ai's valley) stand beside"
            + " it.");
  }

  @Override
  public Options options() {
    Options options = TrainOptions.options(SETTINGS);
    options.addOption(
        Arguments.option(
            "out", "DIR", "for " + CSV + " and " + SVG + " (default: runs/TIME-lr-find)"));
    return options.addOption(Arguments.flag("json", "print one JSON object"));
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    Terminal terminal = invocation.terminal();
    if (arguments.has("json")) {
      terminal.answerInJson();
    }
    TrainOptions options = TrainOptions.of(arguments).checked();
    Optional<Path> out = arguments.path("out");
    out.ifPresent(RunFolder::checkFree);
    Experiment experiment = Experiment.prepare(options, invocation);
    experiment.describe("lr from 0.000001 to 10", "", terminal);
    experiment.describeDevice(terminal);
    terminal.info("");
    List<Point> points =
        LearningRateFinder.sweep(
            experiment.recipe(), experiment.data(), experiment.initial(), experiment.backend());
    try (RunFolder folder = Invocation.newFolder(out, name())) {
      String title = "learning rates for " + experiment.title();
      write(folder, Map.of(CSV, csv(points), SVG, LearningRateChart.of(title, points)));
      print(points, folder, invocation);
      if (terminal.answersInJson()) {
        terminal.json(result(points, folder));
      }
    }
    return ExitCode.DONE;
  }

  /** Where they cannot be written, nothing of them stays. */
  private static void write(RunFolder folder, Map<String, String> texts) {
    try {
      AtomicFile.write(folder.path(), texts);
    } catch (RuntimeException | Error e) {
      folder.abandon(CSV, SVG);
      throw e;
    }
  }

  private static void print(List<Point> points, RunFolder folder, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    terminal.result(String.format(Locale.ROOT, "%9s  %10s  %10s", "lr", "loss", "smoothed"));
    for (int i = 0; i < points.size(); i += SHOWN_EVERY) {
      Point point = points.get(i);
      terminal.result(
          String.format(
              Locale.ROOT,
              "%9s  %10.6f  %10.6f",
              Format.significant(point.rate()),
              point.loss(),
              point.smoothed()));
    }
    String steepest = Format.significant(LearningRateFinder.steepest(points));
    terminal.result("");
    terminal.emphasised(
        "steepest " + steepest + ", where the smoothed loss falls fastest: the suggestion");
    terminal.result(
        "minimum  "
            + Format.significant(LearningRateFinder.tenthOfMinimum(points))
            + ", a tenth of the rate with the lowest smoothed loss");
    terminal.result(
        "valley   "
            + Format.significant(LearningRateFinder.valley(points))
            + ", the middle of the longest fall");
    terminal.result("try      " + Invocation.command(trainArguments(invocation, steepest)));
    terminal.result("curve    " + folder.file(SVG));
  }

  /** The same command line for train, with the rate. */
  private static List<String> trainArguments(Invocation invocation, String rate) {
    List<String> given = invocation.arguments();
    List<String> arguments = new ArrayList<>(List.of("train"));
    for (int i = 1; i < given.size(); i++) {
      String argument = given.get(i);
      if (argument.equals("--out")) {
        i++;
      } else if (!argument.startsWith("--out=") && !argument.matches("--(json|quiet|verbose)")) {
        arguments.add(argument);
      }
    }
    arguments.addAll(List.of("--lr", rate));
    return arguments;
  }

  private static String csv(List<Point> points) {
    StringBuilder csv = new StringBuilder("lr,loss,smoothed_loss\n");
    for (Point point : points) {
      csv.append(
          String.format(
              Locale.ROOT, "%.9g,%.9g,%.9g\n", point.rate(), point.loss(), point.smoothed()));
    }
    return csv.toString();
  }

  /** What {@code --json} prints. */
  private record Result(
      double suggestion,
      double valley,
      double steepest,
      double minimumTenth,
      String csv,
      String svg,
      List<Row> points) {}

  private record Row(double lr, double loss, double smoothedLoss) {}

  private static Result result(List<Point> points, RunFolder folder) {
    return new Result(
        LearningRateFinder.steepest(points),
        LearningRateFinder.valley(points),
        LearningRateFinder.steepest(points),
        LearningRateFinder.tenthOfMinimum(points),
        folder.file(CSV).toString(),
        folder.file(SVG).toString(),
        points.stream()
            .map(point -> new Row(point.rate(), point.loss(), point.smoothed()))
            .toList());
  }
}
