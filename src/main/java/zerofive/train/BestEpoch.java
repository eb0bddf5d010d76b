package zerofive.train;

import zerofive.model.Parameters;

/**
 * The epoch with the lowest validation loss so far, the earliest of equals: what {@code
 * --early-stop} measures from, and what it keeps.
 *
 * @param epoch counted from 1
 * @param validLoss to its last bit; metrics.csv rounds it
 * @param parameters the weights after it
 */
public record BestEpoch(int epoch, double validLoss, Parameters parameters) {}
