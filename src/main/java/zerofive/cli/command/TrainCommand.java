package zerofive.cli.command;

import static zerofive.train.Settings.DEVICE;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.SCHEDULE;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Experiment;
import zerofive.cli.Invocation;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.DeviceOptions;
import zerofive.cli.option.TrainOptions;
import zerofive.cli.option.UsageException;
import zerofive.files.InputException;
import zerofive.files.OutputException;
import zerofive.report.console.EpochTable;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.run.Receipt;
import zerofive.run.RunFolder;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.Schedule;
import zerofive.train.Setting.Group;
import zerofive.train.Settings;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/** {@code train}: the main job. */
public final class TrainCommand implements Command {
  /** Of this command's options those that may stand beside --resume. */
  private static final Set<String> BESIDE_RESUME =
      Set.of("resume", EPOCHS.name(), "json", "quiet", "verbose");

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
            + " confusion.csv, receipt.json (what is needed to reproduce the run) and"
            + " checkpoint.safetensors, which --resume starts from.",
        "Ctrl-C and SIGTERM save a checkpoint first. A run that was killed is resumed with --resume and"
            + " ends with the same bits on the same device. With one seed and one device the"
            + " number of threads changes no bit.");
  }

  @Override
  public Options options() {
    Options options = TrainOptions.options(Settings.ALL);
    options.addOption(
        Arguments.option(
            "resume",
            "RUN",
            "resume a run folder; with it only --epochs and the device's options"));
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
      if (!BESIDE_RESUME.contains(option.getLongOpt())
          && !Settings.isOption(Group.DEVICE, option.getLongOpt())) {
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
    TrainOptions options = TrainOptions.of(arguments).checked();
    Optional<Path> out = arguments.path("out");
    out.ifPresent(RunFolder::checkFree);
    Experiment experiment = Experiment.prepare(options, invocation);
    experiment.describe(invocation.terminal());
    try (StopSignal stop = TrainingJob.listen(invocation.terminal());
        RunFolder folder = Invocation.newFolder(out, experiment.recipe().get(MODEL))) {
      TrainingJob job = TrainingJob.begin(experiment, folder);
      return run(job, experiment, folder, stop, invocation);
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
      Optional<Recipe> unfinished = unfinished(folder, arguments, terminal);
      if (unfinished.isEmpty()) {
        return ExitCode.DONE;
      }
      Recipe recipe = unfinished.get();
      warnOfStretching(folder.config(), recipe, terminal);
      noteFormerSettings(folder, terminal);
      Experiment experiment = Experiment.resume(folder, recipe, invocation);
      experiment.describe(terminal);
      TrainingJob job = resume(experiment, folder, terminal);
      if (!folder.formerColumns().isEmpty()) {
        terminal.info(
            "note     ",
            "metrics.csv has columns of --statistics, an option that has left; they stay, and are"
                + " empty in the rows that are added");
      }
      terminal.info(
          "resumed  ", "after epoch " + job.history().size() + " of " + recipe.get(EPOCHS));
      return run(job, experiment, folder, stop, invocation);
    }
  }

  private static TrainingJob resume(Experiment experiment, RunFolder folder, Terminal terminal) {
    try {
      return TrainingJob.resume(experiment, folder, terminal);
    } catch (OutputException e) {
      throw folder.resumable(e, Invocation.resume(folder.path()));
    }
  }

  /**
   * The run's settings with what is asked for anew; none, and a line that says so, where it is
   * done.
   */
  private static Optional<Recipe> unfinished(
      RunFolder folder, Arguments arguments, Terminal terminal) {
    Recipe recipe = resumed(folder.config(), folder, arguments);
    Receipt receipt = Receipt.read(folder.receipt());
    Optional<Receipt.Ending> ending =
        receipt
            .ending(folder.model())
            .filter(end -> end.stoppedEarly() || end.trainedEpochs() == recipe.get(EPOCHS));
    if (ending.isEmpty()) {
      return Optional.of(recipe);
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
      terminal.json(RunJson.of(folder, recipe, backend, history, end.epoch(), null));
    }
    return Optional.empty();
  }

  /** Once: the settings are written anew without them. */
  private static void noteFormerSettings(RunFolder folder, Terminal terminal) {
    List<String> former = folder.formerSettings();
    if (!former.isEmpty()) {
      terminal.info(
          "note     ",
          "config.json sets "
              + String.join(" and ", former)
              + ", which can no longer be chosen: ignored, since it changes no bit of a result");
    }
  }

  private static void warnOfStretching(Recipe saved, Recipe recipe, Terminal terminal) {
    if (!recipe.get(EPOCHS).equals(saved.get(EPOCHS))
        && recipe.get(SCHEDULE) != Schedule.CONSTANT) {
      terminal.error(
          "zerofive: warning: the schedule "
              + recipe.get(SCHEDULE)
              + " is stretched from "
              + saved.get(EPOCHS)
              + " to "
              + recipe.get(EPOCHS)
              + " epochs, so the run ends with other bits than one of that length");
    }
  }

  /** The run's settings with what may be asked for anew. */
  private static Recipe resumed(Recipe saved, RunFolder folder, Arguments arguments) {
    DeviceOptions.recipe(Recipe.DEFAULTS, arguments);
    if (!arguments.has(DEVICE) && !DeviceRequest.isName(saved.get(DEVICE))) {
      throw new InputException(
          folder.path()
              + ": its config.json names an unknown device '"
              + saved.get(DEVICE)
              + "'; name one with --device");
    }
    int epochs = arguments.get(EPOCHS).orElse(saved.get(EPOCHS));
    if (epochs < saved.get(EPOCHS)) {
      throw new UsageException(
          "--epochs "
              + epochs
              + " is less than the "
              + saved.get(EPOCHS)
              + " the run was made for; name as many or more");
    }
    Recipe recipe = arguments.recipe(saved, DeviceOptions.SETTINGS);
    DeviceOptions.checkExact(recipe, arguments);
    return recipe
        .with(EPOCHS, epochs)
        .mapDeviceSettings((name, value) -> checkedSetting(folder, name, value));
  }

  private static String checkedSetting(RunFolder folder, String name, String value) {
    try {
      return Backends.setting(name, value);
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
      Experiment experiment,
      RunFolder folder,
      StopSignal stop,
      Invocation invocation) {
    Recipe recipe = experiment.recipe();
    Terminal terminal = invocation.terminal();
    invocation.time().mark("device");
    terminal.info("run      " + folder.path());
    terminal.info("");
    terminal.result(EpochTable.header());
    Trainer.Outcome outcome;
    try {
      outcome = job.run(stop, invocation, row -> terminal.result(EpochTable.row(row)));
    } catch (OutputException e) {
      throw folder.resumable(e, Invocation.resume(folder.path()));
    }
    if (outcome.interrupted()) {
      terminal.error(
          "zerofive: stopped after epoch "
              + outcome.history().size()
              + ", which is saved; resume with: "
              + Invocation.resume(folder.path()));
      return ExitCode.INTERRUPTED;
    }
    terminal.result("");
    summary(recipe, outcome, terminal);
    invocation.printTime();
    terminal.result("run      " + folder.path());
    terminal.result(
        "         ",
        "report.html, "
            + (recipe.get(EARLY_STOP) > 0
                ? "model.safetensors (of epoch " + outcome.selected().orElseThrow().epoch() + ")"
                : "model.safetensors")
            + ", metrics.csv, accuracy.svg, loss.svg, confusion.csv, the receipt");
    invocation.noteContainer(folder.path());
    if (terminal.answersInJson()) {
      terminal.json(
          RunJson.of(
              folder,
              recipe,
              experiment.backend().name(),
              outcome.history(),
              outcome.selected().orElseThrow().epoch(),
              invocation.time().phases()));
    }
    return ExitCode.DONE;
  }

  private static void summary(Recipe recipe, Trainer.Outcome outcome, Terminal terminal) {
    List<EpochRecord> history = outcome.history();
    EpochRecord selected = outcome.selected().orElseThrow();
    EpochRecord best =
        history.stream().min(Comparator.comparingInt(EpochRecord::errors)).orElseThrow();
    if (recipe.get(EARLY_STOP) == 0) {
      terminal.emphasised("final    " + describe(selected));
    } else {
      if (history.size() < recipe.get(EPOCHS)) {
        terminal.result(
            "stopped  after epoch "
                + history.size()
                + ": no lower validation loss for "
                + Format.plural(recipe.get(EARLY_STOP), "epoch"));
      }
      terminal.emphasised(
          "kept     "
              + describe(selected)
              + String.format(
                  Locale.ROOT, ", validation loss %.6f, the lowest", selected.validLoss()));
    }
    terminal.result("best     " + describe(best));
  }

  private static String describe(EpochRecord row) {
    return Format.plural(row.errors(), "error")
        + " after epoch "
        + row.epoch()
        + ", accuracy "
        + Format.percent(row.accuracy());
  }
}
