package zerofive.data.image;

/**
 * How many rows and columns of pixels an image has. Messages and files name the height first, as
 * the tensors have it.
 *
 * @param height in pixels
 * @param width in pixels
 */
public record ImageShape(int height, int width) {
  /** How many pixels there are. */
  public int pixels() {
    return height * width;
  }

  /** {@code 28 x 28}. */
  @Override
  public String toString() {
    return height + " x " + width;
  }

  /** {@code 28 x 28 pixels}; which of the two numbers is which where they differ. */
  public String describe() {
    return describe(height, width);
  }

  /** The same for an image of any size, which a file's header may only claim to have. */
  static String describe(long height, long width) {
    return height + " x " + width + " pixels" + (height == width ? "" : " (height x width)");
  }
}
