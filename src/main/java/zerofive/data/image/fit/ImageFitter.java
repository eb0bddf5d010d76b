package zerofive.data.image.fit;

import java.util.EnumSet;
import java.util.Set;
import zerofive.data.image.GreyImage;
import zerofive.files.InputException;

/**
 * Makes an image of any size look as MNIST's digits do: ink found on its paper, bright on black,
 * scaled and centred. docs/fitting.md defines every step; images of other programs that follow it
 * are the same, byte by byte.
 *
 * @param width of the fitted image, in pixels
 * @param height of the fitted image, in pixels
 * @param always whether images of that size are fitted too, which else are taken to be fitted
 */
public record ImageFitter(int width, int height, boolean always) {
  /** What a user should know of an image. */
  public enum Remark {
    /** It had dark ink on a bright background. */
    INVERTED,
    /** The ink reaches the edge of the image, so some of it may be missing. */
    TOUCHES_FRAME,
    /** It stayed as it is, but is further from the centre or larger than MNIST's digits are. */
    NOT_AS_MNIST
  }

  /**
   * An image that fits the model.
   *
   * @param pixels [height, width] row-major
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Fitted(byte[] pixels, Set<Remark> remarks) {}

  /** Fits {@code image}. Throws InputException, naming {@code name}, where no ink is found. */
  public Fitted fit(String name, GreyImage image) {
    Set<Remark> remarks = EnumSet.noneOf(Remark.class);
    if (isFlat(image)) {
      throw new InputException(
          name
              + " is empty: it has one colour and no ink; leave it out, or take a sharper picture");
    }
    return hasSize(image) && !always
        ? new Fitted(asItIs(image, remarks), remarks)
        : new Fitted(fitted(name, image, remarks), remarks);
  }

  /** Whether {@code image} has the fitted size already. */
  public boolean hasSize(GreyImage image) {
    return image.width() == width && image.height() == height;
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

  /** Inverted where the background is bright, and looked at. */
  private static byte[] asItIs(GreyImage image, Set<Remark> remarks) {
    double sum = 0;
    for (byte pixel : image.pixels()) {
      sum += pixel & 0xff;
    }
    int border = Histogram.ofBorder(image).median();
    boolean bright = border > 127 && border > sum / image.pixels().length;
    GreyImage ink = bright ? image.inverted() : image;
    if (bright) {
      remarks.add(Remark.INVERTED);
    }
    if (!isAsMnist(ink)) {
      remarks.add(Remark.NOT_AS_MNIST);
    }
    return ink.pixels();
  }

  /**
   * Whether the centre of mass is at most 2 of 28 pixels off the middle, and what is brighter than
   * a quarter at most 22 of 28 long; MNIST's own digits are, but for some.
   */
  private static boolean isAsMnist(GreyImage ink) {
    long mass = 0;
    long massX = 0;
    long massY = 0;
    Box box = null;
    for (int y = 0; y < ink.height(); y++) {
      for (int x = 0; x < ink.width(); x++) {
        int value = ink.at(x, y);
        mass += value;
        massX += (2L * x + 1) * value;
        massY += (2L * y + 1) * value;
        if (value >= 64) {
          Box pixel = new Box(x, y, x + 1, y + 1);
          box = box == null ? pixel : box.with(pixel);
        }
      }
    }
    long side = Math.min(ink.width(), ink.height());
    long offX = Math.abs(massX - mass * ink.width());
    long offY = Math.abs(massY - mass * ink.height());
    return 7 * Math.max(offX, offY) <= mass * side
        && (box == null || 28L * box.longerSide() <= 22 * side);
  }

  private byte[] fitted(String name, GreyImage image, Set<Remark> remarks) {
    GreyImage reduced = Reduction.of(image);
    Figure figure =
        Figure.find(reduced)
            .orElseThrow(
                () ->
                    new InputException(
                        name
                            + " shows no ink that stands out from its paper; take it nearer, with"
                            + " more light, or leave it out"));
    if (figure.dark()) {
      remarks.add(Remark.INVERTED);
    }
    if (figure.ink().box().touches(reduced, 1)) {
      remarks.add(Remark.TOUCHES_FRAME);
    }
    return new Frame(width, height).place(figure.ink());
  }
}
