package zerofive.model;

import java.util.Locale;
import zerofive.data.SplitMix64;

/** Where training starts. */
public enum Initializer {
  /** Weight and bias uniform in +-1 / sqrt(fan-in), torch.nn.Linear's own. */
  PYTORCH,
  /** Weight and bias standard normal, as the notebook's model from scratch. */
  NORMAL,
  /**
   * Weight uniform in +-sqrt(6 / fan-in) and bias 0 where ReLU follows (He et al., 2015, Delving
   * Deep into Rectifiers), PyTorch's at the logits.
   */
  HE;

  /** Keeps the weights' stream apart from the epochs' streams, which count from 1. */
  private static final long STREAM = 0;

  /** Fresh parameters, a pure function of the architecture and the seed. */
  public Parameters create(Architecture architecture, long seed) {
    SplitMix64 random = new SplitMix64(seed, STREAM);
    float[] values = new float[architecture.parameterCount()];
    for (Layer layer : architecture.layers()) {
      boolean he = this == HE && layer.activation() == Activation.RELU;
      double bound = Math.sqrt(he ? 6 : 1) / Math.sqrt(layer.inputs());
      int end = layer.biasOffset() + (he ? 0 : layer.outputs());
      for (int i = layer.weightOffset(); i < end; i++) {
        values[i] =
            (float) (this == NORMAL ? gaussian(random) : (2 * random.nextDouble() - 1) * bound);
      }
    }
    return new Parameters(architecture, values);
  }

  /** Box and Muller's transform; StrictMath gives the same bits on every machine. */
  private static double gaussian(SplitMix64 random) {
    double radius = Math.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
    return radius * StrictMath.cos(2 * Math.PI * random.nextDouble());
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
