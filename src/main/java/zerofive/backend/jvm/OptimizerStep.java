package zerofive.backend.jvm;

import static zerofive.backend.jvm.ElementMath.addWeightDecay;

import zerofive.backend.Optimizer;
import zerofive.backend.Optimizer.Kind;
import zerofive.backend.ops.Ops;

/** One optimiser step on a row of parameters. */
final class OptimizerStep {
  private OptimizerStep() {}

  /**
   * Changes w, and the moments as many as the optimiser has.
   *
   * @param stepParameters rows of {@link Ops#STEP_PARAMETERS} values, as {@link
   *     zerofive.backend.ops.StepParameters} computes them
   * @param step the row to take
   */
  static void take(
      Optimizer optimizer,
      float[] w,
      float[] g,
      float[] first,
      float[] second,
      float[] stepParameters,
      int step) {
    int at = step * Ops.STEP_PARAMETERS;
    float learningRate = stepParameters[at];
    float decay = optimizer.weightDecay();
    if (optimizer.kind() != Kind.SGD) {
      boolean isDecoupled = optimizer.kind() == Kind.ADAMW;
      adam(
          w,
          g,
          first,
          second,
          stepParameters[at + 1],
          stepParameters[at + 2],
          isDecoupled ? stepParameters[at + 3] : 1,
          isDecoupled ? 0 : decay);
    } else if (optimizer.momentum() != 0) {
      momentum(w, g, first, learningRate, optimizer.momentum(), decay);
    } else if (decay != 0) {
      for (int i = 0; i < w.length; i++) {
        w[i] = ElementMath.sgdStep(w[i], addWeightDecay(g[i], w[i], decay), learningRate);
      }
    } else {
      for (int i = 0; i < w.length; i++) {
        w[i] = ElementMath.sgdStep(w[i], g[i], learningRate);
      }
    }
  }

  private static void momentum(
      float[] w, float[] g, float[] velocity, float learningRate, float momentum, float decay) {
    for (int i = 0; i < w.length; i++) {
      velocity[i] =
          ElementMath.momentumUpdate(velocity[i], addWeightDecay(g[i], w[i], decay), momentum);
      w[i] = ElementMath.sgdStep(w[i], velocity[i], learningRate);
    }
  }

  private static void adam(
      float[] w,
      float[] g,
      float[] first,
      float[] second,
      float stepSize,
      float biasCorrection2Sqrt,
      float decayFactor,
      float decay) {
    for (int i = 0; i < w.length; i++) {
      float weight = decayFactor * w[i];
      float gradient = addWeightDecay(g[i], weight, decay);
      first[i] = ElementMath.adamFirstMoment(first[i], gradient);
      second[i] = ElementMath.adamSecondMoment(second[i], gradient);
      w[i] = ElementMath.adamStep(weight, first[i], second[i], stepSize, biasCorrection2Sqrt);
    }
  }
}
