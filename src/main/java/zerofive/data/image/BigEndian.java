package zerofive.data.image;

/** Numbers and signatures in the bytes of an image file. */
final class BigEndian {
  private BigEndian() {}

  /** Big-endian, unsigned. */
  static int u16(byte[] bytes, int at) {
    return ((bytes[at] & 0xff) << 8) | (bytes[at + 1] & 0xff);
  }

  /** Big-endian, unsigned. */
  static long u32(byte[] bytes, int at) {
    return ((long) u16(bytes, at) << 16) | u16(bytes, at + 2);
  }

  /** Whether the first bytes are these, given as 0 to 255. */
  static boolean startsWith(byte[] bytes, int... expected) {
    if (bytes.length < expected.length) {
      return false;
    }
    for (int i = 0; i < expected.length; i++) {
      if ((bytes[i] & 0xff) != expected[i]) {
        return false;
      }
    }
    return true;
  }
}
