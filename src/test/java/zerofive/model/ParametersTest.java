package zerofive.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParametersTest {
  private static final Architecture NET = new Architecture(784, List.of(30), 1);

  @Test
  void theViewsAreNamedAndShapedAsPyTorchsSequential() {
    assertEquals(
        List.of(
            new Parameters.View("0.weight", 0, List.of(30, 784)),
            new Parameters.View("0.bias", 23_520, List.of(30)),
            new Parameters.View("2.weight", 23_550, List.of(1, 30)),
            new Parameters.View("2.bias", 23_580, List.of(1))),
        Parameters.views(NET));
  }

  @Test
  void theLinearModelsViewsHaveNoNumber() {
    assertEquals(
        List.of(
            new Parameters.View("weight", 0, List.of(10, 784)),
            new Parameters.View("bias", 7840, List.of(10))),
        Parameters.views(new Architecture(784, List.of(), 10)));
  }

  @ParameterizedTest
  @CsvSource({"linear, 1", "linear, 10", "mlp:30, 1", "'mlp:7,5,3', 4"})
  void theViewsCoverEveryParameterOnce(String model, int outputs) {
    Architecture architecture = new Architecture(13, Architecture.parseHidden(model), outputs);
    int next = 0;
    for (Parameters.View view : Parameters.views(architecture)) {
      assertEquals(next, view.offset(), view.name());
      next += view.length();
    }
    assertEquals(architecture.parameterCount(), next);
  }

  @Test
  void theArrayIsSharedNotCopied() {
    float[] values = new float[NET.parameterCount()];
    assertSame(values, new Parameters(NET, values).values());
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 23_580, 23_582})
  void anArrayOfAnotherLengthIsRefused(int length) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> new Parameters(NET, new float[length]))
            .getMessage();
    assertTrue(message.contains(length + " values are not the 23581 of 784-30-1"), message);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void oneValueThatIsNotFiniteIsFoundWhereverItStands(float bad) {
    for (int at : new int[] {0, 11_000, 23_580}) {
      float[] values = new float[NET.parameterCount()];
      values[at] = bad;
      assertFalse(new Parameters(NET, values).isFinite(), bad + " at " + at);
    }
  }

  @Test
  void theLargestAndSmallestFloatsAreFinite() {
    float[] values = new float[NET.parameterCount()];
    values[0] = Float.MAX_VALUE;
    values[1] = -Float.MAX_VALUE;
    values[2] = Float.MIN_VALUE;
    values[3] = -0f;
    assertTrue(new Parameters(NET, values).isFinite());
  }
}
