package zerofive.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import zerofive.backend.Backend;
import zerofive.backend.Scorer;
import zerofive.data.AtomicFile;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.OutputException;
import zerofive.model.Architecture;
import zerofive.model.ModelFile;
import zerofive.model.Parameters;
import zerofive.report.ConfusionMatrix;
import zerofive.report.HistoryCharts;
import zerofive.report.Progress;
import zerofive.report.Terminal;
import zerofive.report.Text;
import zerofive.report.TimeSpent;
import zerofive.train.EpochRecord;
import zerofive.train.Receipt;
import zerofive.train.RunConfig;
import zerofive.train.RunFolder;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/** One training with all that belongs to it: receipt, progress, model file, pictures. */
final class TrainingJob {
  private static final String RECEIPT = "receipt.json";

  private final RunConfig config;
  private final DataSet data;
  private final RunFolder folder;
  private final Trainer trainer;
  private final Receipt receipt;

  private TrainingJob(
      RunConfig config, DataSet data, RunFolder folder, Trainer trainer, Receipt receipt) {
    this.config = config;
    this.data = data;
    this.folder = folder;
    this.trainer = trainer;
    this.receipt = receipt;
  }

  /** A new run. */
  static TrainingJob begin(
      RunConfig config,
      DataSet data,
      RunFolder folder,
      Parameters initial,
      Receipt.Session session) {
    Receipt receipt = Receipt.begin(folder.file(RECEIPT), data, config.seed());
    receipt.add(session, 0);
    return new TrainingJob(
        config, data, folder, Trainer.begin(config, data, folder, initial), receipt);
  }

  /** A run that goes on; warns where other bits may come out than without the interruption. */
  static TrainingJob resume(
      RunConfig config,
      DataSet data,
      RunFolder folder,
      Receipt.Session session,
      Terminal terminal) {
    Receipt receipt = Receipt.read(folder.file(RECEIPT));
    receipt.checkData(data);
    Trainer trainer = Trainer.resume(config, data, folder);
    receipt
        .latest()
        .filter(
            before ->
                !before.program().equals(session.program())
                    || !before.backend().equals(session.backend())
                    || !before.device().equals(session.device()))
        .ifPresent(
            before ->
                terminal.complain(
                    "zerofive: warning: the run was computed by "
                        + before.program()
                        + " on "
                        + before.backend()
                        + " ("
                        + before.device()
                        + ") and goes on with "
                        + session.program()
                        + " on "
                        + session.backend()
                        + " ("
                        + session.device()
                        + "); the same bits are promised on the same device and version only"));
    if (trainer.history().size() < config.epochs()) {
      receipt.add(session, trainer.history().size());
    }
    return new TrainingJob(config, data, folder, trainer, receipt);
  }

  /** Epochs finished before this job. */
  List<EpochRecord> history() {
    return trainer.history();
  }

  /**
   * Trains to the end or to a signal, and writes the results.
   *
   * @param whenInterrupted told, before the process ends, after which epoch a signal stopped it
   */
  Trainer.Outcome run(
      Backend backend,
      Terminal terminal,
      TimeSpent time,
      Consumer<EpochRecord> eachEpoch,
      Consumer<Integer> whenInterrupted) {
    int before = trainer.history().size();
    try (StopSignal stop = StopSignal.install()) {
      Trainer.Outcome outcome;
      try (Progress progress = terminal.progress("training", config.epochs() - before)) {
        outcome =
            trainer.train(
                backend,
                stop,
                row -> {
                  eachEpoch.accept(row);
                  progress.step();
                });
      }
      List<EpochRecord> done = outcome.history().subList(before, outcome.history().size());
      time.split("device", outcome.setUpNanos() / 1e9);
      time.split("training", done.stream().mapToDouble(EpochRecord::trainSeconds).sum());
      time.split("validation", done.stream().mapToDouble(EpochRecord::validSeconds).sum());
      if (outcome.interrupted()) {
        whenInterrupted.accept(outcome.history().size());
      } else {
        writeResults(backend, outcome);
      }
      time.mark("report");
      return outcome;
    }
  }

  /** The receipt's result is written last: a run that has it has everything. */
  private void writeResults(Backend backend, Trainer.Outcome outcome) {
    new ModelFile(outcome.parameters(), data.classes(), config.loss(), true).write(folder.model());
    try (Scorer scorer = backend.openScorer(outcome.parameters())) {
      ConfusionMatrix confusion =
          ConfusionMatrix.of(data.classes(), data.valid(), scorer.logits(data.valid()));
      AtomicFile.write(folder.file("confusion.csv"), confusion.toCsv());
    }
    String title = title(outcome.parameters().architecture());
    AtomicFile.write(folder.file("accuracy.svg"), HistoryCharts.accuracy(title, outcome.history()));
    AtomicFile.write(folder.file("loss.svg"), HistoryCharts.loss(title, outcome.history()));
    receipt.finish(outcome.history().get(outcome.history().size() - 1), sha256(folder.model()));
  }

  private String title(Architecture architecture) {
    return architecture.name() + " on " + shortName(data) + ", " + classes(data.classes());
  }

  /** The data set in a few words. */
  static String describe(DataSet data) {
    return String.join(
        "",
        data.name(),
        data.name().equals(DataSets.MNIST) ? " (bundled)" : "",
        ", ",
        classes(data.classes()),
        ": ",
        Text.count(data.train().count()),
        " training and ",
        Text.count(data.valid().count()),
        " validation images of ",
        String.valueOf(data.train().height()),
        " x ",
        String.valueOf(data.train().width()));
  }

  private static String shortName(DataSet data) {
    Path name = Path.of(data.name()).getFileName();
    return name == null ? data.name() : name.toString();
  }

  private static String classes(List<String> classes) {
    return classes.size() == 2
        ? classes.get(0) + " vs " + classes.get(1)
        : "classes " + String.join(",", classes);
  }

  private static String sha256(Path file) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
    } catch (IOException e) {
      throw new OutputException(file, e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
