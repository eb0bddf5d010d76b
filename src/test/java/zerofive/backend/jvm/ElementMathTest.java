package zerofive.backend.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import zerofive.backend.cpu.CpuForTests;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.model.Loss;

/** The float formulas, bit for bit those of native code. */
final class ElementMathTest {
  private static final int TRIPLES = 3_000_000;

  /** Floats that need care: zeros, subnormals, powers of two and their neighbours, infinities. */
  private static float nasty(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> Float.intBitsToFloat(random.nextInt());
      case 1 -> Float.intBitsToFloat(random.nextInt() & 0x80ffffff);
      case 2 -> Math.nextAfter(Math.scalb(1f, random.nextInt(60) - 30), random.nextInt(3) - 1);
      case 3 -> random.nextInt(512) - 256;
      case 4 -> (float) random.nextGaussian();
      default -> new float[] {0f, -0f, 1f, Float.MAX_VALUE, Float.MIN_VALUE}[random.nextInt(5)];
    };
  }

  /** Also where the product cancels the third, and where the sum lies half-way between floats. */
  @Test
  void theEmulationRoundsAsTheInstructionDoes() {
    Random random = new Random(1);
    for (int i = 0; i < TRIPLES; i++) {
      float a = nasty(random);
      float b = nasty(random);
      float c =
          switch (random.nextInt(3)) {
            case 0 -> -(a * b);
            case 1 -> Math.scalb(a * b, random.nextInt(52) - 26);
            default -> nasty(random);
          };
      float expected = Math.fma(a, b, c);
      float emulated = ElementMath.emulated(a, b, c);
      if (Float.compare(expected, emulated) != 0) {
        assertEquals(expected, emulated, a + " * " + b + " + " + c);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Loss.class)
  void lossesAndGradientsAreThoseOfNativeCode(Loss loss) {
    assumeTrue(CpuForTests.isUsable(), "skipped: this build has no native library");
    int rows = 20_000;
    int outputs = loss == Loss.CROSS_ENTROPY ? 3 : 1;
    Random random = new Random(2);
    float[] z = new float[rows * outputs];
    int[] targets = new int[rows];
    for (int r = 0; r < rows; r++) {
      targets[r] = random.nextInt(outputs == 1 ? 2 : outputs);
      float size = Math.scalb(1f, random.nextInt(12) - 4);
      for (int j = 0; j < outputs; j++) {
        z[r * outputs + j] = (float) random.nextGaussian() * size;
      }
    }
    try (Ops ops = CpuForTests.ops()) {
      Buffer logits = ops.allocate(ElementType.F32, outputs);
      Buffer dLogits = ops.allocate(ElementType.F32, outputs);
      Buffer classes = ops.allocate(ElementType.I32, 1);
      Buffer sums = ops.allocate(ElementType.F64, 1);
      float[] row = new float[outputs];
      float[] own = new float[outputs];
      float[] other = new float[outputs];
      double[] sum = new double[1];
      for (int r = 0; r < rows; r++) {
        System.arraycopy(z, r * outputs, row, 0, outputs);
        ops.upload(row, logits);
        ops.upload(new int[] {targets[r]}, classes);
        ops.clear(sums);
        ops.loss(
            loss,
            new Matrix(logits, 1, outputs),
            classes,
            new Matrix(dLogits, 1, outputs),
            sums,
            0);
        ops.download(dLogits, other);
        ops.download(sums, sum);
        float value = Losses.lossAndGradient(loss, row, targets[r], 1, own);
        assertEquals(sum[0], value, "loss of " + row[0]);
        assertEquals(value, Losses.loss(loss, row, targets[r]), "without gradient");
        for (int j = 0; j < outputs; j++) {
          assertEquals(other[j], own[j], "gradient at " + row[j]);
        }
      }
    }
  }

  @Test
  void aReluLeavesNanAndTheSignOfZero() {
    assertTrue(Float.isNaN(ElementMath.relu(Float.NaN)));
    assertEquals(-0f, ElementMath.relu(-0f));
    assertEquals(0f, ElementMath.relu(-1f));
    assertEquals(0f, ElementMath.reluBackward(-0f, 1));
    assertEquals(2f, ElementMath.reluBackward(1, 2));
  }
}
