package zerofive.backend;

import zerofive.model.Architecture;
import zerofive.model.Loss;

/**
 * What stays the same for all epochs of a run.
 *
 * @param architecture the model
 * @param loss what is lowered
 * @param optimizer how a gradient becomes a step
 * @param batchSize examples a step; may exceed the data, then a step takes all
 */
public record TrainingPlan(
    Architecture architecture, Loss loss, Optimizer optimizer, int batchSize) {
  public TrainingPlan {
    if (batchSize < 1) {
      throw new IllegalArgumentException("batch size " + batchSize + " is not at least 1");
    }
  }

  /** Steps of an epoch over {@code count} examples; the last may be short. */
  public int stepsPerEpoch(int count) {
    return (int) (((long) count + batchSize - 1) / batchSize);
  }

  /** Examples of a step, counted from 0, of an epoch over {@code count}. */
  public int rows(int step, int count) {
    return Math.min(batchSize, count - step * batchSize);
  }
}
