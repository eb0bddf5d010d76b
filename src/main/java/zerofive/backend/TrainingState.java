package zerofive.backend;

import zerofive.model.Parameters;

/**
 * All that a next epoch depends on, besides its input.
 *
 * @param parameters the weights
 * @param moments [optimizer.momentCount() * parameters], the optimiser's values, one kind after the
 *     other
 * @param steps optimiser steps taken so far; Adam's bias corrections depend on it
 */
@SuppressWarnings("ArrayRecordComponent")
public record TrainingState(Parameters parameters, float[] moments, long steps) {
  /** Before the first step: all moments zero. */
  public static TrainingState initial(Parameters parameters, Optimizer optimizer) {
    return new TrainingState(
        parameters, new float[optimizer.momentCount() * parameters.values().length], 0);
  }
}
