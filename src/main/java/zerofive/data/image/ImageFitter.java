package zerofive.data.image;

import java.util.Arrays;
import zerofive.files.InputException;

/**
 * Makes a picture of any size look as MNIST's digits do: light ink on black, the ink's bounding box
 * scaled to 20 x 20 with its aspect ratio kept, and its centre of mass in the middle of 28 x 28
 * (LeCun, Cortes, Burges: The MNIST database of handwritten digits). For other sizes the box keeps
 * its share of the shorter side.
 *
 * <p>Paper that is lit from one side is taken for a plane, through the medians of the four edges,
 * and what differs from it is ink.
 *
 * @param width of the fitted image, in pixels
 * @param height of the fitted image, in pixels
 */
public record ImageFitter(int width, int height) {
  /** Less contrast than this is paper or noise: grey levels of 255. */
  private static final double FAINTEST = 10;

  /** Of the threshold between paper and ink; below it is noise. */
  private static final double FLOOR = 0.3;

  /**
   * An image that fits the model.
   *
   * @param pixels [height, width] row-major
   * @param inverted whether its background was bright
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Fitted(byte[] pixels, boolean inverted) {}

  /**
   * Fits {@code image}. One of the right size is taken to be fitted already, and only inverted
   * where its background is bright. Throws InputException, naming {@code name}, where it is empty.
   */
  public Fitted fit(String name, GreyImage image) {
    if (isFlat(image)) {
      throw empty(name);
    }
    return hasSize(image) ? asItIs(image) : scaled(name, image);
  }

  /** Whether {@code image} has the fitted size already. */
  public boolean hasSize(GreyImage image) {
    return image.width() == width && image.height() == height;
  }

  private static InputException empty(String name) {
    return new InputException(
        name + " is empty: it has one colour and no ink; leave it out, or take a sharper picture");
  }

  private static boolean isFlat(GreyImage image) {
    byte first = image.pixels()[0];
    for (byte pixel : image.pixels()) {
      if (pixel != first) {
        return false;
      }
    }
    return true;
  }

  private static Fitted asItIs(GreyImage image) {
    double sum = 0;
    for (byte pixel : image.pixels()) {
      sum += pixel & 0xff;
    }
    double border = Edges.of(image).all();
    boolean bright = border > 127 && border > sum / image.pixels().length;
    if (!bright) {
      return new Fitted(image.pixels(), false);
    }
    byte[] inverted = new byte[image.pixels().length];
    for (int i = 0; i < inverted.length; i++) {
      inverted[i] = (byte) ~image.pixels()[i];
    }
    return new Fitted(inverted, true);
  }

  /** The medians of a picture's outermost rows and columns. */
  private record Edges(double left, double right, double top, double bottom, double all) {
    static Edges of(GreyImage image) {
      int[] left = new int[256];
      int[] right = new int[256];
      int[] top = new int[256];
      int[] bottom = new int[256];
      for (int y = 0; y < image.height(); y++) {
        left[image.at(0, y)]++;
        right[image.at(image.width() - 1, y)]++;
      }
      for (int x = 0; x < image.width(); x++) {
        top[image.at(x, 0)]++;
        bottom[image.at(x, image.height() - 1)]++;
      }
      int[] all = new int[256];
      Arrays.setAll(all, v -> left[v] + right[v] + top[v] + bottom[v]);
      return new Edges(median(left), median(right), median(top), median(bottom), median(all));
    }

    private static int median(int[] histogram) {
      int half = (Arrays.stream(histogram).sum() + 1) / 2;
      int value = 0;
      for (int seen = histogram[0]; seen < half; seen += histogram[value]) {
        value++;
      }
      return value;
    }

    /** How much brighter than the lit paper a pixel is. */
    double difference(GreyImage image, int x, int y) {
      double acrossX = image.width() == 1 ? 0 : (double) x / (image.width() - 1) - 0.5;
      double acrossY = image.height() == 1 ? 0 : (double) y / (image.height() - 1) - 0.5;
      double paper = all + (right - left) * acrossX + (bottom - top) * acrossY;
      return image.at(x, y) - paper;
    }
  }

  private Fitted scaled(String name, GreyImage image) {
    Edges edges = Edges.of(image);
    // Noise lies on both sides of the paper's brightness alike; ink on one, and further away.
    double thirdMoment = 0;
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        double difference = edges.difference(image, x, y);
        thirdMoment += difference * difference * difference;
      }
    }
    boolean inverted = thirdMoment < 0;
    byte[] ink = new byte[image.pixels().length];
    int[] histogram = new int[256];
    for (int y = 0; y < image.height(); y++) {
      for (int x = 0; x < image.width(); x++) {
        double difference = edges.difference(image, x, y);
        int strength = clamp(inverted ? -difference : difference);
        ink[y * image.width() + x] = (byte) strength;
        histogram[strength]++;
      }
    }
    GreyImage drawing = new GreyImage(ink, image.width(), image.height());
    int threshold = otsu(histogram);
    Box box = Box.around(drawing, threshold);
    double full = meanAbove(histogram, threshold);
    if (box == null || full < FAINTEST) {
      throw empty(name);
    }
    return new Fitted(centred(shrunk(drawing, box, FLOOR * threshold, full)), inverted);
  }

  private static int clamp(double value) {
    return (int) Math.max(0, Math.min(255, Math.round(value)));
  }

  /**
   * The level between two kinds of pixels whose classes differ most (Otsu 1979: A threshold
   * selection method from gray-level histograms); ink is above it.
   */
  private static int otsu(int[] histogram) {
    double count = 0;
    double sum = 0;
    for (int v = 0; v < histogram.length; v++) {
      count += histogram[v];
      sum += (double) v * histogram[v];
    }
    double below = 0;
    double sumBelow = 0;
    double best = -1;
    int threshold = 0;
    for (int v = 0; v < histogram.length - 1; v++) {
      below += histogram[v];
      sumBelow += (double) v * histogram[v];
      double above = count - below;
      if (below == 0 || above == 0) {
        continue;
      }
      double apart = sumBelow / below - (sum - sumBelow) / above;
      double between = below * above * apart * apart;
      if (between > best) {
        best = between;
        threshold = v;
      }
    }
    return threshold;
  }

  private static double meanAbove(int[] histogram, int threshold) {
    long count = 0;
    double sum = 0;
    for (int v = threshold + 1; v < histogram.length; v++) {
      count += histogram[v];
      sum += (double) v * histogram[v];
    }
    return count == 0 ? 0 : sum / count;
  }

  /** Columns [left, right) and rows [top, bottom). */
  private record Box(int left, int top, int right, int bottom) {
    /** All ink; an edge that is half covered belongs to it. Null where there is none. */
    static Box around(GreyImage ink, int threshold) {
      int left = ink.width();
      int top = ink.height();
      int right = 0;
      int bottom = 0;
      for (int y = 0; y < ink.height(); y++) {
        for (int x = 0; x < ink.width(); x++) {
          if (2 * ink.at(x, y) > threshold) {
            left = Math.min(left, x);
            right = Math.max(right, x + 1);
            top = Math.min(top, y);
            bottom = y + 1;
          }
        }
      }
      return right == 0 ? null : new Box(left, top, right, bottom);
    }
  }

  /**
   * The box at its new size, [rows][columns], stretched to 0 ... 255; each pixel an area's mean.
   */
  private double[][] shrunk(GreyImage ink, Box box, double floor, double full) {
    int boxWidth = box.right - box.left;
    int boxHeight = box.bottom - box.top;
    double side = Math.max(1, Math.round(Math.min(width, height) * 20 / 28.0));
    double scale = side / Math.max(boxWidth, boxHeight);
    int columns = (int) Math.max(1, Math.round(boxWidth * scale));
    int rows = (int) Math.max(1, Math.round(boxHeight * scale));
    double[][] small = new double[rows][columns];
    double largest = 0;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        small[row][column] =
            areaMean(
                ink,
                box.left + (double) boxWidth * column / columns,
                box.left + (double) boxWidth * (column + 1) / columns,
                box.top + (double) boxHeight * row / rows,
                box.top + (double) boxHeight * (row + 1) / rows,
                floor,
                full);
        largest = Math.max(largest, small[row][column]);
      }
    }
    // A thin pen leaves faint pixels; MNIST's strokes are white in their middle.
    for (double[] row : small) {
      for (int column = 0; column < columns; column++) {
        row[column] *= 255 / largest;
      }
    }
    return small;
  }

  private static double areaMean(
      GreyImage ink,
      double left,
      double right,
      double top,
      double bottom,
      double floor,
      double full) {
    double sum = 0;
    for (int y = (int) top; y < Math.min(bottom, ink.height()); y++) {
      double high = Math.min(y + 1, bottom) - Math.max(y, top);
      for (int x = (int) left; x < Math.min(right, ink.width()); x++) {
        double wide = Math.min(x + 1, right) - Math.max(x, left);
        double strength = (ink.at(x, y) - floor) / (full - floor);
        sum += high * wide * Math.max(0, Math.min(1, strength));
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
        pixels[(top + y) * width + left + x] = (byte) clamp(small[y][x]);
      }
    }
    return pixels;
  }

  private static int offset(int frame, int size, double centre) {
    return (int) Math.max(0, Math.min(frame - size, Math.round(frame / 2.0 - centre)));
  }
}
