package zerofive.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import zerofive.data.AtomicFile;
import zerofive.data.InputException;
import zerofive.data.OutputException;
import zerofive.data.TextFile;

/**
 * {@code metrics.csv}: a header, then one row an epoch, appended by a single write so that a kill
 * tears at most the last line. Statistics, where they are asked for, stand behind the other
 * columns.
 */
final class Metrics implements EpochLog {
  static final String HEADER =
      "epoch,train_loss,valid_loss,accuracy,errors,train_seconds,valid_seconds";

  private static final int FIGURES = 7;

  private final Path file;
  private final FileChannel channel;

  /**
   * Begins the file with {@code history}, replacing what was there, and appends from then on.
   *
   * @param statistics the names of the columns that every row has besides
   */
  Metrics(Path file, List<String> statistics, List<EpochRecord> history) {
    this.file = file;
    StringBuilder text = new StringBuilder(HEADER);
    statistics.forEach(name -> text.append(',').append(name));
    text.append('\n');
    history.forEach(row -> text.append(line(row)));
    AtomicFile.write(file, text.toString());
    try {
      channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }

  /** Adds one row and hands it to the operating system. */
  @Override
  public void append(EpochRecord row) {
    ByteBuffer bytes = ByteBuffer.wrap(line(row).getBytes(StandardCharsets.UTF_8));
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }

  /** The whole rows of epochs 1 to {@code lastEpoch}; a torn line and what follows is dropped. */
  static List<EpochRecord> read(Path file, int lastEpoch) {
    String text = TextFile.read(file);
    List<String> statistics = statistics(file, text);
    String whole = text.substring(0, text.lastIndexOf('\n'));
    List<EpochRecord> rows = new ArrayList<>();
    for (String line : whole.lines().skip(1).toList()) {
      Optional<EpochRecord> row = parse(line, statistics);
      if (row.isEmpty() || row.get().epoch() != rows.size() + 1 || rows.size() == lastEpoch) {
        break;
      }
      rows.add(row.get());
    }
    if (rows.size() < lastEpoch) {
      throw new InputException(
          file
              + ": row "
              + (rows.size() + 1)
              + " is damaged, but the checkpoint is of epoch "
              + lastEpoch
              + "; restore the file or start a new run");
    }
    return rows;
  }

  /** The names of the columns of statistics that the file has. */
  static List<String> statistics(Path file) {
    return statistics(file, TextFile.read(file));
  }

  private static List<String> statistics(Path file, String text) {
    String header = text.lines().findFirst().orElse("");
    if (header.equals(HEADER) && text.startsWith(HEADER + "\n")) {
      return List.of();
    }
    if (header.startsWith(HEADER + ",") && text.startsWith(header + "\n")) {
      return List.of(header.substring(HEADER.length() + 1).split(",", -1));
    }
    throw new InputException(
        file + ": line 1 does not begin '" + HEADER + "'; it is no metrics.csv of train");
  }

  private static String line(EpochRecord row) {
    StringBuilder line = new StringBuilder(figures(row));
    row.statistics().values().forEach(value -> line.append(',').append(Figures.significant(value)));
    return line.append('\n').toString();
  }

  private static String figures(EpochRecord row) {
    return row.epoch()
        + ","
        + Figures.significant(row.trainLoss())
        + ","
        + Figures.significant(row.validLoss())
        + ","
        + Figures.significant(row.accuracy())
        + ","
        + row.errors()
        + ","
        + Figures.significant(row.trainSeconds())
        + ","
        + Figures.significant(row.validSeconds());
  }

  private static Optional<EpochRecord> parse(String line, List<String> names) {
    String[] fields = line.split(",", -1);
    if (fields.length != FIGURES + names.size()) {
      return Optional.empty();
    }
    try {
      Map<String, Double> statistics = new LinkedHashMap<>();
      for (int i = 0; i < names.size(); i++) {
        statistics.put(names.get(i), Double.parseDouble(fields[FIGURES + i]));
      }
      return Optional.of(
          new EpochRecord(
              Integer.parseInt(fields[0]),
              Double.parseDouble(fields[1]),
              Double.parseDouble(fields[2]),
              Double.parseDouble(fields[3]),
              Integer.parseInt(fields[4]),
              Double.parseDouble(fields[5]),
              Double.parseDouble(fields[6]),
              statistics));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }
}
