package zerofive.backend.ops;

/**
 * A set of images on the device, with the class of each.
 *
 * @param pixels U8 [images, height, width]
 * @param labels I32 [images], class indices; its length is the number of images
 * @param height of an image, in pixels
 * @param width of an image, in pixels
 */
public record Images(Buffer pixels, Buffer labels, int height, int width) {
  /** Pixels of an image. */
  public int imageSize() {
    return height * width;
  }
}
