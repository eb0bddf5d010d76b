package zerofive.backend.jvm;

import java.util.Arrays;

/**
 * Some pixels of a block of images, transposed (CSC): for each pixel the images of the block in
 * which it is nonzero, ascending, each an entry {@code row << 8 | value}.
 */
final class Columns {
  /** Images of a block, so many as a byte numbers. */
  static final int BLOCK_ROWS = 256;

  private int[] start = new int[0];
  private int[] entries = new int[0];

  /** Where the entries of column {@code c} start, and those of column {@code c - 1} end. */
  int start(int c) {
    return start[c];
  }

  int[] entries() {
    return entries;
  }

  /** A copy of the first {@code width} columns, which takes no more memory than they need. */
  Columns copy(int width) {
    Columns copy = new Columns();
    copy.start = Arrays.copyOf(start, width + 1);
    copy.entries = Arrays.copyOf(entries, start[width]);
    return copy;
  }

  /** Takes the pixels [p0, p1) of the first {@code count} rows; what it held is lost. */
  void fill(SparseImages.Row[] rows, int count, int p0, int p1) {
    int width = p1 - p0;
    if (start.length < width + 1) {
      start = new int[width + 1];
    }
    int[] next = new int[width + 1];
    for (int r = 0; r < count; r++) {
      int[] row = rows[r].entries();
      int end = rows[r].firstNotBelow(p1);
      for (int e = rows[r].firstNotBelow(p0); e < end; e++) {
        next[(row[e] >>> 8) - p0]++;
      }
    }
    int size = 0;
    for (int c = 0; c < width; c++) {
      start[c] = size;
      size += next[c];
      next[c] = start[c];
    }
    start[width] = size;
    if (entries.length < size) {
      entries = new int[size];
    }
    for (int r = 0; r < count; r++) {
      int[] row = rows[r].entries();
      int end = rows[r].firstNotBelow(p1);
      for (int e = rows[r].firstNotBelow(p0); e < end; e++) {
        entries[next[(row[e] >>> 8) - p0]++] = r << 8 | (row[e] & 0xff);
      }
    }
  }
}
