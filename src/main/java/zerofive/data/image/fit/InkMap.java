package zerofive.data.image.fit;

import java.util.Arrays;
import zerofive.data.image.GreyImage;

/**
 * How strongly each pixel is inked, from 0 (paper) to 255, as the fraction of the paper's light
 * that the ink keeps back.
 *
 * @param sharp [height, width], of the image as it is
 * @param smooth [height, width], of the image smoothed by 1 2 1 in both directions
 * @param faintest what exceeds noise and the least contrast that counts as ink
 */
record InkMap(GreyImage sharp, GreyImage smooth, int faintest) {
  /** Windows of the paper level are this fraction of the shorter side; strokes are narrower. */
  private static final int WINDOW = 2;

  /** Darker paper than this is noisy; contrasts are not amplified beyond. */
  private static final int DARKEST_PAPER = 64;

  /** Less contrast than this is paper. */
  private static final int MIN_CONTRAST = 10;

  /** The same on paper that is taken to be even, so that ruled lines do not count. */
  private static final int MIN_PLAIN_CONTRAST = 40;

  /** Median absolute deviations of the paper's noise. */
  private static final int NOISE = 6;

  /** For dark ink on brighter paper. */
  static InkMap of(GreyImage image) {
    GreyImage smooth = smoothed(image);
    int window = Math.max(3, Math.min(image.width(), image.height()) / WINDOW);
    GreyImage paper = PaperLevel.of(smooth, window);
    Histogram contrasts = Histogram.of(contrast(smooth, paper, 0, DARKEST_PAPER).pixels());
    // The largest of many noisy pixels is brighter than the paper.
    int offset = contrasts.median();
    GreyImage ink = contrast(smooth, paper, offset, DARKEST_PAPER);
    int deviation = contrasts.deviation(offset);
    return new InkMap(
        contrast(image, paper, offset, DARKEST_PAPER),
        ink,
        Math.max(MIN_CONTRAST, NOISE * deviation));
  }

  /** For dark ink on paper that is {@code level} bright everywhere. */
  static InkMap of(GreyImage image, int level) {
    byte[] even = new byte[image.pixels().length];
    Arrays.fill(even, (byte) level);
    GreyImage paper = new GreyImage(even, image.width(), image.height());
    return new InkMap(
        contrast(image, paper, 0, 255),
        contrast(smoothed(image), paper, 0, 255),
        MIN_PLAIN_CONTRAST);
  }

  private static GreyImage contrast(GreyImage image, GreyImage paper, int offset, int darkest) {
    byte[] ink = new byte[image.pixels().length];
    for (int i = 0; i < ink.length; i++) {
      int level = paper.pixels()[i] & 0xff;
      int contrast = 255 * (level - (image.pixels()[i] & 0xff)) / Math.max(level, darkest);
      ink[i] = (byte) Math.max(0, contrast - offset);
    }
    return new GreyImage(ink, image.width(), image.height());
  }

  private static GreyImage smoothed(GreyImage image) {
    byte[] smooth = new byte[image.pixels().length];
    for (int y = 0; y < image.height(); y++) {
      int above = Math.max(0, y - 1);
      int below = Math.min(image.height() - 1, y + 1);
      for (int x = 0; x < image.width(); x++) {
        int left = Math.max(0, x - 1);
        int right = Math.min(image.width() - 1, x + 1);
        int sum =
            column(image, left, above, y, below)
                + 2 * column(image, x, above, y, below)
                + column(image, right, above, y, below);
        smooth[y * image.width() + x] = (byte) ((sum + 8) >> 4);
      }
    }
    return new GreyImage(smooth, image.width(), image.height());
  }

  private static int column(GreyImage image, int x, int above, int y, int below) {
    return image.at(x, above) + 2 * image.at(x, y) + image.at(x, below);
  }

  /** The same, where the smooth image's {@code components} are paper. */
  InkMap without(Components components) {
    byte[] rest = smooth.pixels().clone();
    for (int i = 0; i < rest.length; i++) {
      rest[i] = components.labels()[i] > 0 ? 0 : rest[i];
    }
    return new InkMap(sharp, new GreyImage(rest, smooth.width(), smooth.height()), faintest);
  }
}
