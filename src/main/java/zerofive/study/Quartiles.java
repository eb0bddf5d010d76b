package zerofive.study;

import java.util.Arrays;

/**
 * Where values lie.
 *
 * @param min the minimum
 * @param lower a quarter is below it
 * @param median half is below it
 * @param upper three quarters are below it
 * @param max the maximum
 */
public record Quartiles(double min, double lower, double median, double upper, double max) {
  /**
   * The quartiles of at least one value; what falls between two is taken from the line through them
   * (Hyndman and Fan 1996, type 7).
   */
  public static Quartiles of(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return new Quartiles(
        sorted[0],
        quantile(sorted, 0.25),
        quantile(sorted, 0.5),
        quantile(sorted, 0.75),
        sorted[sorted.length - 1]);
  }

  private static double quantile(double[] sorted, double fraction) {
    double place = fraction * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
