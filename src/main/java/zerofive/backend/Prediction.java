package zerofive.backend;

import java.util.Arrays;

/** Which class logits name. */
public final class Prediction {
  /** A row with a NaN logit names no class. */
  public static final int NONE = -1;

  private Prediction() {}

  /**
   * With one logit, class 0 where it is above 0, else class 1; with more, the index of the largest,
   * the first of equals.
   *
   * @param logits row-major
   * @param row where the row begins
   * @param outputs length of the row
   */
  public static int of(float[] logits, int row, int outputs) {
    if (outputs == 1) {
      float z = logits[row];
      return Float.isNaN(z) ? NONE : z > 0 ? 0 : 1;
    }
    int best = 0;
    for (int j = 0; j < outputs; j++) {
      if (Float.isNaN(logits[row + j])) {
        return NONE;
      }
      best = logits[row + j] > logits[row + best] ? j : best;
    }
    return best;
  }

  /**
   * The classes' probabilities, in double: sigmoid(z) and the rest to 1 of one logit, the softmax
   * of more. All are NaN where no class is named.
   *
   * @param logits row-major
   * @param row where the row begins
   * @param outputs length of the row
   */
  public static double[] probabilities(float[] logits, int row, int outputs) {
    double[] probabilities = new double[outputs == 1 ? 2 : outputs];
    int best = of(logits, row, outputs);
    if (best == NONE) {
      Arrays.fill(probabilities, Double.NaN);
      return probabilities;
    }
    // Sigmoid is the softmax of z and 0. Less the largest, no exponential overflows.
    double largest = outputs == 1 ? Math.max(logits[row], 0) : logits[row + best];
    double sum = 0;
    for (int j = 0; j < probabilities.length; j++) {
      double z = outputs == 1 && j == 1 ? 0 : logits[row + j];
      probabilities[j] = z == largest ? 1 : StrictMath.exp(z - largest);
      sum += probabilities[j];
    }
    for (int j = 0; j < probabilities.length; j++) {
      probabilities[j] /= sum;
    }
    return probabilities;
  }

  /**
   * {@code -log} of the probability of class {@code target}, in nats. It tells images apart whose
   * probabilities are the same in float64, and grows as every {@code Loss} of ours does.
   *
   * @param logits row-major
   * @param row where the row begins
   * @param outputs length of the row
   */
  public static double crossEntropy(float[] logits, int row, int outputs, int target) {
    if (outputs == 1) {
      double against = target == 0 ? -logits[row] : logits[row];
      return Math.max(against, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(against)));
    }
    return logSumOfExponentials(logits, row, outputs) - logits[row + target];
  }

  private static double logSumOfExponentials(float[] logits, int row, int outputs) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int j = 0; j < outputs; j++) {
      largest = Math.max(largest, logits[row + j]);
    }
    double sum = 0;
    for (int j = 0; j < outputs; j++) {
      sum += StrictMath.exp(logits[row + j] - largest);
    }
    return largest + StrictMath.log(sum);
  }
}
