package zerofive.backend.jvm;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;

/**
 * {@code a * b + c}, rounded once. On a CPU without such an instruction {@link Math#fma} computes
 * with BigDecimal, which takes a thousand times as long; the same float comes of doubles.
 */
final class Fma {
  private static final boolean HARDWARE = isInHardware();

  private Fma() {}

  static float fused(float a, float b, float c) {
    return HARDWARE ? Math.fma(a, b, c) : emulated(a, b, c);
  }

  /**
   * The product is exact in double. Its sum with c is rounded to odd there (the last bit is set
   * where the sum is not exact), and that rounds to the right float. (Boldo and Melquiond,
   * Emulation of FMA and correctly rounded sums, 2008.)
   */
  static float emulated(float a, float b, float c) {
    double product = (double) a * b;
    double sum = product + c;
    double fromC = sum - product;
    double error = (product - (sum - fromC)) + (c - fromC);
    // Both are false for NaN, which comes of sums that are not finite.
    if (error < 0 || error > 0) {
      long bits = Double.doubleToRawLongBits(sum);
      if ((bits & 1) == 0) {
        sum = Double.longBitsToDouble(bits + ((error > 0) == (sum > 0) ? 1 : -1));
      }
    }
    return (float) sum;
  }

  /** What the JVM found out of the CPU; one that does not say so is taken to have none. */
  private static boolean isInHardware() {
    try {
      return Boolean.parseBoolean(
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
              .getVMOption("UseFMA")
              .getValue());
    } catch (NullPointerException | IllegalArgumentException | LinkageError e) {
      return false;
    }
  }
}
