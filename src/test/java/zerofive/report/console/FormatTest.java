package zerofive.report.console;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TextTest {
  @Test
  void timesHaveTheUnitThatFits() {
    assertEquals("850 us", Format.seconds(0.00085));
    assertEquals("45.2 ms", Format.seconds(0.0452));
    assertEquals("250 ms", Format.seconds(0.25));
    assertEquals("2.31 s", Format.seconds(2.31));
    assertEquals("3 min 07 s", Format.seconds(187));
    assertEquals("1 min 00 s", Format.seconds(60));
  }

  @Test
  void countsHaveTheirThousandsApart() {
    assertEquals("11,344", Format.count(11344));
    assertEquals("1 error", Format.plural(1, "error"));
    assertEquals("0 errors", Format.plural(0, "error"));
  }

  @Test
  void sizesHaveTheUnitThatFits() {
    assertEquals("0 B", Format.bytes(0));
    assertEquals("999 B", Format.bytes(999));
    assertEquals("1.0 kB", Format.bytes(1000));
    assertEquals("5.1 kB", Format.bytes(5148));
    assertEquals("26.4 MB", Format.bytes(26_421_880));
    assertEquals("100 MB", Format.bytes(99_960_000));
    assertEquals("562 MB", Format.bytes(561_753_746));
    assertEquals("1.0 GB", Format.bytes(999_900_000));
  }

  @Test
  void linesBreakAfterPunctuationBehindTheirLabel() {
    assertEquals(
        List.of("time  2.31 s: start-up 90 ms,", "      data 250 ms, report 5 ms"),
        Format.wrap("time  ", "2.31 s: start-up 90 ms, data 250 ms, report 5 ms", 32));
    assertEquals(List.of("a  one phrase"), Format.wrap("a  ", "one phrase", 5));
  }

  @Test
  void escapeCodesAndLineBreaksArePrintedAsQuestionMarks() {
    assertEquals("a?[31mb?c", Format.printable("a\033[31mb\nc"));
  }

  @Test
  void pathsAreQuotedForAShellWhereTheyMustBe() {
    assertEquals(
        "runs/2026-11-22T14-00-00-mlp-30", Format.shell("runs/2026-11-22T14-00-00-mlp-30"));
    assertEquals("'my run'", Format.shell("my run"));
    assertEquals("'it'\\''s'", Format.shell("it's"));
  }

  @Test
  void numbersAreWrittenAsStringFormatWritesThem() {
    Random random = new Random(5);
    for (int i = 0; i < 2000; i++) {
      double value = random.nextGaussian() * Math.pow(10, random.nextInt(12) - 6);
      for (int decimals : new int[] {0, 1, 2, 6}) {
        String expected = String.format(Locale.ROOT, "%." + decimals + "f", value);
        boolean isZero = Double.parseDouble(expected) == 0;
        assertEquals(isZero ? expected.replace("-", "") : expected, Format.fixed(value, decimals));
      }
    }
    assertEquals("NaN", Format.fixed(Double.NaN, 1));
    assertEquals("1.0E300", Format.fixed(1e300, 1));
    assertEquals("-1,234,567", Format.count(-1234567));
    assertEquals("-123", Format.count(-123));
  }
}
