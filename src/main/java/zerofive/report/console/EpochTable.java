package zerofive.report.console;

import zerofive.train.EpochRecord;

/** The table of epochs, one line each. */
public final class EpochTable {
  private static final int[] WIDTHS = {5, 10, 10, 8, 6, 9};

  private EpochTable() {}

  /** The names of the columns. */
  public static String header() {
    return line("epoch", "train_loss", "valid_loss", "accuracy", "errors", "time");
  }

  /** One epoch; its time is training and validation together. */
  public static String row(EpochRecord row) {
    return line(
        String.valueOf(row.epoch()),
        Format.fixed(row.trainLoss(), 6),
        Format.fixed(row.validLoss(), 6),
        Format.fixed(row.accuracy(), 6),
        String.valueOf(row.errors()),
        Format.seconds(row.trainSeconds() + row.validSeconds()));
  }

  private static String line(String... cells) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < cells.length; i++) {
      line.append(i == 0 ? "" : "  ");
      line.append(" ".repeat(Math.max(0, WIDTHS[i] - cells[i].length()))).append(cells[i]);
    }
    return line.toString();
  }
}
