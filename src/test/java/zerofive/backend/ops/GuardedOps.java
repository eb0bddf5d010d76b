package zerofive.backend.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import zerofive.backend.Implementations;
import zerofive.model.Loss;

/**
 * Operations of one implementation and buffers with guard bands: each is a slice in the middle of a
 * larger buffer full of markers. An op that writes past an end changes a marker; one that reads
 * past an end of floats meets NaN.
 */
final class GuardedOps implements AutoCloseable {
  /** Elements on each side; odd, so that no buffer begins where a vector instruction likes it. */
  private static final int BAND = 17;

  private static final float FLOAT_MARKER = Float.intBitsToFloat(0x7fc0dead);
  private static final int INT_MARKER = 4;
  private static final byte BYTE_MARKER = (byte) 0xa5;

  /** Integers can be read back below this bound, for {@link #readInts} looks them up in images. */
  static final int INT_BOUND = 1 << 12;

  private final Ops ops;
  private final List<Region> regions = new ArrayList<>();

  GuardedOps(String implementation) {
    ops = new CheckedOps(Implementations.ops(implementation));
  }

  /** A guarded buffer, with all that its surroundings held when it was made. */
  final class Region {
    private final Buffer whole;
    private final int length;
    private final boolean input;
    private final int[] before;

    private Region(Buffer whole, int length, boolean input) {
      this.whole = whole;
      this.length = length;
      this.input = input;
      this.before = bits(whole);
      regions.add(this);
    }

    /** What an op is given. */
    Buffer buffer() {
      return whole.slice(BAND, length);
    }

    /** All of it but what is left over, as a matrix. */
    Matrix matrix(int rows, int columns) {
      return new Matrix(buffer(), rows, columns);
    }

    float[] floats() {
      float[] values = new float[length];
      ops.download(buffer(), values);
      return values;
    }

    double[] doubles() {
      double[] values = new double[length];
      ops.download(buffer(), values);
      return values;
    }

    int[] ints() {
      return readInts(buffer());
    }

    private void assertIntact() {
      int[] after = bits(whole);
      int perElement = after.length / whole.length();
      for (int i = 0; i < after.length; i++) {
        int at = i / perElement - BAND;
        if (input || at < 0 || at >= length) {
          assertEquals(
              before[i],
              after[i],
              "bits of element " + at + " of a " + whole.type() + " buffer of " + length);
        }
      }
    }
  }

  Ops ops() {
    return ops;
  }

  /** Numbers that no op may change. */
  Region input(float[] values) {
    return region(values, true);
  }

  /** Numbers that an op may change. */
  Region output(float[] values) {
    return region(values, false);
  }

  /** Room for numbers, full of NaN. */
  Region output(int length) {
    float[] values = new float[length];
    Arrays.fill(values, FLOAT_MARKER);
    return region(values, false);
  }

  private Region region(float[] values, boolean input) {
    float[] padded = new float[values.length + 2 * BAND];
    Arrays.fill(padded, FLOAT_MARKER);
    System.arraycopy(values, 0, padded, BAND, values.length);
    Buffer whole = ops.allocate(ElementType.F32, padded.length);
    ops.upload(padded, whole);
    return new Region(whole, values.length, input);
  }

  /** Integers in [0, INT_BOUND) that no op may change. */
  Region input(int[] values) {
    return region(values, true);
  }

  /** Integers in [0, INT_BOUND) that an op may change. */
  Region output(int[] values) {
    return region(values, false);
  }

  private Region region(int[] values, boolean input) {
    int[] padded = new int[values.length + 2 * BAND];
    Arrays.fill(padded, INT_MARKER);
    System.arraycopy(values, 0, padded, BAND, values.length);
    Buffer whole = ops.allocate(ElementType.I32, padded.length);
    ops.upload(padded, whole);
    return new Region(whole, values.length, input);
  }

  /** Bytes that no op may change. */
  Region input(byte[] values) {
    return region(values, true);
  }

  /** Bytes that an op may change. */
  Region output(byte[] values) {
    return region(values, false);
  }

  private Region region(byte[] values, boolean input) {
    byte[] padded = new byte[values.length + 2 * BAND];
    Arrays.fill(padded, BYTE_MARKER);
    System.arraycopy(values, 0, padded, BAND, values.length);
    Buffer whole = ops.allocate(ElementType.U8, padded.length);
    ops.upload(padded, 0, whole);
    return new Region(whole, values.length, input);
  }

  /** A metrics buffer, zero. */
  Region metrics() {
    return doubles(Ops.METRICS);
  }

  /**
   * Doubles, zero. Nothing uploads them, so their markers are what evaluating two rows with a loss
   * of log 2 leaves.
   */
  Region doubles(int length) {
    Buffer whole = ops.allocate(ElementType.F64, length + 2 * BAND);
    Matrix zeros = new Matrix(ops.allocate(ElementType.F32, 2), 2, 1);
    Buffer targets = ops.allocate(ElementType.I32, 2);
    ops.upload(new int[] {1, 1}, targets);
    for (int at = 0; at + Ops.METRICS <= whole.length(); at++) {
      ops.evaluate(Loss.BCE, zeros, targets, whole.slice(at, Ops.METRICS));
    }
    ops.clear(whole.slice(BAND, length));
    double[] values = new double[whole.length()];
    ops.download(whole, values);
    for (int i = 0; i < values.length; i++) {
      boolean inside = i >= BAND && i < BAND + length;
      assertEquals(inside, values[i] == 0, "marker " + i);
      assertFalse(Double.isNaN(values[i]), "marker " + i);
    }
    return new Region(whole, length, false);
  }

  /** Every marker is where it was, and every input is what it was. */
  void assertIntact() {
    regions.forEach(Region::assertIntact);
  }

  /** Every bit of a buffer; a double fills two integers. */
  int[] bits(Buffer buffer) {
    int length = buffer.length();
    return switch (buffer.type()) {
      case U8 -> readBytes(buffer);
      case I32 -> readInts(buffer);
      case F32 -> {
        float[] values = new float[length];
        ops.download(buffer, values);
        int[] bits = new int[length];
        Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
        yield bits;
      }
      case F64 -> {
        double[] values = new double[length];
        ops.download(buffer, values);
        int[] bits = new int[2 * length];
        Arrays.setAll(
            bits, i -> (int) (Double.doubleToRawLongBits(values[i / 2]) >>> (i % 2 * 32)));
        yield bits;
      }
    };
  }

  /** Only floats can be downloaded, so integers pick images whose two pixels are their number. */
  private int[] readInts(Buffer numbers) {
    byte[] images = new byte[2 * INT_BOUND];
    for (int i = 0; i < INT_BOUND; i++) {
      images[2 * i] = (byte) i;
      images[2 * i + 1] = (byte) (i >> 8);
    }
    Buffer pixels = ops.allocate(ElementType.U8, images.length);
    ops.upload(images, 0, pixels);
    Buffer labels = ops.allocate(ElementType.I32, INT_BOUND);
    int[] digits = gathered(pixels, labels, numbers, 2);
    int[] result = new int[numbers.length()];
    Arrays.setAll(result, i -> digits[2 * i] + 256 * digits[2 * i + 1]);
    return result;
  }

  /** Only floats can be downloaded, so bytes are images of one pixel. */
  private int[] readBytes(Buffer bytes) {
    int[] ascending = new int[bytes.length()];
    Arrays.setAll(ascending, i -> i);
    Buffer order = ops.allocate(ElementType.I32, ascending.length);
    ops.upload(ascending, order);
    Buffer labels = ops.allocate(ElementType.I32, ascending.length);
    return gathered(bytes, labels, order, 1);
  }

  private int[] gathered(Buffer pixels, Buffer labels, Buffer order, int width) {
    int rows = order.length();
    Matrix x = new Matrix(ops.allocate(ElementType.F32, rows * width), rows, width);
    Buffer targets = ops.allocate(ElementType.I32, rows);
    ops.gather(new Images(pixels, labels, 1, width), new Batch(order, 0, rows), x, targets);
    float[] values = new float[rows * width];
    ops.download(x.values(), values);
    int[] bytes = new int[values.length];
    Arrays.setAll(bytes, i -> Math.round(values[i] * 255));
    return bytes;
  }

  @Override
  public void close() {
    ops.close();
  }
}
