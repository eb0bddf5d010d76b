package zerofive.backend;

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
   * How probable each class is: the sigmoid of one logit z for class 0, and 1 - it for class 1; of
   * more, their softmax. In double, without overflow; NaN where a logit is.
   *
   * @param logits row-major
   * @param row where the row begins
   * @param outputs length of the row
   * @return [classes], with sum 1
   */
  public static double[] probabilities(float[] logits, int row, int outputs) {
    if (outputs == 1) {
      return new double[] {
        Math.exp(-crossEntropy(logits, row, 1, 0)), Math.exp(-crossEntropy(logits, row, 1, 1))
      };
    }
    double logSum = logSumOfExponentials(logits, row, outputs);
    double[] probabilities = new double[outputs];
    for (int j = 0; j < outputs; j++) {
      probabilities[j] = Math.exp(logits[row + j] - logSum);
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
      return Math.max(against, 0) + Math.log1p(Math.exp(-Math.abs(against)));
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
      sum += Math.exp(logits[row + j] - largest);
    }
    return largest + Math.log(sum);
  }
}
