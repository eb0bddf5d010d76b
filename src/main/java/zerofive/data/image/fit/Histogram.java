package zerofive.data.image.fit;

import zerofive.data.image.GreyImage;

/**
 * How often each of 256 values occurs.
 *
 * @param counts [256]
 */
@SuppressWarnings("ArrayRecordComponent")
record Histogram(int[] counts) {
  static Histogram of(byte[] values) {
    int[] counts = new int[256];
    for (byte value : values) {
      counts[value & 0xff]++;
    }
    return new Histogram(counts);
  }

  static Histogram of(GreyImage image, Box box) {
    int[] counts = new int[256];
    for (int y = box.top(); y < box.bottom(); y++) {
      for (int x = box.left(); x < box.right(); x++) {
        counts[image.at(x, y)]++;
      }
    }
    return new Histogram(counts);
  }

  /** Of the outermost rows and columns. */
  static Histogram ofBorder(GreyImage image) {
    int[] counts = new int[256];
    for (int y = 0; y < image.height(); y++) {
      counts[image.at(0, y)]++;
      counts[image.at(image.width() - 1, y)]++;
    }
    for (int x = 0; x < image.width(); x++) {
      counts[image.at(x, 0)]++;
      counts[image.at(x, image.height() - 1)]++;
    }
    return new Histogram(counts);
  }

  int median() {
    int total = 0;
    for (int count : counts) {
      total += count;
    }
    return rank((total + 1) / 2);
  }

  /** The mean of the values from {@code min} on, rounded down; there is at least one. */
  int meanFrom(int min) {
    long count = 0;
    long sum = 0;
    for (int value = min; value < counts.length; value++) {
      count += counts[value];
      sum += (long) value * counts[value];
    }
    return (int) (sum / count);
  }

  /** The median distance from {@code centre}. */
  int deviation(int centre) {
    int[] distances = new int[256];
    for (int value = 0; value < 256; value++) {
      distances[Math.abs(value - centre)] += counts[value];
    }
    return new Histogram(distances).median();
  }

  /** The {@code n}-th smallest value, from 1. */
  int rank(int n) {
    int value = 0;
    for (int seen = counts[0]; seen < n; seen += counts[value]) {
      value++;
    }
    return value;
  }
}
