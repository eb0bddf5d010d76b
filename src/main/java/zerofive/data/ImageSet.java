package zerofive.data;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import zerofive.data.image.ImageShape;

/**
 * Labelled images, in file order.
 *
 * @param pixels [count, height * width] row-major, unsigned bytes
 * @param targets [count], index of each image's class in the data set's class list
 * @param height of an image, in pixels
 * @param width of an image, in pixels
 */
@SuppressWarnings("ArrayRecordComponent") // The arrays are shared, never changed: 9 to 47 MB.
public record ImageSet(byte[] pixels, int[] targets, int height, int width) {
  public ImageSet {
    if ((long) targets.length * height * width != pixels.length) {
      throw new IllegalArgumentException(
          pixels.length
              + " pixels are not "
              + targets.length
              + " images of "
              + height
              + " x "
              + width);
    }
  }

  /** How many images there are. */
  public int count() {
    return targets.length;
  }

  /** Height and width of one image. */
  public ImageShape shape() {
    return new ImageShape(height, width);
  }

  /** Pixels of one image. */
  public int imageSize() {
    return height * width;
  }

  /**
   * The images of some classes, still in file order.
   *
   * @param index for each target its new one, or -1 where its images are left out
   */
  ImageSet only(int[] index) {
    ImageSet some = only(image -> index[targets[image]] >= 0);
    int[] renamed = Arrays.stream(some.targets).map(target -> index[target]).toArray();
    return new ImageSet(some.pixels, renamed, height, width);
  }

  /** The images whose number is accepted, still in file order. */
  ImageSet only(IntPredicate accepted) {
    int[] selected = IntStream.range(0, count()).filter(accepted).toArray();
    byte[] selectedPixels = new byte[selected.length * imageSize()];
    for (int i = 0; i < selected.length; i++) {
      System.arraycopy(
          pixels, selected[i] * imageSize(), selectedPixels, i * imageSize(), imageSize());
    }
    int[] selectedTargets = Arrays.stream(selected).map(image -> targets[image]).toArray();
    return new ImageSet(selectedPixels, selectedTargets, height, width);
  }
}
