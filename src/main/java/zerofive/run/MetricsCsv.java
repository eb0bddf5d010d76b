package zerofive.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import zerofive.files.AppendedFile;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.TextFile;
import zerofive.train.EpochRecord;
import zerofive.train.EpochSink;

/**
 * {@code metrics.csv}: a header, then one row an epoch, appended by a single write so that a kill
 * tears at most the last line. A file of an earlier version may have further columns, of an option
 * that has left ({@code --statistics}); they stay, and are empty in the rows that are added.
 */
final class MetricsCsv implements EpochSink {
  static final String HEADER =
      "epoch,train_loss,valid_loss,accuracy,errors,train_seconds,valid_seconds";

  private static final int FIGURES = 7;

  /** Some for each layer. */
  private static final int MAX_FORMER_COLUMNS = 1000;

  private final String emptyFields;
  private final AppendedFile rows;

  /** Begins a file without any row, replacing what was there. Throws OutputException. */
  static void begin(Path file) {
    AtomicFile.write(file, HEADER + "\n");
  }

  /**
   * Keeps the rows of epochs 1 to {@code lastEpoch} as they are, drops what follows, and appends
   * from then on.
   */
  MetricsCsv(Path file, int lastEpoch) {
    String stored = TextFile.read(file);
    String text = asWritten(stored);
    Content content = parse(file, text, lastEpoch);
    emptyFields = ",".repeat(content.formerColumns().size());
    if (content.end() < stored.length()) {
      AtomicFile.write(file, text.substring(0, content.end()));
    }
    rows = new AppendedFile(file);
  }

  /** Adds one row and hands it to the operating system. */
  @Override
  public void append(EpochRecord row, float learningRate) {
    rows.append(figures(row) + emptyFields + "\n");
  }

  /** The whole rows of epochs 1 to {@code lastEpoch}; a torn line and what follows is dropped. */
  static List<EpochRecord> read(Path file, int lastEpoch) {
    return parse(file, asWritten(TextFile.read(file)), lastEpoch).rows();
  }

  /** The names of the columns that an earlier version added; none in most files. */
  static List<String> formerColumns(Path file) {
    return formerColumns(file, asWritten(TextFile.read(file)));
  }

  /** A spreadsheet or an editor may have saved it with a byte order mark and CRLF. */
  private static String asWritten(String stored) {
    return (stored.startsWith("\ufeff") ? stored.substring(1) : stored).replace("\r\n", "\n");
  }

  /**
   * What a file holds.
   *
   * @param formerColumns of an earlier version
   * @param rows as many as were asked for
   * @param end of the last of them in the text
   */
  private record Content(List<String> formerColumns, List<EpochRecord> rows, int end) {}

  private static Content parse(Path file, String text, int lastEpoch) {
    List<String> formerColumns = formerColumns(file, text);
    List<EpochRecord> rows = new ArrayList<>();
    int end = text.indexOf('\n') + 1;
    while (rows.size() < lastEpoch) {
      int next = text.indexOf('\n', end) + 1;
      Optional<EpochRecord> row =
          next == 0
              ? Optional.empty()
              : parse(text.substring(end, next - 1), FIGURES + formerColumns.size());
      if (row.isEmpty() || row.get().epoch() != rows.size() + 1) {
        throw new InputException(
            file
                + ": row "
                + (rows.size() + 1)
                + " is damaged, but the checkpoint is of epoch "
                + lastEpoch
                + "; restore the file or start a new run");
      }
      rows.add(row.get());
      end = next;
    }
    return new Content(formerColumns, rows, end);
  }

  private static List<String> formerColumns(Path file, String text) {
    String header = text.lines().findFirst().orElse("");
    if (header.equals(HEADER) && text.startsWith(HEADER + "\n")) {
      return List.of();
    }
    if (header.startsWith(HEADER + ",") && text.startsWith(header + "\n")) {
      String[] names = header.substring(HEADER.length() + 1).split(",", MAX_FORMER_COLUMNS + 1);
      if (names.length <= MAX_FORMER_COLUMNS) {
        return List.of(names);
      }
    }
    throw new InputException(
        file + ": line 1 does not begin '" + HEADER + "'; it is not a metrics.csv of train");
  }

  private static String figures(EpochRecord row) {
    return row.epoch()
        + ","
        + MetricFormat.significant(row.trainLoss())
        + ","
        + MetricFormat.significant(row.validLoss())
        + ","
        + MetricFormat.significant(row.accuracy())
        + ","
        + row.errors()
        + ","
        + MetricFormat.significant(row.trainSeconds())
        + ","
        + MetricFormat.significant(row.validSeconds());
  }

  private static Optional<EpochRecord> parse(String line, int columns) {
    String[] fields = line.split(",", columns + 1);
    if (fields.length != columns) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new EpochRecord(
              Integer.parseInt(fields[0]),
              Double.parseDouble(fields[1]),
              Double.parseDouble(fields[2]),
              Double.parseDouble(fields[3]),
              Integer.parseInt(fields[4]),
              Double.parseDouble(fields[5]),
              Double.parseDouble(fields[6])));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  @Override
  public void sync() {
    rows.sync();
  }

  @Override
  public void close() {
    rows.close();
  }
}
