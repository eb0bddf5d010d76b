package zerofive.backend.jvm;

import zerofive.model.Loss;

/** The loss of one example with its gradient, and the sum of many losses. */
final class Losses {
  private static final int CHAINS = 32;

  private final double[] chains = new double[CHAINS];

  /**
   * The loss of a row of logits; writes the gradient at each of them.
   *
   * @param count examples whose mean loss the gradient is of
   */
  static float lossAndGradient(Loss loss, float[] z, int target, float count, float[] dLogits) {
    if (loss != Loss.CROSS_ENTROPY) {
      dLogits[0] = ElementMath.binaryLossGrad(loss, z[0], target) / count;
      return ElementMath.binaryLoss(loss, z[0], target);
    }
    float max = ElementMath.softmaxMax(z);
    float sum = ElementMath.softmaxSum(z, max);
    for (int j = 0; j < z.length; j++) {
      dLogits[j] = ElementMath.softmaxGrad(z, max, sum, target, j) / count;
    }
    return ElementMath.softmaxLoss(z, max, sum, target);
  }

  /** The loss of a row of logits. */
  static float loss(Loss loss, float[] z, int target) {
    if (loss != Loss.CROSS_ENTROPY) {
      return ElementMath.binaryLoss(loss, z[0], target);
    }
    float max = ElementMath.softmaxMax(z);
    return ElementMath.softmaxLoss(z, max, ElementMath.softmaxSum(z, max), target);
  }

  /** Adds the next losses of a batch; but for the last of them a multiple of 32 at a time. */
  void add(float[] losses, int count) {
    for (int r = 0; r < count; r++) {
      chains[r % CHAINS] += losses[r];
    }
  }

  /** The sum of what was added: a tree over the chains. */
  double total() {
    double[] sums = chains.clone();
    for (int stride = CHAINS / 2; stride > 0; stride /= 2) {
      for (int chain = 0; chain < stride; chain++) {
        sums[chain] += sums[chain + stride];
      }
    }
    return sums[0];
  }
}
