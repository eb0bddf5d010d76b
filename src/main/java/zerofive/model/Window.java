package zerofive.model;

/**
 * What a layer reads of its image, and what it makes of it: a square window of weights for each
 * output channel, moved over the image in steps. Images are [height, width, channels]; outside them
 * are zeros. A fully connected layer is a window of one pixel over an image of one pixel, which has
 * all inputs as its channels.
 *
 * @param height of the image in pixels
 * @param width of the image in pixels
 * @param channels values of a pixel
 * @param outputs channels of the image that the layer makes
 * @param kernel side of the window in pixels
 * @param stride pixels from a window to the next, down and across
 * @param border zeros around the image, in pixels
 */
public record Window(
    int height, int width, int channels, int outputs, int kernel, int stride, int border) {
  /** Values that the windows at all places of one image may cover: 2^27 are 512 MiB. */
  private static final long MAX_VALUES = 1L << 27;

  /** Throws IllegalArgumentException where no window fits or too much is covered. */
  public Window {
    if (height < 1 || width < 1 || channels < 1 || outputs < 1) {
      throw new IllegalArgumentException("a layer needs at least one input and one output");
    }
    if (kernel < 1 || stride < 1 || border < 0 || border >= kernel) {
      throw new IllegalArgumentException(
          "no window has kernel " + kernel + ", stride " + stride + " and border " + border);
    }
    if (Math.min(height, width) + 2 * border < kernel) {
      throw new IllegalArgumentException(
          "an image of "
              + height
              + " x "
              + width
              + " is too small for a window of "
              + kernel
              + " x "
              + kernel
              + " pixels");
    }
    long positions =
        ((height + 2L * border - kernel) / stride + 1)
            * ((width + 2L * border - kernel) / stride + 1);
    long values = positions * Math.max(outputs, (long) kernel * kernel * channels);
    boolean dense = height == 1 && width == 1 && kernel == 1;
    if (!dense && values > MAX_VALUES) {
      throw new IllegalArgumentException(
          "a layer of "
              + outputs
              + " outputs over "
              + height
              + " x "
              + width
              + " x "
              + channels
              + " values takes over "
              + MAX_VALUES
              + " values for one image; choose a smaller layer or a stride of 2");
    }
  }

  /** The window of a fully connected layer. */
  public static Window dense(int inputs, int outputs) {
    return new Window(1, 1, inputs, outputs, 1, 1, 0);
  }

  /** Whether it is that of a fully connected layer. */
  public boolean isDense() {
    return height == 1 && width == 1 && kernel == 1;
  }

  /** Height in pixels of the image that the layer makes. */
  public int outputHeight() {
    return (height + 2 * border - kernel) / stride + 1;
  }

  /** Width in pixels of the image that the layer makes. */
  public int outputWidth() {
    return (width + 2 * border - kernel) / stride + 1;
  }

  /** Places of the window, which are the pixels of the image that the layer makes. */
  public int positions() {
    return outputHeight() * outputWidth();
  }

  /** Weights of one output channel, [kernel, kernel, channels]: columns of the weight matrix. */
  public int fanIn() {
    return kernel * kernel * channels;
  }

  /** Values of the image that the layer reads. */
  public int inputSize() {
    return height * width * channels;
  }

  /** Values of the image that the layer makes. */
  public int outputSize() {
    return positions() * outputs;
  }
}
