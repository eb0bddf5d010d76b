package zerofive.backend;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.Arrays;
import java.util.function.IntToDoubleFunction;

/** Compares every element and names the first that is off. */
public final class Closeness {
  /** The distance from 1 to the next float. */
  public static final double EPSILON = Math.ulp(1f);

  private Closeness() {}

  /**
   * What float32 may lose in a sum: {@code c * epsilon * n * max|term|}, and the smallest normal
   * number for what underflows.
   *
   * @param c at most 8
   */
  public static double tolerance(double c, double n, double largestTerm) {
    if (c > 8) {
      throw new IllegalArgumentException("a factor of " + c + " would hide a defect");
    }
    return c * EPSILON * n * largestTerm + Float.MIN_NORMAL;
  }

  /** NaN where NaN is expected, the same infinity, and else no further off than the tolerance. */
  public static void assertClose(
      String what, double[] expected, float[] actual, IntToDoubleFunction tolerance) {
    assertClose(what, expected, widened(actual), tolerance);
  }

  /** NaN where NaN is expected, the same infinity, and else no further off than the tolerance. */
  public static void assertClose(
      String what, double[] expected, double[] actual, IntToDoubleFunction tolerance) {
    assertSameLength(what, expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      boolean close =
          Double.isFinite(expected[i])
              ? Math.abs(expected[i] - actual[i]) <= tolerance.applyAsDouble(i)
              : Double.compare(expected[i], actual[i]) == 0;
      if (!close) {
        fail(
            "%s[%d of %d] is %s, expected %s within %s"
                .formatted(
                    what, i, expected.length, actual[i], expected[i], tolerance.applyAsDouble(i)));
      }
    }
  }

  /** The same bits; any NaN is as good as any other. */
  public static void assertSameBits(String what, float[] expected, float[] actual) {
    assertSameLength(what, expected.length, actual.length);
    for (int i = 0; i < expected.length; i++) {
      if (Float.floatToIntBits(expected[i]) != Float.floatToIntBits(actual[i])) {
        fail(
            "%s[%d of %d] is %s, expected exactly %s"
                .formatted(what, i, expected.length, actual[i], expected[i]));
      }
    }
  }

  private static void assertSameLength(String what, int expected, int actual) {
    if (expected != actual) {
      fail(what + " has " + actual + " elements, expected " + expected);
    }
  }

  /** The floats as doubles. */
  public static double[] widened(float[] values) {
    double[] result = new double[values.length];
    Arrays.setAll(result, i -> values[i]);
    return result;
  }
}
