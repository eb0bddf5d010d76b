package zerofive.backend;

/**
 * What an epoch of training gave.
 *
 * @param trainLoss mean over all examples of the loss each had when its batch was used
 * @param elapsedNanos from the epoch's start until its weights were final
 */
public record EpochResult(double trainLoss, long elapsedNanos) {}
