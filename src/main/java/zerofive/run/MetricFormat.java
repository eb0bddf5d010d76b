package zerofive.run;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Numbers for files. */
public final class MetricFormat {
  private static final int DIGITS = 9;
  private static final MathContext ROUNDED = new MathContext(DIGITS, RoundingMode.HALF_UP);

  private MetricFormat() {}

  /**
   * Nine significant digits, as many as tell any two float32 numbers apart, as C's {@code %#.9g}
   * writes them: {@code 0.0462680404}, {@code 1.50000000e-05}. String.format would do the same, and
   * take most of an epoch's time in a process that has just begun.
   */
  public static String significant(double value) {
    if (!Double.isFinite(value)) {
      return String.valueOf(value);
    }
    if (value == 0) {
      return "0.00000000";
    }
    BigDecimal rounded = new BigDecimal(value).round(ROUNDED);
    rounded = rounded.setScale(rounded.scale() + DIGITS - rounded.precision());
    int exponent = DIGITS - 1 - rounded.scale();
    if (exponent >= -4 && exponent < DIGITS) {
      return rounded.toPlainString();
    }
    String mantissa = rounded.scaleByPowerOfTen(-exponent).toPlainString();
    int size = Math.abs(exponent);
    return mantissa + (exponent < 0 ? "e-" : "e+") + (size < 10 ? "0" : "") + size;
  }
}
