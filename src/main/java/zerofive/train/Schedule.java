package zerofive.train;

import java.util.Locale;

/** How the learning rate moves over a run; a pure function of the step, so a run can be resumed. */
public enum Schedule {
  /** The same rate at every step. */
  CONSTANT,
  /** From the rate down to 0 along half a cosine (Loshchilov and Hutter, SGDR, 2017). */
  COSINE,
  /**
   * Up to the rate over the first 30 % of the steps, from a 25th of it, then down to a 10,000th of
   * where it began, both along half a cosine: torch.optim.lr_scheduler.OneCycleLR's defaults.
   */
  ONE_CYCLE;

  private static final double WARM_UP = 0.3;
  private static final double START_DIVISOR = 25;
  private static final double END_DIVISOR = 1e4;

  /**
   * The rate of one step.
   *
   * @param rate the run's learning rate: the highest that is reached
   * @param step counted from 0 over the whole run
   * @param steps of the whole run
   */
  public float rate(float rate, long step, long steps) {
    return switch (this) {
      case CONSTANT -> rate;
      case COSINE -> (float) between(rate, 0, (double) step / steps);
      case ONE_CYCLE -> {
        double start = rate / START_DIVISOR;
        double peak = Math.max(WARM_UP * steps - 1, 0);
        double last = steps - 1;
        if (step <= peak) {
          yield (float) (peak == 0 ? rate : between(start, rate, step / peak));
        }
        yield (float) between(rate, start / END_DIVISOR, (step - peak) / (last - peak));
      }
    };
  }

  /** Half a cosine from {@code from} at 0 to {@code to} at 1. */
  private static double between(double from, double to, double fraction) {
    return to + (from - to) * (1 + StrictMath.cos(Math.PI * fraction)) / 2;
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
