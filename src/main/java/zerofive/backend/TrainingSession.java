package zerofive.backend;

import zerofive.model.Parameters;

/** A training under way on one device. Not for several threads at once. */
public interface TrainingSession extends AutoCloseable {
  /** Takes every step of one epoch. */
  EpochResult trainEpoch(EpochInput input);

  /** Measures the present weights on the validation set; changes nothing that training uses. */
  Evaluation evaluate();

  /**
   * The validation set's logits at the present weights, the same bits as this backend's {@link
   * Predictor} gives; changes nothing that training uses.
   *
   * @return [validation images, outputs] row-major
   */
  float[] logits();

  /**
   * Replaces the weights; the optimiser's values and steps stay.
   *
   * @throws IllegalArgumentException where they are of another architecture
   */
  void setParameters(Parameters model);

  /** A copy of the weights and the optimiser's state, to go on from. */
  TrainingState state();

  /** Frees the device's memory. */
  @Override
  void close();
}
