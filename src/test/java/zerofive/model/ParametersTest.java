package zerofive.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import zerofive.data.image.ImageShape;

class ParametersTest {
  private static final Architecture NET = new Architecture(784, List.of(30), 1);

  @Test
  void theViewsAreNamedAndShapedAsPyTorchsSequential() {
    assertEquals(
        List.of(
            new Parameters.View("0.weight", 0, List.of(30, 784), 1, 784),
            new Parameters.View("0.bias", 23_520, List.of(30), 1, 30),
            new Parameters.View("2.weight", 23_550, List.of(1, 30), 1, 30),
            new Parameters.View("2.bias", 23_580, List.of(1), 1, 1)),
        Parameters.views(NET));
  }

  @Test
  void theLinearModelsViewsHaveNoNumber() {
    assertEquals(
        List.of(
            new Parameters.View("weight", 0, List.of(10, 784), 1, 784),
            new Parameters.View("bias", 7840, List.of(10), 1, 10)),
        Parameters.views(new Architecture(784, List.of(), 10)));
  }

  @ParameterizedTest
  @CsvSource({"linear, 1", "linear, 10", "mlp:30, 1", "'mlp:7,5,3', 4", "'cnn:7/1,5+3', 4"})
  void theViewsCoverEveryParameterOnce(String model, int outputs) {
    Architecture architecture = Architecture.of(model, new ImageShape(5, 4), outputs);
    int next = 0;
    for (Parameters.View view : Parameters.views(architecture)) {
      assertEquals(next, view.offset(), view.name());
      next += view.length();
    }
    assertEquals(architecture.parameterCount(), next);
  }

  /** Channels before places in a file; Conv2d(2, 3, 3), nn.Flatten, Linear(3 * 2, 1). */
  @Test
  void aFileHasConvolutionsInPyTorchsOrder() {
    Architecture net = Architecture.of("cnn:2/1,3/1", new ImageShape(1, 2), 1);
    assertEquals("1x2-2/1-3/1-1", net.toString());
    assertEquals(
        List.of(
            new Parameters.View("0.weight", 0, List.of(2, 1, 3, 3), 9, 1),
            new Parameters.View("0.bias", 18, List.of(2), 1, 2),
            new Parameters.View("2.weight", 20, List.of(3, 2, 3, 3), 9, 2),
            new Parameters.View("2.bias", 74, List.of(3), 1, 3),
            new Parameters.View("5.weight", 77, List.of(1, 6), 2, 3),
            new Parameters.View("5.bias", 83, List.of(1), 1, 1)),
        Parameters.views(net));
    float[] flat = new float[net.parameterCount()];
    for (int i = 0; i < flat.length; i++) {
      flat[i] = i;
    }
    Parameters.View second = Parameters.views(net).get(2);
    // Output 1, channel 1, at (2, 0): in the array [1, 2, 0, 1].
    assertEquals(20 + 18 + 2 * 6 + 1, second.fileOrder(flat)[18 + 9 + 6]);
    Parameters.View linear = Parameters.views(net).get(4);
    assertArrayEquals(new float[] {77, 80, 78, 81, 79, 82}, linear.fileOrder(flat));
    float[] back = new float[flat.length];
    Parameters.views(net).forEach(view -> view.put(view.fileOrder(flat), back));
    assertArrayEquals(flat, back);
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
