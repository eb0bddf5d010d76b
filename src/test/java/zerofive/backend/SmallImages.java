package zerofive.backend;

import java.util.Random;
import zerofive.data.Augmentation;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Parameters;

/** Small made-up images that can be learnt, and weights to begin with; the same in every run. */
public final class SmallImages {
  private SmallImages() {}

  /** Noise of bytes; the pixels whose number modulo {@code classes} is the class are brighter. */
  public static ImageSet create(long seed, int count, int height, int width, int classes) {
    Random random = new Random(seed);
    byte[] pixels = new byte[count * height * width];
    int[] targets = new int[count];
    for (int i = 0; i < count; i++) {
      targets[i] = random.nextInt(classes);
      for (int p = 0; p < height * width; p++) {
        int light = p % classes == targets[i] ? 100 : 0;
        pixels[i * height * width + p] = (byte) (light + random.nextInt(156));
      }
    }
    return new ImageSet(pixels, targets, height, width);
  }

  /** Every second image without the pixels at its sides, so that it may move and lose none. */
  static ImageSet framed(ImageSet images) {
    byte[] pixels = images.pixels().clone();
    for (int p = 0; p < pixels.length; p++) {
      int v = p / images.width() % images.height();
      int u = p % images.width();
      boolean atSide = v % (images.height() - 1) == 0 || u % (images.width() - 1) == 0;
      if (p / images.imageSize() % 2 == 0 && atSide) {
        pixels[p] = 0;
      }
    }
    return new ImageSet(pixels, images.targets(), images.height(), images.width());
  }

  /** Each image moved by its own shift; zeros move in. */
  static ImageSet shifted(ImageSet images, int[] shifts) {
    byte[] pixels = new byte[images.pixels().length];
    for (int p = 0; p < pixels.length; p++) {
      int image = p / images.imageSize();
      int v = p / images.width() % images.height() + Augmentation.dy(shifts[image]);
      int u = p % images.width() + Augmentation.dx(shifts[image]);
      if (v >= 0 && v < images.height() && u >= 0 && u < images.width()) {
        pixels[image * images.imageSize() + v * images.width() + u] = images.pixels()[p];
      }
    }
    return new ImageSet(pixels, images.targets(), images.height(), images.width());
  }

  /** Weights uniform in +-{@code bound}. */
  public static Parameters weights(long seed, Architecture architecture, float bound) {
    Random random = new Random(seed);
    float[] values = new float[architecture.parameterCount()];
    for (int i = 0; i < values.length; i++) {
      values[i] = bound * (2 * random.nextFloat() - 1);
    }
    return new Parameters(architecture, values);
  }
}
