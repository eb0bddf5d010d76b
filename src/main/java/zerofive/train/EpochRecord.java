package zerofive.train;

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
    double validSeconds) {}
