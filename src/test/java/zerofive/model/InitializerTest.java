package zerofive.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class InitializerTest {
  private static final Architecture NET = new Architecture(784, List.of(300, 9), 10);
  private static final String LAST = "4";

  /** Computed apart, in Python: the seed's own stream, cut to float32. */
  @Test
  void theFirstValuesArePinned() {
    assertArrayEquals(
        new float[] {-0x1.115b7cp-2f, 0x1.3e0fa8p-2f, 0x1.083172p-4f, 0x1.b83a62p-4f},
        first(Initializer.PYTORCH, new Architecture(4, List.of(), 1), 4));
    assertArrayEquals(
        new float[] {-0x1.38688ep-6f, 0x1.6b7f9ap-6f, 0x1.2def5ep-8f, 0x1.f71e26p-8f},
        first(Initializer.PYTORCH, new Architecture(784, List.of(30), 1), 4));
    assertArrayEquals(
        new float[] {0x1.153e94p-2f, -0x1.01a2e0p+0f, -0x1.4861f2p-1f, -0x1.a2047cp-1f},
        first(Initializer.NORMAL, new Architecture(4, List.of(), 1), 4));
  }

  @ParameterizedTest
  @EnumSource
  void theSameSeedGivesTheSameBits(Initializer initializer) {
    float[] values = initializer.create(NET, 42).values();
    assertArrayEquals(bits(values), bits(initializer.create(NET, 42).values()));
    assertFalse(Arrays.equals(values, initializer.create(NET, 43).values()), "another seed");
  }

  @ParameterizedTest
  @EnumSource
  void everyValueIsFiniteAndNoneIsLeftOut(Initializer initializer) {
    Parameters parameters = initializer.create(NET, 1);
    assertEquals(NET, parameters.architecture());
    assertTrue(parameters.isFinite());
    for (Parameters.View view : Parameters.views(NET)) {
      if (initializer == Initializer.HE
          && !LAST.contains(view.name().substring(0, 1))
          && view.name().endsWith("bias")) {
        for (int i = 0; i < view.length(); i++) {
          assertEquals(0, parameters.values()[view.offset() + i], view.name());
        }
        continue;
      }
      assertTrue(parameters.values()[view.offset()] != 0, view.name() + " begins with 0");
      assertTrue(
          parameters.values()[view.offset() + view.length() - 1] != 0, view.name() + " ends in 0");
    }
  }

  /**
   * Weight and bias of a layer lie within 1 / sqrt(fan-in) and fill that range: of n uniform values
   * none comes within a share s of either end with probability (1 - s / 2)^n < e^-20 for s = 40 /
   * n.
   */
  @Test
  void pytorchsValuesFillTheBoundsOfTheirLayerAndNoMore() {
    Parameters parameters = Initializer.PYTORCH.create(NET, 42);
    for (Layer layer : NET.layers()) {
      float bound = (float) (1 / Math.sqrt(layer.inputs()));
      float[] values =
          Arrays.copyOfRange(
              parameters.values(), layer.weightOffset(), layer.biasOffset() + layer.outputs());
      float least = Float.MAX_VALUE;
      float most = -Float.MAX_VALUE;
      for (float value : values) {
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
      double share = Math.min(1, 40.0 / values.length);
      assertTrue(least >= -bound && least <= -bound * (1 - share), layer + " from " + least);
      assertTrue(most <= bound && most >= bound * (1 - share), layer + " to " + most);
    }
  }

  /** The bound of a hidden layer is sqrt(6) times PyTorch's; the last layer has PyTorch's. */
  @Test
  void hesValuesFillTheBoundsOfTheirLayerAndNoMore() {
    Parameters parameters = Initializer.HE.create(NET, 42);
    for (Layer layer : NET.layers()) {
      boolean hidden = layer.activation() == Activation.RELU;
      double bound = Math.sqrt((hidden ? 6.0 : 1.0) / layer.inputs());
      double largest = 0;
      for (int i = layer.weightOffset(); i < layer.biasOffset(); i++) {
        largest = Math.max(largest, Math.abs(parameters.values()[i]));
      }
      assertTrue(largest <= bound * (1 + 1e-6), layer + " up to " + largest);
      assertTrue(largest >= bound * (1 - 40.0 / layer.weightCount()), layer + " up to " + largest);
    }
  }

  /** Uniform in +-b: mean 0 +- 5 b / sqrt(3 n); mean square b^2 / 3, its variance 4 b^4 / 45. */
  @Test
  void pytorchsValuesAreUniformInMeanAndSquare() {
    int inputs = 100_000;
    double[] moments = moments(Initializer.PYTORCH, inputs);
    double square = 1.0 / inputs;
    assertEquals(0, moments[0], 5 * Math.sqrt(square / 3 / inputs));
    assertEquals(square / 3, moments[1], 5 * Math.sqrt(4.0 / 45 / inputs) * square);
  }

  /** Standard normal: the moments 1 to 4 are 0, 1, 0, 3, with the variances 1, 2, 15, 96 over n. */
  @Test
  void normalsValuesHaveTheMomentsOfTheStandardNormal() {
    int n = 100_000;
    double[] moments = moments(Initializer.NORMAL, n);
    assertEquals(0, moments[0], 5 * Math.sqrt(1.0 / n));
    assertEquals(1, moments[1], 5 * Math.sqrt(2.0 / n));
    assertEquals(0, moments[2], 5 * Math.sqrt(15.0 / n));
    assertEquals(3, moments[3], 5 * Math.sqrt(96.0 / n));
  }

  private static float[] first(Initializer initializer, Architecture architecture, int count) {
    return Arrays.copyOf(initializer.create(architecture, 42).values(), count);
  }

  /** The means of the first four powers of a linear model's weights. */
  private static double[] moments(Initializer initializer, int inputs) {
    float[] values =
        Arrays.copyOf(
            initializer.create(new Architecture(inputs, List.of(), 1), 7).values(), inputs);
    double[] sums = new double[4];
    for (float value : values) {
      double power = 1;
      for (int i = 0; i < sums.length; i++) {
        power *= value;
        sums[i] += power;
      }
    }
    return Arrays.stream(sums).map(sum -> sum / inputs).toArray();
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
    return bits;
  }
}
