package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClassFilterTest {
  private static final String SOURCE = "digits (train-labels-idx1-ubyte)";

  @Test
  void namesKeepTheOrderTheyWereGivenIn() {
    assertEquals(List.of("5", "0", "9"), ClassFilter.parse("5,0,9").names());
  }

  @Test
  void spacesAroundNamesDoNotCount() {
    assertEquals(List.of("0", "5"), ClassFilter.parse(" 0 , 5\t").names());
  }

  @ParameterizedTest
  @ValueSource(strings = {"all", "0,5", "3,7,1"})
  void aFilterPrintsAsItIsParsed(String text) {
    assertEquals(text, ClassFilter.parse(text).toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ",", "0,", ",5", "0,,5", "0, ,5", "   "})
  void anEmptyNameIsRefused(String text) {
    refused(text, "an empty class name");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0,0", "0,5,0", "0, 0 ,5"})
  void aRepeatedNameIsRefused(String text) {
    refused(text, "class 0 is named twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"7", " 7 ", "ALL"})
  void aSingleClassIsRefused(String text) {
    refused(text, "name two or more, or all");
  }

  @Test
  void theNamesCannotBeChangedFromOutside() {
    List<String> names = new ArrayList<>(List.of("0", "5"));
    ClassFilter filter = new ClassFilter(names);
    names.add("6");
    assertEquals(List.of("0", "5"), filter.names());
  }

  @Test
  void labelsResolveToTheirPlaceInTheList() {
    ClassFilter.Resolved resolved = ClassFilter.parse("5,0").resolve(present(0, 3, 5), SOURCE);
    int[] expected = new int[256];
    Arrays.fill(expected, -1);
    expected[5] = 0;
    expected[0] = 1;
    assertEquals(List.of("5", "0"), resolved.classes());
    assertArrayEquals(expected, resolved.index());
  }

  @Test
  void allResolvesToTheOccurringLabelsInAscendingOrderOfNumber() {
    assertEquals(
        List.of("2", "10", "255"), ClassFilter.ALL.resolve(present(255, 10, 2), SOURCE).classes());
    assertEquals(
        256,
        ClassFilter.ALL
            .resolve(present(IntStream.range(0, 256).toArray()), SOURCE)
            .classes()
            .size());
  }

  @Test
  void allOfASingleClassIsRefused() {
    Refusal.of(() -> ClassFilter.ALL.resolve(present(4), SOURCE)).saying(SOURCE, "4", "two");
  }

  @Test
  void oneLabelSpeltInTwoWaysIsNamedTwice() {
    Refusal.of(() -> ClassFilter.parse("007,7").resolve(present(0, 7), SOURCE))
        .saying("class 7 is named twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "-1", "256", "257", "65536", "4294967296", "99999999999999999999"})
  void aLabelThatDoesNotOccurIsRefusedWithThoseThatDo(String name) {
    Refusal.of(() -> ClassFilter.parse("0," + name).resolve(present(0, 5, 9), SOURCE))
        .saying("class " + name + " does not occur", SOURCE, "0, 5, 9");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cat", "0x5", "5.0", "5e0", "five", "0 5"})
  void aNameThatIsNoNumberDoesNotOccurAmongLabels(String name) {
    Refusal.of(() -> ClassFilter.parse("0," + name).resolve(present(0, 5), SOURCE))
        .saying("class " + name + " does not occur", SOURCE);
  }

  private static long[] present(int... labels) {
    long[] present = new long[256];
    for (int label : labels) {
      present[label] = 1;
    }
    return present;
  }

  private static void refused(String text, String reason) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ClassFilter.parse(text)).getMessage();
    assertTrue(message.contains(reason), message);
    assertTrue(message.contains("'" + text + "'"), message);
  }
}
