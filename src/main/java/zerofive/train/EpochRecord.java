package zerofive.train;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/**
 * One row of a run's history.
 *
 * @param epoch counted from 1
 * @param trainLoss mean over the examples of the loss each had when its batch was used
 * @param validLoss mean over the validation set after the epoch
 * @param accuracy share of the validation images predicted rightly, in [0, 1]
 * @param errors validation images predicted wrongly
 * @param trainSeconds from the epoch's start until its weights were final
 * @param validSeconds of the validation
 */
public record EpochRecord(
    int epoch,
    double trainLoss,
    double validLoss,
    double accuracy,
    int errors,
    double trainSeconds,
    double validSeconds) {
  /** As many as tell any two float32 numbers apart, and as metrics.csv has. */
  private static final MathContext NINE_DIGITS = new MathContext(9, RoundingMode.HALF_UP);

  /** The same to nine significant digits: what a run has of the epochs before it was resumed. */
  public EpochRecord rounded() {
    return new EpochRecord(
        epoch,
        round(trainLoss),
        round(validLoss),
        round(accuracy),
        errors,
        round(trainSeconds),
        round(validSeconds));
  }

  private static double round(double value) {
    return Double.isFinite(value) ? new BigDecimal(value).round(NINE_DIGITS).doubleValue() : value;
  }
}
