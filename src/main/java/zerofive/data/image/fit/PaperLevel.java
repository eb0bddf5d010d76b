package zerofive.data.image.fit;

import zerofive.data.image.GreyImage;

/**
 * The brightness of the paper at every pixel of an image with dark ink, found by a morphological
 * closing (Serra 1982): the smallest of the largest brightnesses of all square windows that hold
 * the pixel. Windows may overhang the frame. Whatever is dark and narrower than the window
 * vanishes; shadows, vignettes and the desk beside the paper stay as they are.
 */
final class PaperLevel {
  private final int width;
  private final int height;
  private final int window;
  private final byte[] levels;

  private PaperLevel(GreyImage image, int window) {
    this.window = window;
    width = image.width() + window - 1;
    height = image.height() + window - 1;
    levels = new byte[width * height];
    for (int y = 0; y < image.height(); y++) {
      System.arraycopy(image.pixels(), y * image.width(), levels, y * width, image.width());
    }
  }

  /** The closing of {@code image} by squares of {@code window} pixels. */
  static GreyImage of(GreyImage image, int window) {
    PaperLevel level = new PaperLevel(image, window);
    level.dilate();
    level.erode();
    byte[] pixels = new byte[image.pixels().length];
    for (int y = 0; y < image.height(); y++) {
      System.arraycopy(level.levels, y * level.width, pixels, y * image.width(), image.width());
    }
    return new GreyImage(pixels, image.width(), image.height());
  }

  /** Each value becomes the largest of the window that ends there; spans grow by doubling. */
  private void dilate() {
    for (int span = 1, step; span < window; span += step) {
      step = Math.min(span, window - span);
      for (int y = height - 1; y >= 0; y--) {
        for (int i = y * width + width - 1; i >= y * width + step; i--) {
          levels[i] = larger(levels[i], levels[i - step]);
        }
      }
      for (int i = width * height - 1; i >= step * width; i--) {
        levels[i] = larger(levels[i], levels[i - step * width]);
      }
    }
  }

  /** Each value becomes the smallest of the window that starts there. */
  private void erode() {
    for (int span = 1, step; span < window; span += step) {
      step = Math.min(span, window - span);
      for (int y = 0; y < height; y++) {
        for (int i = y * width; i < y * width + width - step; i++) {
          levels[i] = smaller(levels[i], levels[i + step]);
        }
      }
      for (int i = 0; i < (height - step) * width; i++) {
        levels[i] = smaller(levels[i], levels[i + step * width]);
      }
    }
  }

  private static byte larger(byte a, byte b) {
    return (a & 0xff) > (b & 0xff) ? a : b;
  }

  private static byte smaller(byte a, byte b) {
    return (a & 0xff) < (b & 0xff) ? a : b;
  }
}
