package zerofive.study;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import zerofive.files.AppendedFile;
import zerofive.files.AtomicFile;
import zerofive.files.Csv;
import zerofive.files.InputException;
import zerofive.files.TextFile;

/**
 * {@code pairs.csv}: a header, then a row for each training, appended and synced as it ends, so
 * that a kill tears at most the last line.
 */
public final class PairsCsv implements AutoCloseable {
  /** The file's name in a run's folder. */
  public static final String NAME = "pairs.csv";

  static final String HEADER =
      "first,second,seed,errors,images,accuracy,train_loss,valid_loss,seconds,model_sha256";

  private static final String SHA256 = "[0-9a-f]{64}";

  private final AppendedFile rows;

  /** Begins the file with {@code results}, replacing what was there, and appends from then on. */
  public PairsCsv(Path file, Iterable<PairResult> results) {
    write(file, results);
    rows = new AppendedFile(file);
  }

  /** Writes the whole file atomically. Throws OutputException. */
  public static void write(Path file, Iterable<PairResult> results) {
    StringBuilder text = new StringBuilder(HEADER).append('\n');
    results.forEach(result -> text.append(line(result)));
    AtomicFile.write(file, text.toString());
  }

  /** Adds one row; returns when it is on the disk. */
  public void append(PairResult result) {
    rows.append(line(result));
    rows.sync();
  }

  /**
   * The results that a run has so far, by pair; a torn last line is none. A row belongs to the pair
   * whose beginning it has, so class names may hold what they like.
   *
   * @param pairs that the file may have rows of
   * @throws InputException where a row is damaged, of another pair, or there twice
   */
  public static Map<Pair, PairResult> read(Path file, List<Pair> pairs) {
    Map<Pair, PairResult> results = new LinkedHashMap<>();
    if (!Files.exists(file)) {
      return results;
    }
    String text = TextFile.read(file);
    if (!text.startsWith(HEADER + "\n")) {
      throw new InputException(
          file + ": line 1 is not '" + HEADER + "'; it is no " + NAME + " of pairs");
    }
    Map<String, Pair> byBeginning = new HashMap<>();
    pairs.forEach(pair -> byBeginning.put(beginning(pair), pair));
    int start = HEADER.length() + 1;
    int number = 2;
    for (int end = text.indexOf('\n', start); end >= 0; end = text.indexOf('\n', start)) {
      PairResult result = parse(file, number, text.substring(start, end), byBeginning);
      if (results.put(result.pair(), result) != null) {
        throw new InputException(
            file + ": line " + number + " repeats " + result.pair() + "; remove one");
      }
      start = end + 1;
      number++;
    }
    return results;
  }

  private static PairResult parse(
      Path file, int number, String line, Map<String, Pair> byBeginning) {
    int end = line.length();
    for (int comma = 0; comma < 7 && end >= 0; comma++) {
      end = line.lastIndexOf(',', end - 1);
    }
    Pair pair = end < 0 ? null : byBeginning.get(line.substring(0, end + 1));
    if (pair == null) {
      throw damaged(file, number, null);
    }
    String[] fields = line.substring(end + 1).split(",", -1);
    try {
      PairResult result =
          new PairResult(
              pair,
              Integer.parseInt(fields[0]),
              Integer.parseInt(fields[1]),
              Double.parseDouble(fields[3]),
              Double.parseDouble(fields[4]),
              Double.parseDouble(fields[5]),
              fields[6]);
      if (result.images() > 0
          && result.errors() >= 0
          && result.errors() <= result.images()
          && fields[6].matches(SHA256)) {
        return result;
      }
    } catch (NumberFormatException e) {
      throw damaged(file, number, e);
    }
    throw damaged(file, number, null);
  }

  private static InputException damaged(Path file, int number, Exception cause) {
    return new InputException(
        file
            + ": line "
            + number
            + " is damaged, or of a pair that does not belong to this run; remove the line, and its"
            + " pair is trained again",
        cause);
  }

  private static String beginning(Pair pair) {
    return Csv.field(pair.first()) + "," + Csv.field(pair.second()) + "," + pair.seed() + ",";
  }

  private static String line(PairResult result) {
    return beginning(result.pair())
        + String.format(
            Locale.ROOT,
            "%d,%d,%.9g,%.9g,%.9g,%.9g,%s\n",
            result.errors(),
            result.images(),
            result.accuracy(),
            result.trainLoss(),
            result.validLoss(),
            result.seconds(),
            result.modelSha256());
  }

  @Override
  public void close() {
    rows.close();
  }
}
