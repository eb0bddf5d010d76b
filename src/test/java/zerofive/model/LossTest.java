package zerofive.model;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class LossTest {
  @ParameterizedTest
  @EnumSource
  void aLossIsParsedByTheNameItPrints(Loss loss) {
    assertSame(loss, Loss.parse(loss.toString()));
  }

  @Test
  void theNamesAreThoseOfTheCommandLineInEveryLanguage() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("tr-TR"));
      assertEquals("mnist", Loss.MNIST.toString());
      assertEquals("bce", Loss.BCE.toString());
      assertEquals("cross-entropy", Loss.CROSS_ENTROPY.toString());
    } finally {
      Locale.setDefault(before);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "BCE", "cross_entropy", "cross entropy", "mse", "bce "})
  void anUnknownNameIsRefusedWithTheKnownOnes(String name) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Loss.parse(name)).getMessage();
    assertTrue(message.contains("'" + name + "'"), message);
    for (Loss loss : Loss.values()) {
      assertTrue(message.contains(loss.toString()), message);
    }
  }

  @Test
  void twoClassesTakeOneLogitAndMoreTakeOneEach() {
    assertEquals(1, Loss.outputs(2));
    assertEquals(3, Loss.outputs(3));
    assertEquals(256, Loss.outputs(256));
  }

  @Test
  void theDefaultIsBceForTwoClassesAndCrossEntropyForMore() {
    assertSame(Loss.BCE, Loss.defaultFor(2));
    assertSame(Loss.CROSS_ENTROPY, Loss.defaultFor(3));
    assertSame(Loss.CROSS_ENTROPY, Loss.defaultFor(10));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 10, 256})
  void theDefaultFitsItsNumberOfClasses(int classes) {
    assertDoesNotThrow(() -> Loss.defaultFor(classes).checkClasses(classes));
  }

  @ParameterizedTest
  @EnumSource(names = {"MNIST", "BCE"})
  void aLossOfOneLogitWantsExactlyTwoClasses(Loss loss) {
    assertDoesNotThrow(() -> loss.checkClasses(2));
    assertTrue(refusal(loss, 3).contains("cross-entropy"), refusal(loss, 3));
    assertTrue(refusal(loss, 10).contains(loss.toString()), refusal(loss, 10));
  }

  @Test
  void crossEntropyOfTwoClassesPointsToBce() {
    assertTrue(refusal(Loss.CROSS_ENTROPY, 2).contains("choose bce"));
  }

  private static String refusal(Loss loss, int classes) {
    return assertThrows(IllegalArgumentException.class, () -> loss.checkClasses(classes))
        .getMessage();
  }
}
