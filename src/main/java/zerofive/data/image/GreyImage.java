package zerofive.data.image;

/**
 * A greyscale picture.
 *
 * @param pixels [height, width] row-major, unsigned bytes, 0 is black
 * @param width in pixels
 * @param height in pixels
 */
@SuppressWarnings("ArrayRecordComponent") // Shared, never changed: up to 50 MB.
public record GreyImage(byte[] pixels, int width, int height) {
  public GreyImage {
    if (width < 1 || height < 1 || (long) width * height != pixels.length) {
      throw new IllegalArgumentException(
          pixels.length + " pixels are not an image of " + height + " x " + width);
    }
  }

  /** Height and width. */
  public ImageShape shape() {
    return new ImageShape(height, width);
  }

  /** The brightness at column {@code x} of row {@code y}, from 0 to 255. */
  public int at(int x, int y) {
    return pixels[y * width + x] & 0xff;
  }

  /** The negative. */
  public GreyImage inverted() {
    byte[] negative = new byte[pixels.length];
    for (int i = 0; i < negative.length; i++) {
      negative[i] = (byte) ~pixels[i];
    }
    return new GreyImage(negative, width, height);
  }
}
