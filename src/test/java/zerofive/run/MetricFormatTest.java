package zerofive.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FiguresTest {
  @ParameterizedTest
  @ValueSource(
      doubles = {
        0.5,
        1,
        -1,
        0.1,
        1e-4,
        9.9999999999e-5,
        0.99999999999,
        999999999.4,
        999999999.6,
        1e9,
        1.5e-5,
        -2.25e-300,
        Double.MAX_VALUE,
        123456789,
        12345.6789012345
      })
  void nineDigitsAsFormatWritesThem(double value) {
    assertEquals(String.format(Locale.ROOT, "%.9g", value), MetricFormat.significant(value));
  }

  @Test
  void numbersOfAllSizesAreAsFormatWritesThem() {
    Random random = new Random(1);
    for (int i = 0; i < 2000; i++) {
      double value = random.nextGaussian() * Math.pow(10, random.nextInt(30) - 15);
      assertEquals(String.format(Locale.ROOT, "%.9g", value), MetricFormat.significant(value));
    }
  }

  @Test
  void noNumberHasItsName() {
    assertEquals("0.00000000", MetricFormat.significant(0));
    assertEquals("NaN", MetricFormat.significant(Double.NaN));
    assertEquals("Infinity", MetricFormat.significant(Double.POSITIVE_INFINITY));
  }
}
