package zerofive.study;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import zerofive.data.DataSet;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.OutputException;
import zerofive.files.Sha256;
import zerofive.run.NotComparableException;
import zerofive.run.Receipt;
import zerofive.run.RunFolder;
import zerofive.train.DivergedException;

/**
 * A run of pairs: its folder, its settings, and the results that it has so far. A kill at any
 * moment leaves a run that continues with the pairs that have none yet; runs of all shards make one
 * whole.
 */
public final class PairsRun {
  /** The picture's file. */
  public static final String PICTURE = "errors.svg";

  private final RunFolder folder;
  private final PairsConfig config;
  private final Receipt receipt;
  private final Map<Pair, PairResult> results;

  /** A sentence for each training that diverged. */
  private List<String> diverged = List.of();

  private PairsRun(
      RunFolder folder, PairsConfig config, Receipt receipt, Map<Pair, PairResult> results) {
    this.folder = folder;
    this.config = config;
    this.receipt = receipt;
    this.results = results;
  }

  /** A new run; where it cannot be begun, nothing of it stays. */
  public static PairsRun begin(
      RunFolder folder, PairsConfig config, DataSet data, Receipt.Session session) {
    try {
      Receipt receipt = Receipt.begin(folder.receipt(), data, config.training());
      receipt.add(session, config.training(), 0);
      config.write(folder);
      return new PairsRun(folder, config, receipt, new LinkedHashMap<>());
    } catch (RuntimeException | Error e) {
      folder.abandon();
      throw e;
    }
  }

  /**
   * Resumes the run in {@code folder}.
   *
   * @param ifOther receives who computed the latest part, where trainings are left to do
   * @throws OutputException where it was begun with other settings
   * @throws InputException where it was begun with other data, or is damaged
   * @throws NotComparableException where its results have another arithmetic
   */
  public static PairsRun resume(
      RunFolder folder,
      PairsConfig config,
      DataSet data,
      Receipt.Session session,
      Consumer<Receipt.Session> ifOther) {
    PairsRun run = read(folder);
    Optional<String> difference =
        run.config.difference(config).or(() -> run.differenceOfShard(config));
    if (difference.isPresent()) {
      throw new OutputException(
          folder.path()
              + " was begun with "
              + difference.get()
              + "; resume with its own settings, or name another folder with --out");
    }
    run.receipt.checkData(data);
    if (!run.todo().isEmpty()) {
      run.config.checkArithmetic(config, folder.path(), "name another folder with --out");
      run.receipt.latest().ifPresent(ifOther);
      run.receipt.add(session, config.training(), 0);
    }
    return run;
  }

  private Optional<String> differenceOfShard(PairsConfig other) {
    return config.shard().equals(other.shard())
        ? Optional.empty()
        : Optional.of("shard " + config.shard() + ", not " + other.shard());
  }

  /** Reads a run as it is. Throws InputException. */
  public static PairsRun read(RunFolder folder) {
    PairsConfig config = PairsConfig.read(folder);
    Map<Pair, PairResult> results = PairsCsv.read(folder.file(PairsCsv.NAME), config.pairs());
    return new PairsRun(folder, config, Receipt.read(folder.receipt()), results);
  }

  /**
   * Joins the runs of all shards in the new folder {@code out}; where it cannot be written, nothing
   * of it stays.
   *
   * @param picture of the joined run
   * @throws InputException where they are no shards of one run, or a result is missing or there
   *     twice
   * @throws NotComparableException where their results have different arithmetic
   */
  public static PairsRun merge(List<Path> folders, Path out, Function<PairsRun, String> picture) {
    RunFolder.checkFree(out);
    List<PairsRun> shards = folders.stream().map(shard -> read(RunFolder.find(shard))).toList();
    Map<Pair, PairResult> results = join(shards);
    PairsConfig whole = shards.get(0).config.whole();
    checkWhole(whole, results);
    try (RunFolder folder = RunFolder.create(out)) {
      try {
        Receipt receipt =
            Receipt.join(folder.receipt(), shards.stream().map(shard -> shard.receipt).toList());
        PairsRun run = new PairsRun(folder, whole, receipt, results);
        run.finish(picture);
        whole.write(folder);
        return run;
      } catch (RuntimeException | Error e) {
        folder.abandon(PairsCsv.NAME, PICTURE);
        throw e;
      }
    }
  }

  private static Map<Pair, PairResult> join(List<PairsRun> shards) {
    Map<Pair, PairResult> results = new LinkedHashMap<>();
    Map<Pair, Path> origin = new LinkedHashMap<>();
    for (PairsRun shard : shards) {
      checkSame(shards.get(0), shard);
      for (Map.Entry<Pair, PairResult> result : shard.results.entrySet()) {
        Path before = origin.put(result.getKey(), shard.path());
        if (before != null) {
          throw new InputException(
              result.getKey()
                  + " is in both "
                  + before
                  + " and "
                  + shard.path()
                  + "; name each shard once");
        }
        results.put(result.getKey(), result.getValue());
      }
    }
    return results;
  }

  private static void checkSame(PairsRun first, PairsRun shard) {
    Optional<String> difference = shard.config.difference(first.config);
    if (difference.isPresent()) {
      throw new InputException(
          shard.path()
              + " was made with "
              + difference.get()
              + " as "
              + first.path()
              + "; merge shards of one run");
    }
    shard.config.checkArithmetic(
        first.config, shard.path(), "train that shard again as " + first.path() + " was");
  }

  private static void checkWhole(PairsConfig whole, Map<Pair, PairResult> results) {
    List<Pair> missing = whole.pairs().stream().filter(pair -> !results.containsKey(pair)).toList();
    if (!missing.isEmpty()) {
      int others = missing.size() - 1;
      throw new InputException(
          missing.get(0)
              + (others == 0
                  ? " is"
                  : " and " + others + " other training" + (others == 1 ? "" : "s") + " are")
              + " in none of the folders; let every shard finish, and name them all");
    }
  }

  /**
   * Trains what has no result yet; each result is on the disk before {@code eachTraining} is
   * called. A stop that is requested leaves some without, and so does a training that diverges.
   */
  public void train(Trainings trainings, Runnable eachTraining) {
    List<Pair> todo = todo();
    if (todo.isEmpty()) {
      return;
    }
    try (PairsCsv csv = new PairsCsv(csv(), results.values())) {
      diverged =
          trainings.train(
              todo,
              result -> {
                csv.append(result);
                results.put(result.pair(), result);
                eachTraining.run();
              });
    }
  }

  /** Whether trainings are left that did not diverge. */
  public boolean isStopped() {
    return todo().size() > diverged.size();
  }

  private DivergedException diverged() {
    int completed = results.size();
    return new DivergedException(
        diverged.get(0)
            + (diverged.size() == 1
                ? ""
                : "; " + (diverged.size() - 1) + " more diverged, each in its own way")
            + "; the "
            + completed
            + (completed == 1 ? " training" : " trainings")
            + " that did not are kept in "
            + csv());
  }

  /**
   * Writes the files of a run that is done. The receipt's result is written last: a run that has it
   * has everything.
   *
   * @throws DivergedException where a training diverged
   */
  public void finish(Function<PairsRun, String> picture) {
    if (!diverged.isEmpty()) {
      throw diverged();
    }
    PairsCsv.write(csv(), inOrder());
    AtomicFile.write(folder.file(PICTURE), picture.apply(this));
    receipt.finish(results.size(), summary().accuracy().mean(), Sha256.of(csv()));
  }

  /** The results in the order of the settings, not of the trainings' ends. */
  private List<PairResult> inOrder() {
    return config.pairs().stream().filter(results::containsKey).map(results::get).toList();
  }

  /** The pairs without a result. */
  public List<Pair> todo() {
    return config.pairs().stream().filter(pair -> !results.containsKey(pair)).toList();
  }

  /** How many pairs have a result. */
  public int done() {
    return results.size();
  }

  /** What the results come to; there must be one. */
  public PairsSummary summary() {
    return PairsSummary.of(config.classes(), results.values());
  }

  /** The results so far, by pair. */
  public Map<Pair, PairResult> results() {
    return Collections.unmodifiableMap(results);
  }

  /** Its receipt. */
  public Receipt receipt() {
    return receipt;
  }

  /** What it is made by. */
  public PairsConfig config() {
    return config;
  }

  /** Where it lives. */
  public Path path() {
    return folder.path();
  }

  private Path csv() {
    return folder.file(PairsCsv.NAME);
  }
}
