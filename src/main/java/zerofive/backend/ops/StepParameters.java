package zerofive.backend.ops;

import zerofive.backend.Optimizer;

/**
 * The parameters of an epoch's steps that {@link Ops#update} reads: the learning rate and what is
 * computed from it. Powers and roots are computed here, in double, so that every device has the
 * same bits.
 */
public final class StepParameters {
  private StepParameters() {}

  /**
   * Rows of {@link Ops#STEP_PARAMETERS} values: learning rate, Adam's step size and
   * bias_correction2_sqrt, AdamW's decay factor.
   *
   * @param learningRates [steps]
   * @param taken steps before the first of these
   */
  public static float[] table(Optimizer optimizer, float[] learningRates, long taken) {
    double decay = asWritten(optimizer.weightDecay());
    double power1 = StrictMath.pow(Optimizer.BETA1, (double) taken);
    double power2 = StrictMath.pow(Optimizer.BETA2, (double) taken);
    float[] table = new float[learningRates.length * Ops.STEP_PARAMETERS];
    for (int step = 0; step < learningRates.length; step++) {
      double rate = learningRates[step];
      power1 *= Optimizer.BETA1;
      power2 *= Optimizer.BETA2;
      int row = step * Ops.STEP_PARAMETERS;
      table[row] = learningRates[step];
      table[row + 1] = (float) (rate / (1 - power1));
      table[row + 2] = (float) Math.sqrt(1 - power2);
      table[row + 3] = (float) (1 - rate * decay);
    }
    return table;
  }

  /** The decimal that was written: 0.01f as 0.01, not as 0.00999999978. */
  private static double asWritten(float value) {
    return Double.parseDouble(Float.toString(value));
  }
}
