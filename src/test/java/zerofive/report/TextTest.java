package zerofive.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextTest {
  @Test
  void timesHaveTheUnitThatFits() {
    assertEquals("850 us", Text.seconds(0.00085));
    assertEquals("45.2 ms", Text.seconds(0.0452));
    assertEquals("250 ms", Text.seconds(0.25));
    assertEquals("2.31 s", Text.seconds(2.31));
    assertEquals("3 min 07 s", Text.seconds(187));
    assertEquals("1 min 00 s", Text.seconds(60));
  }

  @Test
  void countsHaveTheirThousandsApart() {
    assertEquals("11,344", Text.count(11344));
    assertEquals("1 error", Text.plural(1, "error"));
    assertEquals("0 errors", Text.plural(0, "error"));
  }

  @Test
  void sizesHaveTheUnitThatFits() {
    assertEquals("0 B", Text.bytes(0));
    assertEquals("999 B", Text.bytes(999));
    assertEquals("1.0 kB", Text.bytes(1000));
    assertEquals("5.1 kB", Text.bytes(5148));
    assertEquals("26.4 MB", Text.bytes(26_421_880));
    assertEquals("100 MB", Text.bytes(99_960_000));
    assertEquals("562 MB", Text.bytes(561_753_746));
    assertEquals("1.0 GB", Text.bytes(999_900_000));
  }

  @Test
  void linesBreakAfterPunctuationBehindTheirLabel() {
    assertEquals(
        List.of("time  2.31 s: start-up 90 ms,", "      data 250 ms, report 5 ms"),
        Text.wrap("time  ", "2.31 s: start-up 90 ms, data 250 ms, report 5 ms", 32));
    assertEquals(List.of("a  one phrase"), Text.wrap("a  ", "one phrase", 5));
  }

  @Test
  void escapeCodesAndLineBreaksArePrintedAsQuestionMarks() {
    assertEquals("a?[31mb?c", Text.printable("a\033[31mb\nc"));
  }

  @Test
  void pathsAreQuotedForAShellWhereTheyMustBe() {
    assertEquals("runs/2026-11-22T14-00-00-mlp-30", Text.shell("runs/2026-11-22T14-00-00-mlp-30"));
    assertEquals("'my run'", Text.shell("my run"));
    assertEquals("'it'\\''s'", Text.shell("it's"));
  }

  @Test
  void numbersAreWrittenAsStringFormatWritesThem() {
    Random random = new Random(5);
    for (int i = 0; i < 2000; i++) {
      double value = random.nextGaussian() * Math.pow(10, random.nextInt(12) - 6);
      for (int decimals : new int[] {0, 1, 2, 6}) {
        String expected = String.format(Locale.ROOT, "%." + decimals + "f", value);
        boolean isZero = Double.parseDouble(expected) == 0;
        assertEquals(isZero ? expected.replace("-", "") : expected, Text.fixed(value, decimals));
      }
    }
    assertEquals("NaN", Text.fixed(Double.NaN, 1));
    assertEquals("1.0E300", Text.fixed(1e300, 1));
    assertEquals("-1,234,567", Text.count(-1234567));
    assertEquals("-123", Text.count(-123));
  }
}
