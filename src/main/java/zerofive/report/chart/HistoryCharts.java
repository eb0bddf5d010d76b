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
   * @param selected the epoch that the model is of; marked where it is not the last
   */
  public static String accuracy(String title, List<EpochRecord> history, EpochRecord selected) {
    LineChart chart =
        new LineChart(title, "epoch")
            .line(
                "validation accuracy, "
                    + Format.fixed(selected.accuracy(), 4)
                    + " after epoch "
                    + selected.epoch()
                    + " ("
                    + Format.plural(selected.errors(), "error")
                    + ")",
                epochs(history),
                values(history, EpochRecord::accuracy));
    return mark(chart, history, selected, selected.accuracy(), 0).toSvg();
  }

  /**
   * Loss on the training and the validation set by epoch.
   *
   * @param selected the epoch that the model is of; marked where it is not the last
   */
  public static String loss(String title, List<EpochRecord> history, EpochRecord selected) {
    LineChart chart =
        new LineChart(title, "epoch")
            .line(
                "training loss, " + Format.fixed(selected.trainLoss(), 4),
                epochs(history),
                values(history, EpochRecord::trainLoss))
            .line(
                "validation loss, " + Format.fixed(selected.validLoss(), 4),
                epochs(history),
                values(history, EpochRecord::validLoss));
    return mark(chart, history, selected, selected.validLoss(), 1).toSvg();
  }

  private static LineChart mark(
      LineChart chart, List<EpochRecord> history, EpochRecord selected, double value, int line) {
    return selected.epoch() == history.size()
        ? chart
        : chart.points(
            "the model: epoch " + selected.epoch(),
            new double[] {selected.epoch()},
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
