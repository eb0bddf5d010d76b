package zerofive.backend.ops;

import zerofive.backend.Optimizer;

/**
 * The table of an epoch's steps that {@link Ops#update} reads: learning rate and what follows from
 * it. Powers and roots are taken here, in double, so that no device takes them.
 */
final class StepRates {
  private StepRates() {}

  /**
   * Rows of RATES values: learning rate, Adam's step size, Adam's root, AdamW's factor.
   *
   * @param learningRates [steps]
   * @param taken steps before the first of these
   */
  static float[] table(Optimizer optimizer, float[] learningRates, long taken) {
    float[] table = new float[learningRates.length * Ops.RATES];
    for (int step = 0; step < learningRates.length; step++) {
      double rate = learningRates[step];
      double t = taken + step + 1.0;
      table[step * Ops.RATES] = learningRates[step];
      table[step * Ops.RATES + 1] = (float) (rate / (1 - StrictMath.pow(Optimizer.BETA1, t)));
      table[step * Ops.RATES + 2] = (float) Math.sqrt(1 - StrictMath.pow(Optimizer.BETA2, t));
      table[step * Ops.RATES + 3] = (float) (1 - rate * asWritten(optimizer.weightDecay()));
    }
    return table;
  }

  /** The decimal that was written: 0.01f as 0.01, not as 0.00999999978. */
  private static double asWritten(float value) {
    return Double.parseDouble(Float.toString(value));
  }
}
