package zerofive.backend.reference;

import zerofive.model.Loss;

/** Loss and gradient of one example, in double from float logits; formulas of {@link Loss}. */
final class ReferenceLoss {
  private ReferenceLoss() {}

  /** The loss of the example whose logits are {@code z[row .. row + outputs)}. */
  static double value(Loss loss, float[] z, int row, int outputs, int target) {
    return switch (loss) {
      case MNIST -> target == 0 ? sigmoid(-z[row]) : sigmoid(z[row]);
      case BCE -> softplus(target == 0 ? -z[row] : z[row]);
      case CROSS_ENTROPY -> {
        double largest = largest(z, row, outputs);
        yield StrictMath.log(expSum(z, row, outputs, largest)) + largest - z[row + target];
      }
    };
  }

  /** d(loss) / d(logit j) of that example. */
  static double dLogit(Loss loss, float[] z, int row, int outputs, int target, int j) {
    return switch (loss) {
      case MNIST -> {
        double product = sigmoid(z[row]) * sigmoid(-z[row]);
        yield target == 0 ? -product : product;
      }
      case BCE -> target == 0 ? -sigmoid(-z[row]) : sigmoid(z[row]);
      case CROSS_ENTROPY -> {
        double largest = largest(z, row, outputs);
        double probability =
            StrictMath.exp(z[row + j] - largest) / expSum(z, row, outputs, largest);
        yield j == target ? probability - 1 : probability;
      }
    };
  }

  /** 1 / (1 + e^-z), without overflow; 1 - sigmoid(z) is sigmoid(-z), exact also near 1. */
  private static double sigmoid(double z) {
    double e = StrictMath.exp(-Math.abs(z));
    return z >= 0 ? 1 / (1 + e) : e / (1 + e);
  }

  /** log(1 + e^z), without overflow. */
  private static double softplus(double z) {
    return Math.max(z, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(z)));
  }

  private static double largest(float[] z, int row, int outputs) {
    double largest = z[row];
    for (int j = 1; j < outputs; j++) {
      largest = Math.max(largest, z[row + j]);
    }
    return largest;
  }

  private static double expSum(float[] z, int row, int outputs, double largest) {
    double sum = 0;
    for (int j = 0; j < outputs; j++) {
      sum += StrictMath.exp(z[row + j] - largest);
    }
    return sum;
  }
}
