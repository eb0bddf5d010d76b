package zerofive.study.verify;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import zerofive.files.InputException;
import zerofive.files.Sha256;
import zerofive.run.NotComparableException;
import zerofive.run.Receipt;
import zerofive.run.RunFolder;
import zerofive.study.Pair;
import zerofive.study.PairResult;
import zerofive.study.PairsConfig;
import zerofive.study.PairsCsv;
import zerofive.study.PairsRun;
import zerofive.study.Trainings;

/** Trains the rows of a finished table of pairs once more, and compares models and figures. */
public final class PairsVerifier {
  private final RunFolder folder;
  private final PairsRun run;

  private PairsVerifier(RunFolder folder, PairsRun run) {
    this.folder = folder;
    this.run = run;
  }

  /**
   * A row that is another here.
   *
   * @param table the row of pairs.csv
   * @param computed the row computed here; empty where the training diverged
   */
  public record Row(PairResult table, Optional<PairResult> computed) {}

  /**
   * What the trainings once more showed.
   *
   * @param answer in short
   * @param checked how many rows were trained
   * @param rows how many the table has
   * @param isReceipts whether the table is the one that the receipt names
   * @param different the rows that are others here, in the order of the trainings
   */
  public record Verdict(
      Answer answer, int checked, int rows, boolean isReceipts, List<Row> different) {}

  /**
   * Reads what a run says of itself.
   *
   * @throws InputException where a file is missing or damaged
   * @throws NotComparableException where the run is not finished, or this version does not compute
   *     its bits
   */
  public static PairsVerifier read(RunFolder folder) {
    PairsRun run = PairsRun.read(folder);
    if (run.receipt().pairsSha256().isEmpty() || !run.todo().isEmpty()) {
      throw new NotComparableException(
          folder.path()
              + " is not finished: "
              + run.done()
              + " of "
              + run.config().pairs().size()
              + " trainings are done; finish it with pairs, its options and --out "
              + folder.path());
    }
    List<Receipt.Part> parts = run.receipt().parts();
    if (parts.isEmpty()) {
      throw new InputException(
          folder.receipt() + " is damaged: it names nobody who trained; restore it");
    }
    ExactRun.check(folder.path(), run.config().training(), parts);
    return new PairsVerifier(folder, run);
  }

  /** The run's settings. */
  public PairsConfig config() {
    return run.config();
  }

  /** The run's receipt. */
  public Receipt receipt() {
    return run.receipt();
  }

  /** The devices that trained it. */
  public String madeBy() {
    return ExactRun.devices(run.receipt().parts());
  }

  /** So many rows, evenly spread over the table in the order of its trainings; at most all. */
  public List<Pair> sample(int count) {
    List<Pair> all = run.config().pairs();
    List<Pair> sample = new ArrayList<>();
    int size = Math.min(count, all.size());
    for (int i = 0; i < size; i++) {
      sample.add(all.get((int) ((long) i * all.size() / size)));
    }
    return sample;
  }

  /**
   * Trains some rows and compares them.
   *
   * @param trainings of the run's settings and data
   * @param eachTraining called after each
   * @return what came out; empty where it was stopped
   */
  public Optional<Verdict> verify(List<Pair> rows, Trainings trainings, Runnable eachTraining) {
    Map<Pair, PairResult> computed = new HashMap<>();
    List<String> diverged =
        trainings.train(
            rows,
            result -> {
              computed.put(result.pair(), result);
              eachTraining.run();
            });
    if (computed.size() + diverged.size() < rows.size()) {
      return Optional.empty();
    }
    List<Row> different = new ArrayList<>();
    for (Pair pair : rows) {
      PairResult row = run.results().get(pair);
      PairResult here = computed.get(pair);
      if (here == null || !here.isSameAs(row)) {
        different.add(new Row(row, Optional.ofNullable(here)));
      }
    }
    String file = Sha256.of(folder.file(PairsCsv.NAME));
    boolean isReceipts = run.receipt().pairsSha256().equals(Optional.of(file));
    return Optional.of(
        new Verdict(
            answer(isReceipts, different.size(), rows.size()),
            rows.size(),
            run.done(),
            isReceipts,
            different));
  }

  /** A machine that computes some rows alike computes all so: then the others were changed. */
  private static Answer answer(boolean isReceipts, int different, int checked) {
    if (different == 0) {
      return Answer.SAME;
    }
    if (isReceipts) {
      return Answer.OTHER_BITS_HERE;
    }
    return different < checked ? Answer.CHANGED : Answer.NEITHER;
  }
}
