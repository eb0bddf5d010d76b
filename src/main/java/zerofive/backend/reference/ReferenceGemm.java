package zerofive.backend.reference;

import java.util.Arrays;
import zerofive.backend.ops.Matrix;

/**
 * Matrix product with sums in double, rounded to float once.
 *
 * <p>A product of two floats is exact in double, so an element's error is that of the additions: k
 * * 2^-53 relative to the sum of magnitudes. The loops are laid out for the JIT's vectoriser, which
 * wants long inner loops over whole arrays: of the two outer dimensions the longer one is innermost
 * ("wide"), eight steps of k are taken at once, and all operands are first copied as doubles into
 * blocks of separate row arrays. With x [256, 784] and W [30, 784] that is 256 images wide in the
 * forward and 784 pixels wide in the backward pass.
 */
final class ReferenceGemm {
  private static final int WIDE = 512;
  private static final int DEEP = 256;
  private static final int UNROLL = 8;

  /** right[p][j], a block of the operand that has the wide dimension. */
  private final double[][] right = new double[DEEP][WIDE];

  /** left[i][p], the matching block of the other operand. */
  private double[][] left = new double[0][];

  /** sums[i][j], the block's result. */
  private double[][] sums = new double[0][];

  private final Operand first = new Operand();
  private final Operand second = new Operand();
  private final Operand result = new Operand();

  /** c [m, n] = op(a) [m, k] op(b) [k, n]. */
  void multiply(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    int m = c.rows();
    int n = c.columns();
    int k = transposeA ? a.rows() : a.columns();
    first.set(a, transposeA);
    second.set(b, transposeB);
    result.set(c, false);
    if (n >= m) {
      multiply(m, n, k, first, second);
    } else {
      first.transpose();
      second.transpose();
      result.transpose();
      multiply(n, m, k, second, first);
    }
  }

  /**
   * Where a matrix lies: element (row, column) at offset + row * rowStride + column * columnStride.
   */
  private static final class Operand {
    private float[] values;
    private int offset;
    private int rowStride;
    private int columnStride;

    void set(Matrix matrix, boolean transposed) {
      ReferenceBuffer buffer = (ReferenceBuffer) matrix.values();
      values = buffer.floats();
      offset = buffer.offset();
      rowStride = transposed ? 1 : matrix.columns();
      columnStride = transposed ? matrix.columns() : 1;
    }

    void transpose() {
      int between = rowStride;
      rowStride = columnStride;
      columnStride = between;
    }

    int index(int row, int column) {
      return offset + row * rowStride + column * columnStride;
    }
  }

  private void multiply(int narrow, int wide, int k, Operand a, Operand b) {
    if (left.length < narrow) {
      left = new double[narrow][DEEP];
      sums = new double[narrow][WIDE];
    }
    int blockColumns = evenBlock(wide, WIDE, 1);
    int blockDepth = evenBlock(k, DEEP, UNROLL);
    for (int j0 = 0; j0 < wide; j0 += blockColumns) {
      int columns = Math.min(blockColumns, wide - j0);
      for (int i = 0; i < narrow; i++) {
        Arrays.fill(sums[i], 0, columns, 0.0);
      }
      for (int p0 = 0; p0 < k; p0 += blockDepth) {
        int depth = Math.min(blockDepth, k - p0);
        copyLeft(a, narrow, p0, depth);
        copyRight(b, p0, depth, j0, columns);
        for (int p = 0; p < depth; p += UNROLL) {
          addEightRows(p, narrow, columns);
        }
      }
      for (int i = 0; i < narrow; i++) {
        store(sums[i], result, i, j0, columns);
      }
    }
  }

  /**
   * Eight steps of k for the whole block of sums. A method of its own: as one more loop inside
   * {@link #multiply} HotSpot gives up vectorising, in some runs, and the product takes over twice
   * as long.
   */
  private void addEightRows(int p, int narrow, int columns) {
    for (int i = 0; i < narrow; i++) {
      addEight(sums[i], left[i], p, columns);
    }
  }

  /** {@code sum[j] += sum over q in [0, 8) of left[p + q] * right[p + q][j]}, q ascending. */
  private void addEight(double[] sum, double[] left, int p, int columns) {
    addEight(
        sum,
        columns,
        left[p],
        right[p],
        left[p + 1],
        right[p + 1],
        left[p + 2],
        right[p + 2],
        left[p + 3],
        right[p + 3],
        left[p + 4],
        right[p + 4],
        left[p + 5],
        right[p + 5],
        left[p + 6],
        right[p + 6],
        left[p + 7],
        right[p + 7]);
  }

  private static void addEight(
      double[] sum,
      int columns,
      double w0,
      double[] x0,
      double w1,
      double[] x1,
      double w2,
      double[] x2,
      double w3,
      double[] x3,
      double w4,
      double[] x4,
      double w5,
      double[] x5,
      double w6,
      double[] x6,
      double w7,
      double[] x7) {
    for (int j = 0; j < columns; j++) {
      sum[j] =
          sum[j]
              + w0 * x0[j]
              + w1 * x1[j]
              + w2 * x2[j]
              + w3 * x3[j]
              + w4 * x4[j]
              + w5 * x5[j]
              + w6 * x6[j]
              + w7 * x7[j];
    }
  }

  /**
   * Rows past {@code depth}, up to a multiple of eight, are zero on both sides: they add nothing.
   */
  private void copyLeft(Operand a, int narrow, int p0, int depth) {
    float[] from = a.values;
    for (int i = 0; i < narrow; i++) {
      double[] row = left[i];
      copy(from, a.index(i, p0), a.columnStride, row, depth);
      Arrays.fill(row, depth, padded(depth), 0.0);
    }
  }

  private void copyRight(Operand b, int p0, int depth, int j0, int columns) {
    float[] from = b.values;
    for (int p = 0; p < depth; p++) {
      copy(from, b.index(p0 + p, j0), b.columnStride, right[p], columns);
    }
    for (int p = depth; p < padded(depth); p++) {
      Arrays.fill(right[p], 0, columns, 0.0);
    }
  }

  private static void copy(float[] from, int at, int stride, double[] to, int count) {
    if (stride == 1) {
      for (int i = 0; i < count; i++) {
        to[i] = from[at + i];
      }
    } else {
      for (int i = 0; i < count; i++) {
        to[i] = from[at + i * stride];
      }
    }
  }

  private static void store(double[] sum, Operand c, int i, int j0, int columns) {
    float[] to = c.values;
    int at = c.index(i, j0);
    for (int j = 0; j < columns; j++) {
      to[at + j * c.columnStride] = (float) sum[j];
    }
  }

  /** The size of blocks, a multiple of {@code unit}, that share {@code size} out evenly. */
  private static int evenBlock(int size, int maxSize, int unit) {
    int blocks = (size + maxSize - 1) / maxSize;
    return ((size + blocks - 1) / blocks + unit - 1) / unit * unit;
  }

  private static int padded(int depth) {
    return (depth + UNROLL - 1) / UNROLL * UNROLL;
  }
}
