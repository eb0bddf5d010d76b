package zerofive.data;

import zerofive.data.image.ImageShape;

/**
 * Random shifts of the training images: in every epoch each is moved by (dx, dy) pixels, both
 * uniform in [-reach, reach], and zeros move in.
 *
 * @param reach in pixels, 0 to {@link #MAX}; 0 leaves every image where it is
 */
public record Augmentation(int reach) {
  /** A shift is kept in a signed byte. */
  public static final int MAX = Byte.MAX_VALUE;

  /** Every image stays where it is. */
  public static final Augmentation NONE = new Augmentation(0);

  private static final String SHIFT = "shift:";

  public Augmentation {
    if (reach < 0 || reach > MAX) {
      throw new IllegalArgumentException("shift " + reach + " is not in 0 to " + MAX);
    }
  }

  /** Parses {@code none} or {@code shift:2}; throws IllegalArgumentException. */
  public static Augmentation parse(String text) {
    if (text.equals(NONE.toString())) {
      return NONE;
    }
    if (text.matches(SHIFT + "\\d{1,3}")) {
      return new Augmentation(Integer.parseInt(text.substring(SHIFT.length())));
    }
    throw new IllegalArgumentException(
        "unknown augmentation '" + text + "'; known are none and shift:K, such as shift:2");
  }

  /** Whether images stay where they are. */
  public boolean isNone() {
    return reach == 0;
  }

  /** Throws IllegalArgumentException where images of this size could be moved out of sight. */
  public void check(int height, int width) {
    int max = Math.min(height, width) - 1;
    if (reach > max) {
      throw new IllegalArgumentException(
          "--augment "
              + this
              + " would move images of "
              + new ImageShape(height, width).describe()
              + " out of sight; shift at most by "
              + Math.min(max, MAX));
    }
  }

  /**
   * The shifts of one epoch. Each is a pure function of seed, epoch and image number: a number of a
   * stream that neither shuffles nor initial weights use, looked up by its index.
   *
   * @param count training images
   * @param seed of the run
   * @param epoch counted from 1
   * @return [count], packed; null where nothing is shifted
   */
  public int[] shifts(int count, long seed, int epoch) {
    if (isNone()) {
      return null;
    }
    SplitMix64 random = new SplitMix64(seed, -(long) epoch);
    int[] shifts = new int[count];
    for (int image = 0; image < count; image++) {
      long bits = random.at(image);
      shifts[image] = pack(uniform(bits >>> 32), uniform(bits & 0xffffffffL));
    }
    return shifts;
  }

  /** Uniform in [-reach, reach], its bias below 2^-24, from 32 random bits. */
  private int uniform(long bits) {
    return (int) ((bits * (2 * reach + 1)) >>> 32) - reach;
  }

  /** Two signed bytes in one number: dx, to the right, in the lowest and dy, down, above it. */
  public static int pack(int dx, int dy) {
    return (dy & 0xff) << 8 | (dx & 0xff);
  }

  /** How far to the right. */
  public static int dx(int packed) {
    return (byte) packed;
  }

  /** How far down. */
  public static int dy(int packed) {
    return (byte) (packed >> 8);
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return isNone() ? "none" : SHIFT + reach;
  }
}
