package zerofive.report;

import java.util.Locale;
import zerofive.train.EpochRecord;

/** The table of epochs, one line each. */
public final class EpochTable {
  private EpochTable() {}

  /** The names of the columns. */
  public static String header() {
    return String.format(
        Locale.ROOT,
        "%5s  %10s  %10s  %8s  %6s  %9s",
        "epoch",
        "train_loss",
        "valid_loss",
        "accuracy",
        "errors",
        "time");
  }

  /** One epoch; its time is training and validation together. */
  public static String row(EpochRecord row) {
    return String.format(
        Locale.ROOT,
        "%5d  %10.6f  %10.6f  %8.6f  %6d  %9s",
        row.epoch(),
        row.trainLoss(),
        row.validLoss(),
        row.accuracy(),
        row.errors(),
        Text.seconds(row.trainSeconds() + row.validSeconds()));
  }
}
