package zerofive.report;

import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import zerofive.train.EpochRecord;

/** The pictures of a run's history. */
public final class HistoryCharts {
  private HistoryCharts() {}

  /** Accuracy on the validation set by epoch. */
  public static String accuracy(String title, List<EpochRecord> history) {
    EpochRecord last = history.get(history.size() - 1);
    return new LineChart(title, "epoch")
        .line(
            String.format(
                Locale.ROOT,
                "validation accuracy, %.4f after epoch %d (%s)",
                last.accuracy(),
                last.epoch(),
                Text.plural(last.errors(), "error")),
            epochs(history),
            values(history, EpochRecord::accuracy))
        .toSvg();
  }

  /** Loss on the training and the validation set by epoch. */
  public static String loss(String title, List<EpochRecord> history) {
    EpochRecord last = history.get(history.size() - 1);
    return new LineChart(title, "epoch")
        .line(
            String.format(Locale.ROOT, "training loss, %.4f", last.trainLoss()),
            epochs(history),
            values(history, EpochRecord::trainLoss))
        .line(
            String.format(Locale.ROOT, "validation loss, %.4f", last.validLoss()),
            epochs(history),
            values(history, EpochRecord::validLoss))
        .toSvg();
  }

  /** The epochs' numbers, counted from 1. */
  public static double[] epochs(List<EpochRecord> history) {
    return values(history, EpochRecord::epoch);
  }

  /** One column of the history. */
  public static double[] values(List<EpochRecord> history, ToDoubleFunction<EpochRecord> column) {
    return history.stream().mapToDouble(column).toArray();
  }
}
