package zerofive.report.chart;

import java.util.function.IntToDoubleFunction;

/**
 * A picture in squares of {@code side} x {@code side} pixels, so that one of any size fits a page;
 * squares at the right and the lower edge may be cut. One of side 1 is the picture itself.
 *
 * @param height of the picture, in pixels
 * @param width of the picture, in pixels
 * @param side of a square, in pixels
 */
public record Downsampler(int height, int width, int side) {
  /** The finest that has at most {@code longest} squares in a row and in a column. */
  public static Downsampler within(int longest, int height, int width) {
    return new Downsampler(height, width, (Math.max(height, width) + longest - 1) / longest);
  }

  public int rows() {
    return (height + side - 1) / side;
  }

  public int columns() {
    return (width + side - 1) / side;
  }

  /**
   * The mean of each square.
   *
   * @param values of the picture's pixels, by their index, row-major
   * @return [rows, columns] row-major
   */
  public double[] means(IntToDoubleFunction values) {
    int columns = columns();
    double[] means = new double[rows() * columns];
    for (int i = 0; i < means.length; i++) {
      means[i] =
          side == 1
              ? values.applyAsDouble(i)
              : mean(values, i / columns * side, i % columns * side);
    }
    return means;
  }

  private double mean(IntToDoubleFunction values, int top, int left) {
    int bottom = Math.min(height, top + side);
    int right = Math.min(width, left + side);
    double sum = 0;
    for (int y = top; y < bottom; y++) {
      for (int x = left; x < right; x++) {
        sum += values.applyAsDouble(y * width + x);
      }
    }
    return sum / ((bottom - top) * (right - left));
  }
}
