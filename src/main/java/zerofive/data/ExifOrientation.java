package zerofive.data;

/**
 * Finds how a camera was held in EXIF's TIFF structure: byte order, 42, the place of the first
 * directory, there the tag 0x0112. Whatever is out of bounds or unknown means upright.
 */
final class ExifOrientation {
  private static final int UPRIGHT = 1;
  private static final int TAG = 0x0112;
  private static final int SHORT = 3;
  private static final int ENTRY = 12;

  private final byte[] bytes;
  private final int begin;
  private final int end;
  private final boolean littleEndian;

  /** The structure that lies in {@code bytes[begin .. end)}, of at least eight bytes. */
  ExifOrientation(byte[] bytes, int begin, int end) {
    this.bytes = bytes;
    this.begin = begin;
    this.end = end;
    littleEndian = bytes[begin] == 'I';
  }

  /** 1 to 8, as EXIF counts: 1 is upright, 3 upside down, 6 and 8 lie on a side. */
  int read() {
    long directory =
        begin
            + ((long) u16(littleEndian ? begin + 6 : begin + 4) << 16)
            + u16(littleEndian ? begin + 4 : begin + 6);
    if (directory + 2 > end) {
      return UPRIGHT;
    }
    int entry = (int) directory + 2;
    for (int left = u16((int) directory); left > 0 && entry + ENTRY <= end; left--) {
      if (u16(entry) == TAG && u16(entry + 2) == SHORT) {
        int value = u16(entry + 8);
        return value >= 1 && value <= 8 ? value : UPRIGHT;
      }
      entry += ENTRY;
    }
    return UPRIGHT;
  }

  private int u16(int at) {
    int first = bytes[at] & 0xff;
    int second = bytes[at + 1] & 0xff;
    return littleEndian ? (second << 8) | first : (first << 8) | second;
  }
}
