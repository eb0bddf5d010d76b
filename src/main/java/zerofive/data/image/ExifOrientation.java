package zerofive.data.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Set;

/**
 * How a camera was held, as EXIF counts: 1 is upright, 3 upside down, 6 and 8 lie on a side, 2, 4,
 * 5 and 7 are mirrored too.
 *
 * <p>Only this one value is read. EXIF libraries read all values first, and a directory of 64 KB
 * may name the same bytes thousands of times: metadata-extractor 2.21 and TwelveMonkeys 3.14 take
 * 1.6 GB for it.
 *
 * @param value from 1 to 8
 */
record ExifOrientation(int value) {
  static final ExifOrientation UPRIGHT = new ExifOrientation(1);

  private static final int TAG = 0x0112;
  private static final int SHORT = 3;
  private static final int LONG = 4;
  private static final int ENTRY = 12;

  /**
   * Reads the tag 0x0112 in EXIF's TIFF structure: byte order, 42, the place of the first
   * directory, there a count and entries of tag, type, count and value. What is out of bounds or
   * unknown means upright.
   */
  static ExifOrientation read(ByteBuffer tiff) {
    try {
      tiff.order(tiff.get(0) == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
      int directory = tiff.getInt(4);
      int entry = directory + 2;
      for (int left = tiff.getShort(directory) & 0xffff; left > 0; left--) {
        if (tiff.getShort(entry) == TAG) {
          int value =
              switch (tiff.getShort(entry + 2)) {
                case SHORT -> tiff.getShort(entry + 8);
                case LONG -> tiff.getInt(entry + 8);
                default -> 0;
              };
          return value >= 1 && value <= 8 ? new ExifOrientation(value) : UPRIGHT;
        }
        entry += ENTRY;
      }
    } catch (IndexOutOfBoundsException e) {
      return UPRIGHT;
    }
    return UPRIGHT;
  }

  /** Turns a stored picture as the camera was held. */
  GreyImage turn(GreyImage stored) {
    if (value == 1) {
      return stored;
    }
    // The eight cases are made of three: 5 to 8 swap rows and columns, then both may be mirrored.
    boolean transposed = value >= 5;
    boolean fromRight = Set.of(2, 3, 7, 8).contains(value);
    boolean fromBottom = Set.of(3, 4, 6, 7).contains(value);
    int width = transposed ? stored.height() : stored.width();
    int height = transposed ? stored.width() : stored.height();
    byte[] turned = new byte[stored.pixels().length];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int storedX = transposed ? y : x;
        int storedY = transposed ? x : y;
        turned[y * width + x] =
            (byte)
                stored.at(
                    fromRight ? stored.width() - 1 - storedX : storedX,
                    fromBottom ? stored.height() - 1 - storedY : storedY);
      }
    }
    return new GreyImage(turned, width, height);
  }
}
