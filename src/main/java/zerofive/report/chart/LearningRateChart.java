package zerofive.report.chart;

import java.util.List;
import zerofive.report.console.Format;
import zerofive.study.LearningRateFinder;
import zerofive.study.LearningRateFinder.Point;

/** The picture of a learning-rate sweep. */
public final class LearningRateChart {
  private LearningRateChart() {}

  /** The smoothed loss by the rate, up to where it diverged, with the three suggestions on it. */
  public static String of(String title, List<Point> points) {
    LineChart chart =
        new LineChart(title, "learning rate")
            .logarithmic()
            .line(
                "smoothed loss",
                points.stream().mapToDouble(Point::rate).toArray(),
                points.stream().mapToDouble(Point::smoothed).toArray());
    mark(chart, "valley", LearningRateFinder.valley(points), points, 1);
    mark(chart, "steepest", LearningRateFinder.steepest(points), points, 2);
    mark(chart, "minimum / 10", LearningRateFinder.tenthOfMinimum(points), points, 3);
    return chart.toSvg();
  }

  private static void mark(
      LineChart chart, String name, double rate, List<Point> points, int colour) {
    Point nearest = points.get(0);
    for (Point point : points) {
      nearest =
          Math.abs(Math.log(point.rate() / rate)) < Math.abs(Math.log(nearest.rate() / rate))
              ? point
              : nearest;
    }
    chart.points(
        name + " " + Format.significant(rate),
        new double[] {nearest.rate()},
        new double[] {nearest.smoothed()},
        colour);
  }
}
