package zerofive.backend.jvm;

import java.util.Arrays;

/**
 * The nonzero pixels of an image, ascending: each an entry {@code pixel << 8 | value}. Behind them
 * stand entries of the value 0, up to a whole {@link Chains#GROUP}, whose index is that of a row of
 * zeros: they change no chain.
 */
final class SparseRow {
  private int[] buffer = new int[0];
  private int[] entries = buffer;
  private int count;

  /** At least {@link #padded} entries. */
  int[] entries() {
    return entries;
  }

  /** How many there are, without the padding. */
  int count() {
    return count;
  }

  /** The number of entries with their padding. */
  int padded() {
    return padded(count);
  }

  /** The next whole group. */
  static int padded(int count) {
    return (count + Chains.GROUP - 1) / Chains.GROUP * Chains.GROUP;
  }

  /** Takes entries that are never changed, with their padding. */
  void set(int[] list, int length) {
    entries = list;
    count = length;
  }

  /** Room for so many entries and their padding; what it held is lost. */
  int[] room(int length) {
    if (buffer.length < padded(length)) {
      buffer = new int[padded(length)];
    }
    entries = buffer;
    return buffer;
  }

  /** The room holds so many entries now; pads them with the index of a row of zeros. */
  void finish(int length, int zeroRow) {
    count = length;
    Arrays.fill(entries, length, padded(length), zeroRow << 8);
  }

  /** The first entry whose pixel is not below {@code pixel}; their number where there is none. */
  int firstNotBelow(int pixel) {
    int low = 0;
    int high = count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (entries[middle] >>> 8 < pixel) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
