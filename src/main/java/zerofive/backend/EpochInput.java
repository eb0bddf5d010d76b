package zerofive.backend;

/**
 * What Java decides for one epoch.
 *
 * @param order [training images], every image number once; batches are consecutive runs of it
 * @param learningRates [steps of the epoch]
 * @param shifts [training images], by image number, how far each is moved, as {@link
 *     zerofive.data.Augmentation#pack} has it; null where they stay where they are
 */
@SuppressWarnings("ArrayRecordComponent")
public record EpochInput(int[] order, float[] learningRates, int[] shifts) {
  /** An epoch whose images stay where they are. */
  public EpochInput(int[] order, float[] learningRates) {
    this(order, learningRates, null);
  }

  /**
   * Throws IllegalArgumentException where this is no epoch of so many images and steps. That every
   * image comes once is its maker's promise.
   */
  public void check(int images, int steps) {
    if (learningRates.length != steps) {
      throw new IllegalArgumentException(
          learningRates.length + " learning rates for " + steps + " steps");
    }
    if (order.length != images) {
      throw new IllegalArgumentException(
          "an order of " + order.length + " images for a training set of " + images);
    }
    if (shifts != null && shifts.length != images) {
      throw new IllegalArgumentException(
          shifts.length + " shifts for a training set of " + images + " images");
    }
    for (int image : order) {
      if (image < 0 || image >= images) {
        throw new IllegalArgumentException("the order names image " + image + " of " + images);
      }
    }
  }
}
