package zerofive.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

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
 * @param statistics of gradient and weights, where they are asked for, by the names of their
 *     columns
 */
public record EpochRecord(
    int epoch,
    double trainLoss,
    double validLoss,
    double accuracy,
    int errors,
    double trainSeconds,
    double validSeconds,
    Map<String, Double> statistics) {
  public EpochRecord {
    statistics = Collections.unmodifiableMap(new LinkedHashMap<>(statistics));
  }

  /** The same epoch with statistics. */
  EpochRecord with(Map<String, Double> measured) {
    return new EpochRecord(
        epoch, trainLoss, validLoss, accuracy, errors, trainSeconds, validSeconds, measured);
  }

  /** An epoch without statistics. */
  public EpochRecord(
      int epoch,
      double trainLoss,
      double validLoss,
      double accuracy,
      int errors,
      double trainSeconds,
      double validSeconds) {
    this(epoch, trainLoss, validLoss, accuracy, errors, trainSeconds, validSeconds, Map.of());
  }
}
