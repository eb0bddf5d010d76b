package zerofive.report.chart;

import java.util.List;
import java.util.function.ToDoubleFunction;
import zerofive.report.console.Format;
import zerofive.train.EpochRecord;

/** The pictures of a run's history. */
public final class HistoryCharts {
  private HistoryCharts() {}

  /**
   * Accuracy on the validation set by epoch.
   *
   * @param kept the epoch that the model is of; marked where it is not the last
   */
  public static String accuracy(String title, List<EpochRecord> history, EpochRecord kept) {
    LineChart chart =
        new LineChart(title, "epoch")
            .line(
                "validation accuracy, "
                    + Format.fixed(kept.accuracy(), 4)
                    + " after epoch "
                    + kept.epoch()
                    + " ("
                    + Format.plural(kept.errors(), "error")
                    + ")",
                epochs(history),
                values(history, EpochRecord::accuracy));
    return mark(chart, history, kept, kept.accuracy(), 0).toSvg();
  }

  /**
   * Loss on the training and the validation set by epoch.
   *
   * @param kept the epoch that the model is of; marked where it is not the last
   */
  public static String loss(String title, List<EpochRecord> history, EpochRecord kept) {
    LineChart chart =
        new LineChart(title, "epoch")
            .line(
                "training loss, " + Format.fixed(kept.trainLoss(), 4),
                epochs(history),
                values(history, EpochRecord::trainLoss))
            .line(
                "validation loss, " + Format.fixed(kept.validLoss(), 4),
                epochs(history),
                values(history, EpochRecord::validLoss));
    return mark(chart, history, kept, kept.validLoss(), 1).toSvg();
  }

  private static LineChart mark(
      LineChart chart, List<EpochRecord> history, EpochRecord kept, double value, int line) {
    return kept.epoch() == history.size()
        ? chart
        : chart.points(
            "the model: epoch " + kept.epoch(),
            new double[] {kept.epoch()},
            new double[] {value},
            line);
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
