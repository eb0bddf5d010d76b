package zerofive.data;

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
    int selected = 0;
    for (int target : targets) {
      selected += index[target] < 0 ? 0 : 1;
    }
    byte[] selectedPixels = new byte[selected * imageSize()];
    int[] selectedTargets = new int[selected];
    selected = 0;
    for (int i = 0; i < targets.length; i++) {
      if (index[targets[i]] >= 0) {
        System.arraycopy(
            pixels, i * imageSize(), selectedPixels, selected * imageSize(), imageSize());
        selectedTargets[selected++] = index[targets[i]];
      }
    }
    return new ImageSet(selectedPixels, selectedTargets, height, width);
  }
}
