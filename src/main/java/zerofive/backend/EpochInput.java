package zerofive.backend;

/**
 * What Java decides for one epoch.
 *
 * @param order [training images], every image number once; batches are consecutive runs of it
 * @param learningRates [steps of the epoch]
 */
@SuppressWarnings("ArrayRecordComponent")
public record EpochInput(int[] order, float[] learningRates) {}
