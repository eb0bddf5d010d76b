package zerofive.cli.command;

import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.EPOCHS;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import zerofive.backend.Arithmetic;
import zerofive.cli.Experiment;
import zerofive.cli.Invocation;
import zerofive.cli.PhaseTimer;
import zerofive.data.DataSet;
import zerofive.files.AtomicFile;
import zerofive.files.OutputException;
import zerofive.files.Sha256;
import zerofive.report.chart.HistoryCharts;
import zerofive.report.console.ConfusionMatrix;
import zerofive.report.console.Progress;
import zerofive.report.console.Terminal;
import zerofive.report.page.RunReport;
import zerofive.run.Receipt;
import zerofive.run.RunFolder;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/** One training with all that belongs to it: receipt, progress, model file, pictures. */
final class TrainingJob {
  private static final String REPORT = "report.html";

  private final Experiment experiment;
  private final Recipe recipe;
  private final DataSet data;
  private final RunFolder folder;
  private final Trainer trainer;
  private final Receipt receipt;

  private TrainingJob(Experiment experiment, RunFolder folder, Trainer trainer, Receipt receipt) {
    this.experiment = experiment;
    recipe = experiment.recipe();
    data = experiment.data();
    this.folder = folder;
    this.trainer = trainer;
    this.receipt = receipt;
  }

  /** A new run; where it cannot be begun, nothing of it stays. */
  static TrainingJob begin(Experiment experiment, RunFolder folder) {
    try {
      Receipt receipt = Receipt.begin(folder.receipt(), experiment.data(), experiment.recipe());
      receipt.add(experiment.session(), experiment.recipe(), 0);
      Trainer trainer =
          Trainer.begin(experiment.recipe(), experiment.data(), folder, experiment.initial());
      return new TrainingJob(experiment, folder, trainer, receipt);
    } catch (RuntimeException | Error e) {
      folder.abandon();
      throw e;
    }
  }

  /** A run that is resumed; warns where other bits may come out than without the interruption. */
  static TrainingJob resume(Experiment experiment, RunFolder folder, Terminal terminal) {
    Receipt receipt = Receipt.read(folder.receipt());
    receipt.checkData(experiment.data());
    Trainer trainer = Trainer.resume(experiment.recipe(), experiment.data(), folder);
    receipt.latest().ifPresent(before -> warn(before, trainer, experiment, terminal));
    receipt.add(experiment.session(), experiment.recipe(), trainer.history().size());
    delete(folder.model());
    delete(folder.file(REPORT));
    return new TrainingJob(experiment, folder, trainer, receipt);
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }

  /** Says where other bits may come out than without the interruption. */
  private static void warn(
      Receipt.Session before, Trainer trainer, Experiment experiment, Terminal terminal) {
    Optional<Integer> now = experiment.recipe().get(ARITHMETIC);
    if (trainer.arithmeticBefore().equals(now) || trainer.history().isEmpty()) {
      warn(before, experiment, terminal);
      return;
    }
    terminal.info(
        "note     ",
        "the run was computed with "
            + Arithmetic.describe(trainer.arithmeticBefore())
            + ", by "
            + describe(before)
            + ", and is resumed with "
            + Arithmetic.describe(now)
            + ", by "
            + describe(experiment.session())
            + ": its bits will be those of neither alone; both stand in its receipt, and verify"
            + " cannot compare it");
  }

  /**
   * Says where other bits may come out than from one program on one device. Devices with the same
   * arithmetic compute the same bits.
   */
  static void warn(Receipt.Session before, Experiment experiment, Terminal terminal) {
    Receipt.Session now = experiment.session();
    if (experiment.recipe().get(ARITHMETIC).isPresent()) {
      return;
    }
    if (!before.program().equals(now.program())
        || !before.backend().equals(now.backend())
        || !before.device().equals(now.device())) {
      terminal.error(
          "zerofive: warning: the run was computed by "
              + describe(before)
              + ", resumed with "
              + describe(now)
              + "; the same bits are promised on the same device and version only");
    }
  }

  private static String describe(Receipt.Session session) {
    return session.program() + " on " + session.backend() + " (" + session.device() + ")";
  }

  /** Listens for Ctrl-C and SIGTERM; install it before the run folder is begun. */
  static StopSignal listen(Terminal terminal) {
    return StopSignal.install(
        () -> terminal.error("zerofive: stopping as soon as the epoch under way is saved ..."),
        () ->
            terminal.fatal(
                "zerofive: stopped without the epoch under way, which takes too long to wait for; a"
                    + " run that has begun can be resumed from its last checkpoint"));
  }

  /** Epochs finished before this job. */
  List<EpochRecord> history() {
    return trainer.history();
  }

  /** Trains to the end or to a signal, and writes the results; and where the time went. */
  Trainer.Outcome run(StopSignal stop, Invocation invocation, Consumer<EpochRecord> eachEpoch) {
    int before = trainer.history().size();
    Trainer.Outcome outcome;
    try (Progress progress =
        invocation.terminal().progress("training", recipe.get(EPOCHS) - before)) {
      outcome =
          trainer.train(
              experiment.backend(),
              stop,
              row -> {
                eachEpoch.accept(row);
                progress.step();
              });
    }
    List<EpochRecord> done = outcome.history().subList(before, outcome.history().size());
    invocation.time().split("device", outcome.setUpNanos() / 1e9);
    invocation.time().split("training", done.stream().mapToDouble(EpochRecord::trainSeconds).sum());
    invocation
        .time()
        .split("validation", done.stream().mapToDouble(EpochRecord::validSeconds).sum());
    if (!outcome.interrupted()) {
      writeResults(outcome, invocation.time());
    }
    invocation.time().mark("report");
    return outcome;
  }

  /** The receipt's result is written last: a run that has it has everything. */
  private void writeResults(Trainer.Outcome outcome, PhaseTimer time) {
    outcome.model(recipe, data).write(folder.model());
    ConfusionMatrix confusion = ConfusionMatrix.of(data.classes(), data.valid(), outcome.logits());
    String title = experiment.title();
    List<EpochRecord> history = outcome.history();
    EpochRecord selected = outcome.selected().orElseThrow();
    String modelSha256 = Sha256.of(folder.model());
    RunReport report =
        new RunReport(
            title,
            recipe,
            data,
            outcome,
            receipt,
            modelSha256,
            time.phases(),
            Invocation.reproduceCommand(recipe));
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("confusion.csv", confusion.toCsv());
    texts.put("accuracy.svg", HistoryCharts.accuracy(title, history, selected));
    texts.put("loss.svg", HistoryCharts.loss(title, history, selected));
    texts.put(REPORT, report.toHtml());
    AtomicFile.write(folder.path(), texts);
    receipt.finish(selected, history.size(), history.size() < recipe.get(EPOCHS), modelSha256);
  }
}
