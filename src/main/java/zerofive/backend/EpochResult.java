package zerofive.backend;

/**
 * What an epoch of training gave.
 *
 * @param trainLoss mean over all examples of the loss each had when its batch was used
 * @param stepLosses [steps], the mean over each step's own batch, before the step
 * @param elapsedNanos from the epoch's start until its weights were final
 */
@SuppressWarnings("ArrayRecordComponent")
public record EpochResult(double trainLoss, double[] stepLosses, long elapsedNanos) {
  /**
   * From the sums of losses; the epoch's is that of the steps' in order.
   *
   * @param lossSums [steps], over each step's batch
   * @param plan has the batches' size
   * @param count training images
   */
  public static EpochResult of(double[] lossSums, TrainingPlan plan, int count, long elapsedNanos) {
    double[] means = new double[lossSums.length];
    double sum = 0;
    for (int step = 0; step < lossSums.length; step++) {
      means[step] = lossSums[step] / plan.rows(step, count);
      sum += lossSums[step];
    }
    return new EpochResult(sum / count, means, elapsedNanos);
  }
}
