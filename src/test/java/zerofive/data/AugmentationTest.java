package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Shifts are pinned like the order: a resumed run must see the same images, for ever. */
class AugmentationTest {
  private static final Augmentation TWO = new Augmentation(2);

  @ParameterizedTest
  @ValueSource(strings = {"none", "shift:1", "shift:2", "shift:127"})
  void anAugmentationIsParsedByTheNameItPrints(String name) {
    assertEquals(name, Augmentation.parse(name).toString());
  }

  @Test
  void aShiftByNothingIsNone() {
    assertEquals(Augmentation.NONE, Augmentation.parse("shift:0"));
    assertNull(Augmentation.NONE.shifts(10, 42, 1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "shift", "shift:", "shift:-1", "shift:x", "Shift:2", "shift:2 ", "rotate:5"})
  void anUnknownAugmentationIsRefusedByName(String name) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Augmentation.parse(name)).getMessage();
    assertTrue(message.contains("'" + name + "'") && message.contains("shift:2"), message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"shift:128", "shift:999"})
  void aShiftBeyondASignedByteIsRefused(String name) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Augmentation.parse(name)).getMessage();
    assertTrue(message.contains("0 to 127"), message);
  }

  @Test
  void anImageMayNotBeMovedOutOfSight() {
    Augmentation four = new Augmentation(4);
    assertDoesNotThrow(() -> four.check(5, 9));
    assertDoesNotThrow(() -> four.check(9, 5));
    for (int[] size : new int[][] {{4, 9}, {9, 4}, {1, 1}}) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> four.check(size[0], size[1]))
              .getMessage();
      assertTrue(message.contains(size[0] + " x " + size[1]), message);
    }
    assertDoesNotThrow(() -> Augmentation.NONE.check(1, 1));
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, -1", "-2, 2", "127, -127", "-128, 127"})
  void packedShiftsComeApartAgain(int dx, int dy) {
    int packed = Augmentation.pack(dx, dy);
    assertEquals(dx, Augmentation.dx(packed));
    assertEquals(dy, Augmentation.dy(packed));
    assertTrue(packed >= 0 && packed < 1 << 16, "packed " + packed);
  }

  /** Computed apart, in Python's integers of any length. */
  @Test
  void shiftsArePinned() {
    assertArrayEquals(
        new int[] {0, -1, 1, -1, -1, -1, -2, 0, -1, 1, 0, 1}, apart(TWO.shifts(6, 42, 1)));
    assertArrayEquals(
        new int[] {37, -73, -16, -2, 33, -16}, apart(new Augmentation(127).shifts(3, -7, 3)));
  }

  @Test
  void aShiftDependsOnSeedEpochAndImageAlone() {
    int[] many = TWO.shifts(1000, 42, 5);
    assertArrayEquals(Arrays.copyOf(many, 10), TWO.shifts(10, 42, 5), "another count");
    assertFalse(Arrays.equals(many, TWO.shifts(1000, 42, 6)), "another epoch");
    assertFalse(Arrays.equals(many, TWO.shifts(1000, 43, 5)), "another seed");
  }

  /**
   * Over n images each of the 25 shifts is seen binomially often, within 6 standard deviations, and
   * so is each pair of an image's shifts in two epochs.
   */
  @Test
  void allShiftsAreEquallyLikelyAndEpochsIndependent() {
    int n = 200_000;
    int[] first = TWO.shifts(n, 42, 1);
    int[] second = TWO.shifts(n, 42, 2);
    int[] seen = new int[25];
    int[] pairs = new int[625];
    for (int i = 0; i < n; i++) {
      int one = number(first[i]);
      seen[one]++;
      pairs[25 * one + number(second[i])]++;
    }
    assertUniform(seen, n);
    assertUniform(pairs, n);
  }

  private static int number(int shift) {
    return 5 * (Augmentation.dy(shift) + 2) + Augmentation.dx(shift) + 2;
  }

  private static void assertUniform(int[] seen, int n) {
    double share = 1.0 / seen.length;
    double tolerance = 6 * Math.sqrt(n * share * (1 - share));
    for (int value = 0; value < seen.length; value++) {
      assertEquals(n * share, seen[value], tolerance, "value " + value);
    }
  }

  private static int[] apart(int[] shifts) {
    return IntStream.of(shifts)
        .flatMap(shift -> IntStream.of(Augmentation.dx(shift), Augmentation.dy(shift)))
        .toArray();
  }
}
