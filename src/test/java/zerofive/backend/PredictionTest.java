package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class PredictionTest {
  private static final double EPSILON = Math.ulp(1.0);

  @Test
  void oneLogitIsTheFirstClassesSigmoid() {
    float[] logits = {9, 2, -3};
    double[] probabilities = Prediction.probabilities(logits, 1, 1);
    assertEquals(1 / (1 + Math.exp(-2)), probabilities[0], 4 * EPSILON);
    assertEquals(1 / (1 + Math.exp(2)), probabilities[1], 4 * EPSILON);
  }

  @Test
  void moreLogitsAreASoftmax() {
    float[] logits = {7, 1, -2, 0.5f};
    double sum = Math.exp(1) + Math.exp(-2) + Math.exp(0.5);
    assertArrayEquals(
        new double[] {Math.exp(1) / sum, Math.exp(-2) / sum, Math.exp(0.5) / sum},
        Prediction.probabilities(logits, 1, 3),
        8 * EPSILON);
  }

  @Test
  void largeLogitsNeitherOverflowNorLookAlike() {
    assertArrayEquals(new double[] {1, 0}, Prediction.probabilities(new float[] {1e30f}, 0, 1));
    float[] logits = {1000, 0, -1000};
    assertArrayEquals(new double[] {1, 0, 0}, Prediction.probabilities(logits, 0, 3));
    assertEquals(1000, Prediction.crossEntropy(logits, 0, 3, 1));
    assertEquals(2000, Prediction.crossEntropy(logits, 0, 3, 2));
    assertEquals(900, Prediction.crossEntropy(new float[] {900}, 0, 1, 1));
    assertEquals(900, Prediction.crossEntropy(new float[] {-900}, 0, 1, 0));
  }

  @Test
  void nanLogitsHaveNoProbability() {
    for (int outputs : new int[] {1, 3}) {
      float[] logits = {Float.NaN, 1, 2};
      assertTrue(
          Arrays.stream(Prediction.probabilities(logits, 0, outputs)).allMatch(Double::isNaN));
    }
  }
}
