package zerofive.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
}
