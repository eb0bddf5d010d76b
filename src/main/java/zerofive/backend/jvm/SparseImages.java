package zerofive.backend.jvm;

import java.util.Arrays;
import zerofive.backend.DeviceException;
import zerofive.data.Augmentation;
import zerofive.data.ImageSet;

/**
 * Images as rows of their nonzero pixels. Rows are made once and stored, or made each time from the
 * pixels, where images are used once or are large.
 */
final class SparseImages {
  /** The largest images whose rows are stored, at four bytes a nonzero pixel. */
  private static final int MAX_STORED_PIXELS = 1 << 16;

  /** An entry has 24 bits for the index of a pixel. */
  private static final int MAX_PIXELS = 1 << 24;

  private final ImageSet images;
  private final int width;
  private final int inputs;

  /** Each image's entries; null where they are not stored. */
  private final int[][] stored;

  /** The x of each pixel, where rows are stored. */
  private final int[] columns;

  private SparseImages(ImageSet images, boolean isStored) {
    this.images = images;
    width = images.width();
    inputs = images.imageSize();
    stored = isStored ? new int[images.count()][] : null;
    columns = isStored ? new int[inputs] : null;
  }

  /** Images that are read often. */
  static SparseImages stored(ImageSet images, Team team) {
    SparseImages sparse =
        new SparseImages(checked(images), images.imageSize() <= MAX_STORED_PIXELS);
    if (sparse.isStored()) {
      sparse.store(team);
    }
    return sparse;
  }

  /** Images that are read once. */
  static SparseImages scanned(ImageSet images) {
    return new SparseImages(checked(images), false);
  }

  private static ImageSet checked(ImageSet images) {
    if (images.imageSize() > MAX_PIXELS) {
      throw new DeviceException(
          "images of "
              + images.imageSize()
              + " pixels are too large for the CPU's Java code; install a C++ compiler, so that"
              + " native code serves, or choose --device reference");
    }
    return images;
  }

  private void store(Team team) {
    for (int p = 0; p < inputs; p++) {
      columns[p] = p % width;
    }
    team.run(
        member -> {
          Row row = new Row();
          int end = team.start(images.count(), member + 1);
          for (int image = team.start(images.count(), member); image < end; image++) {
            scan(image, 0, 0, inputs, row);
            stored[image] = Arrays.copyOf(row.entries(), row.count());
          }
        });
  }

  int count() {
    return images.count();
  }

  /** The class of an image. */
  int target(int image) {
    return images.targets()[image];
  }

  /** Pixels of an image. */
  int inputs() {
    return inputs;
  }

  boolean isStored() {
    return stored != null;
  }

  /** The number of all nonzero pixels of stored rows. */
  long entries() {
    long sum = 0;
    for (int[] entries : stored) {
      sum += entries.length;
    }
    return sum;
  }

  /**
   * Divides the pixels among so many threads, so that each has about as many nonzero ones.
   *
   * @return the first pixel of each part, and behind the last their number
   */
  int[] bounds(int parts) {
    int[] bounds = new int[parts + 1];
    bounds[parts] = inputs;
    if (!isStored()) {
      for (int part = 1; part < parts; part++) {
        bounds[part] = (int) ((long) inputs * part / parts);
      }
      return bounds;
    }
    long[] nonzero = new long[inputs];
    for (int[] entries : stored) {
      for (int entry : entries) {
        nonzero[entry >>> 8]++;
      }
    }
    long all = entries();
    long sum = 0;
    int p = 0;
    for (int part = 1; part < parts; part++) {
      while (p < inputs && sum * parts < all * part) {
        sum += nonzero[p++];
      }
      bounds[part] = p;
    }
    return bounds;
  }

  /** The entries of an image that is moved by a packed shift, 0 for not at all. */
  void row(int image, int shift, Row row) {
    if (!isStored()) {
      scan(image, shift, 0, inputs, row);
    } else if (shift == 0) {
      row.set(stored[image], stored[image].length);
    } else {
      move(image, shift, row);
    }
  }

  private void move(int image, int shift, Row row) {
    int[] from = stored[image];
    int[] to = row.room(from.length + 1);
    int dx = Augmentation.dx(shift);
    int offset = Augmentation.dy(shift) * width + dx;
    int n = 0;
    for (int entry : from) {
      int pixel = entry >>> 8;
      int moved = pixel + offset;
      int column = columns[pixel] + dx;
      to[n] = moved << 8 | (entry & 0xff);
      n += moved >= 0 && moved < inputs && column >= 0 && column < width ? 1 : 0;
    }
    row.set(to, n);
  }

  /** The entries of the pixels [p0, p1) of a moved image, from its bytes. */
  void scan(int image, int shift, int p0, int p1, Row row) {
    int[] to = row.room(p1 - p0 + 1);
    byte[] pixels = images.pixels();
    int first = image * inputs;
    int dx = Augmentation.dx(shift);
    int dy = Augmentation.dy(shift);
    int n = 0;
    for (int y = p0 / width; y * width < p1; y++) {
      if (y - dy < 0 || y - dy >= images.height()) {
        continue;
      }
      int line = y * width;
      int from = Math.max(Math.max(p0, line), line + dx);
      int end = Math.min(Math.min(p1, line + width), line + width + dx);
      int moved = first - dy * width - dx;
      for (int p = from; p < end; p++) {
        int value = pixels[moved + p] & 0xff;
        to[n] = p << 8 | value;
        n += value != 0 ? 1 : 0;
      }
    }
    row.set(to, n);
  }

  /** The nonzero pixels of an image, ascending: each an entry {@code pixel << 8 | value}. */
  static final class Row {
    private int[] buffer = new int[0];
    private int[] entries = buffer;
    private int count;

    /** At least {@link #count} entries. */
    int[] entries() {
      return entries;
    }

    /** How many there are. */
    int count() {
      return count;
    }

    /** Takes the first entries of a list, which are not changed. */
    private void set(int[] list, int length) {
      entries = list;
      count = length;
    }

    /** Room for so many entries, to be set. */
    private int[] room(int length) {
      if (buffer.length < length) {
        buffer = new int[length];
      }
      return buffer;
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
}
