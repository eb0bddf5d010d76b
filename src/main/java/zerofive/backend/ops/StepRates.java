package zerofive.backend.ops;

import zerofive.backend.Optimizer;

/**
 * The table of an epoch's steps that {@link Ops#update} reads: learning rate and what follows from
 * it. Powers and roots are taken here, in double, so that no device takes them.
 */
public final class StepRates {
  private StepRates() {}

  /**
   * Rows of RATES values: learning rate, Adam's step size, Adam's root, AdamW's factor.
   *
   * @param learningRates [steps]
   * @param taken steps before the first of these
   */
  public static float[] table(Optimizer optimizer, float[] learningRates, long taken) {
    double decay = asWritten(optimizer.weightDecay());
    double power1 = StrictMath.pow(Optimizer.BETA1, (double) taken);
    double power2 = StrictMath.pow(Optimizer.BETA2, (double) taken);
    float[] table = new float[learningRates.length * Ops.RATES];
    for (int step = 0; step < learningRates.length; step++) {
      double rate = learningRates[step];
      power1 *= Optimizer.BETA1;
      power2 *= Optimizer.BETA2;
      int row = step * Ops.RATES;
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
