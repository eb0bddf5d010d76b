package zerofive.data.image.fit;

import zerofive.data.image.GreyImage;

/**
 * Ink scaled and placed as MNIST's digits were (LeCun, Cortes, Burges: The MNIST database of
 * handwritten digits): its box in 20 x 20 with its aspect ratio kept, its centre of mass in the
 * middle of 28 x 28. In frames of other sizes the box has the same part of the shorter side.
 *
 * @param width of the frame, in pixels
 * @param height of the frame, in pixels
 */
record Frame(int width, int height) {
  /** The frame's pixels, [height, width]. */
  byte[] place(Ink ink) {
    return centred(scaled(ink));
  }

  /** The box at its new size, [rows][columns], stretched to 0 ... 255. */
  private double[][] scaled(Ink ink) {
    Box box = ink.box();
    double side = Math.max(1, Math.round(Math.min(width, height) * 20 / 28.0));
    double scale = side / box.longerSide();
    int columns = (int) Math.max(1, Math.round(box.width() * scale));
    int rows = (int) Math.max(1, Math.round(box.height() * scale));
    double[][] small = new double[rows][columns];
    double largest = 0;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        small[row][column] =
            areaMean(
                ink,
                box.left() + (double) box.width() * column / columns,
                box.left() + (double) box.width() * (column + 1) / columns,
                box.top() + (double) box.height() * row / rows,
                box.top() + (double) box.height() * (row + 1) / rows);
        largest = Math.max(largest, small[row][column]);
      }
    }
    // A thin pen leaves faint pixels; MNIST's strokes are white in their middle.
    for (double[] row : small) {
      for (int column = 0; column < columns; column++) {
        row[column] *= 255 / Math.max(largest, Double.MIN_NORMAL);
      }
    }
    return small;
  }

  private static double areaMean(Ink ink, double left, double right, double top, double bottom) {
    GreyImage strength = ink.strength();
    double sum = 0;
    for (int y = (int) top; y < Math.min(bottom, strength.height()); y++) {
      double high = Math.min(y + 1, bottom) - Math.max(y, top);
      for (int x = (int) left; x < Math.min(right, strength.width()); x++) {
        double wide = Math.min(x + 1, right) - Math.max(x, left);
        double value = (double) (strength.at(x, y) - ink.floor()) / (ink.full() - ink.floor());
        sum += high * wide * Math.max(0, Math.min(1, value));
      }
    }
    return sum / ((right - left) * (bottom - top));
  }

  /** The centre of mass in the middle, by whole pixels, as far as the frame lets it. */
  private byte[] centred(double[][] small) {
    double mass = 0;
    double massX = 0;
    double massY = 0;
    for (int y = 0; y < small.length; y++) {
      for (int x = 0; x < small[y].length; x++) {
        mass += small[y][x];
        massX += small[y][x] * x;
        massY += small[y][x] * y;
      }
    }
    int left = offset(width, small[0].length, massX / mass);
    int top = offset(height, small.length, massY / mass);
    byte[] pixels = new byte[width * height];
    for (int y = 0; y < small.length; y++) {
      for (int x = 0; x < small[y].length; x++) {
        pixels[(top + y) * width + left + x] = (byte) Math.round(small[y][x]);
      }
    }
    return pixels;
  }

  private static int offset(int frame, int size, double centre) {
    return (int) Math.max(0, Math.min(frame - size, Math.round(frame / 2.0 - centre)));
  }
}
