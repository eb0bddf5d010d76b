package zerofive.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "{", "null", "7", "\"text\"", "{\"a\":}"})
  void anythingButAnObjectIsRefused(String text) {
    assertThrows(IllegalArgumentException.class, () -> Json.parse(text));
  }

  @Test
  void deepNestingIsRefusedAndNotFollowed() {
    for (String level : new String[] {"[", "{\"a\":"}) {
      String deep = "{\"a\":" + level.repeat(1_000_000);
      assertThrows(IllegalArgumentException.class, () -> Json.parse(deep));
    }
  }

  @Test
  void filesAreForPeopleAndLinesForPrograms() {
    String text = "{\n  \"a\": \"x=1<2\",\n  \"b\": [\n    1\n  ]\n}\n";
    assertEquals(text, Json.file(Json.parse(text)));
    assertEquals("{\"a\":null,\"b\":1}", Json.line(Json.parse("{\"a\":null,\"b\":1}")));
  }

  private record MetricFormat(double validLoss, String missing) {}

  @Test
  void aRecordHasTheNamesOfItsComponents() {
    assertEquals("{\"valid_loss\":0.5}", Json.line(Json.of(new MetricFormat(0.5, null))));
    assertEquals("{\"valid_loss\":null}", Json.line(Json.of(new MetricFormat(Double.NaN, null))));
  }
}
