package zerofive.data.image.fit;

import java.util.Arrays;
import zerofive.data.image.GreyImage;

/** Large images made small enough to be searched for ink. */
final class Reduction {
  /** More than these are too many to search. */
  private static final int MAX_PIXELS = 1 << 18;

  private Reduction() {}

  /**
   * The means of squares of whole pixels, of the smallest side that leaves at most {@link
   * #MAX_PIXELS}; the last row and column of squares may be cut off.
   */
  static GreyImage of(GreyImage image) {
    int side = 1;
    while ((long) parts(image.width(), side) * parts(image.height(), side) > MAX_PIXELS) {
      side++;
    }
    if (side == 1) {
      return image;
    }
    int width = parts(image.width(), side);
    int height = parts(image.height(), side);
    byte[] means = new byte[width * height];
    int[] sums = new int[width];
    for (int row = 0; row < height; row++) {
      Arrays.fill(sums, 0);
      int bottom = Math.min(image.height(), (row + 1) * side);
      for (int y = row * side; y < bottom; y++) {
        addRow(image, y, side, sums);
      }
      for (int column = 0; column < width; column++) {
        int columns = Math.min(side, image.width() - column * side);
        int count = columns * (bottom - row * side);
        means[row * width + column] = (byte) ((sums[column] + count / 2) / count);
      }
    }
    return new GreyImage(means, width, height);
  }

  private static int parts(int length, int side) {
    return (length + side - 1) / side;
  }

  private static void addRow(GreyImage image, int y, int side, int[] sums) {
    int x = 0;
    for (int column = 0; column < sums.length; column++) {
      int end = Math.min(image.width(), x + side);
      int sum = 0;
      for (; x < end; x++) {
        sum += image.at(x, y);
      }
      sums[column] += sum;
    }
  }
}
