package zerofive.backend.jvm;

import static zerofive.backend.jvm.ElementMath.PIXEL_SCALE;
import static zerofive.backend.jvm.ElementMath.fused;

import java.util.Arrays;

/**
 * Sums of rows times numbers, each element a chain: s = fma(a, b, s), in order.
 *
 * <p>The loops run over the elements of a row, so that the JVM's compiler makes vectors of them.
 * Four terms at once, to one chain, are the form that both JDK 17 and 25 compile well: of more
 * arrays in one loop they run out of registers, and rows inside one large array are not recognised
 * as disjoint.
 */
final class Chains {
  /** Terms of a group of a sparse sum: four for each of its four chains. */
  private static final int GROUP = 16;

  private static final int SPARSE_CHAINS = 4;
  private static final int DOT_CHAINS = 16;

  private final float[][] sums;

  /** Room for the sums of rows of up to {@code width} elements. */
  Chains(int width) {
    sums = new float[SPARSE_CHAINS][width];
  }

  /**
   * out[j] += the sum over i of factors[i] * rows[i][j], i ascending, one chain that begins with
   * what out holds.
   */
  static void addProducts(float[] factors, float[][] rows, int count, float[] out) {
    int i = 0;
    for (; i + 4 <= count; i += 4) {
      addFour(
          out,
          factors[i],
          rows[i],
          factors[i + 1],
          rows[i + 1],
          factors[i + 2],
          rows[i + 2],
          factors[i + 3],
          rows[i + 3]);
    }
    for (; i < count; i++) {
      addOne(out, factors[i], rows[i]);
    }
  }

  /**
   * out[j] = T4 of the sum over the entries of value * rows[index][j], entry e in chain e mod 4;
   * times 1/255, plus bias[j].
   *
   * @param entries as {@link SparseImages.Row} has them
   */
  void sparseProduct(int[] entries, int count, float[][] rows, float[] bias, float[] out) {
    sumChains(entries, 0, count, rows);
    float[] s0 = sums[0];
    float[] s1 = sums[1];
    float[] s2 = sums[2];
    float[] s3 = sums[3];
    for (int j = 0; j < out.length; j++) {
      out[j] = fused((s0[j] + s1[j]) + (s2[j] + s3[j]), PIXEL_SCALE, bias[j]);
    }
  }

  /**
   * One row of the gradient of the first layer's weights: the same T4 of the entries [from, to),
   * times 1/255, in place of what gradient holds or added to it.
   */
  void columnGradient(
      int[] entries, int from, int to, float[][] rows, float[] gradient, boolean isFirst) {
    if (isFirst) {
      // What is added to -0 keeps its sign, also where it is a zero.
      Arrays.fill(gradient, -0.0f);
    }
    sumChains(entries, from, to, rows);
    float[] s0 = sums[0];
    float[] s1 = sums[1];
    float[] s2 = sums[2];
    float[] s3 = sums[3];
    for (int j = 0; j < gradient.length; j++) {
      gradient[j] += ((s0[j] + s1[j]) + (s2[j] + s3[j])) * PIXEL_SCALE;
    }
  }

  private void sumChains(int[] entries, int from, int to, float[][] rows) {
    int whole = to - (to - from) % GROUP;
    for (int chain = 0; chain < SPARSE_CHAINS; chain++) {
      float[] sum = sums[chain];
      Arrays.fill(sum, 0);
      int e = from + chain;
      for (; e < whole; e += GROUP) {
        int e0 = entries[e];
        int e1 = entries[e + 4];
        int e2 = entries[e + 8];
        int e3 = entries[e + 12];
        addFour(
            sum,
            e0 & 0xff,
            rows[e0 >>> 8],
            e1 & 0xff,
            rows[e1 >>> 8],
            e2 & 0xff,
            rows[e2 >>> 8],
            e3 & 0xff,
            rows[e3 >>> 8]);
      }
      for (; e < to; e += SPARSE_CHAINS) {
        addOne(sum, entries[e] & 0xff, rows[entries[e] >>> 8]);
      }
    }
  }

  /** sum[j] += terms[j] */
  static void add(float[] sum, float[] terms) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] += terms[j];
    }
  }

  private static void addFour(
      float[] sum,
      float f0,
      float[] row0,
      float f1,
      float[] row1,
      float f2,
      float[] row2,
      float f3,
      float[] row3) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] =
          fused(f3, row3[j], fused(f2, row2[j], fused(f1, row1[j], fused(f0, row0[j], sum[j]))));
    }
  }

  private static void addOne(float[] sum, float factor, float[] row) {
    for (int j = 0; j < sum.length; j++) {
      sum[j] = fused(factor, row[j], sum[j]);
    }
  }

  /** T16 of the products a[i] * b[i], i in chain i mod 16; zeros pad a and b to whole groups. */
  static float dot(float[] a, float[] b) {
    float[] chains = new float[DOT_CHAINS];
    for (int i = 0; i < a.length; i++) {
      int chain = i % DOT_CHAINS;
      chains[chain] = fused(a[i], b[i], chains[chain]);
    }
    for (int i = a.length; i % DOT_CHAINS != 0; i++) {
      // The padding: 0 * 0 added to -0 is +0.
      chains[i % DOT_CHAINS] += 0.0f;
    }
    return t16(chains);
  }

  /** T16 of value * weights[pixel], pixel p in chain p mod 16. */
  static float dot(SparseImages.Row row, float[] weights) {
    float[] chains = new float[DOT_CHAINS];
    int[] entries = row.entries();
    for (int e = 0; e < row.count(); e++) {
      int pixel = entries[e] >>> 8;
      int chain = pixel % DOT_CHAINS;
      chains[chain] = fused(entries[e] & 0xff, weights[pixel], chains[chain]);
    }
    return t16(chains);
  }

  private static float t16(float[] chains) {
    for (int stride = DOT_CHAINS / 2; stride > 0; stride /= 2) {
      for (int i = 0; i < stride; i++) {
        chains[i] += chains[i + stride];
      }
    }
    return chains[0];
  }
}
