package zerofive.backend;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import zerofive.data.ImageSet;
import zerofive.model.ModelSpec;
import zerofive.model.Parameters;

/** One way to compute: the reference in double precision, the CPU, CUDA. */
public interface Backend {
  /** Its name on the command line: {@code reference}, {@code cpu}, {@code cuda}. */
  String name();

  /** Whether it can be used here. Loads nothing before it must, and never throws. */
  Availability probe();

  /**
   * What is worth knowing of a usable device, in order: for {@code devices} and for receipts. May
   * take as long as opening it.
   *
   * @throws DeviceException where the device fails
   */
  default Map<String, String> details() {
    return Map.of();
  }

  /**
   * The arithmetic that it computes, see {@link Arithmetic}: the same bits as every other device
   * with this number. Empty where its bits are its own.
   *
   * @throws DeviceException where that depends on a device that cannot be used
   */
  default OptionalInt arithmetic() {
    return OptionalInt.empty();
  }

  /**
   * Puts the data and the start on the device.
   *
   * @throws DeviceException where the device fails or its memory is too small
   */
  TrainingSession open(TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start);

  /**
   * Opens a model for its logits alone.
   *
   * @throws DeviceException where the device fails or its memory is too small
   */
  Predictor openPredictor(Parameters model);

  /** Whether {@link #openSweep} serves such models: faster than sessions one after the other. */
  default boolean sweeps(ModelSpec model) {
    return false;
  }

  /**
   * Opens the device for many trainings at a time, each with the bits of a session.
   *
   * @param plan of all of them
   * @throws DeviceException where the device fails or its memory is too small
   */
  default Sweep openSweep(TrainingPlan plan) {
    throw new UnsupportedOperationException(name() + " trains one after the other");
  }

  /** Trainings by one plan, side by side on one device. Not for several threads at once. */
  interface Sweep extends AutoCloseable {
    /**
     * Takes one more training, before the first epoch.
     *
     * @return whether it is taken; not where it does not fit beside those that were taken before
     * @throws DeviceException where it does not fit alone
     */
    boolean add(ImageSet train, ImageSet valid, TrainingState start);

    /**
     * An epoch of those trainings that have an input, and then their measurement.
     *
     * @param inputs [trainings], in the order in which they were added
     * @return [trainings], what came of each input
     */
    List<Optional<Epoch>> trainEpoch(List<Optional<EpochInput>> inputs);

    /** A copy of the weights of a training, by its number. */
    Parameters parameters(int training);

    /** Frees the device's memory. */
    @Override
    void close();
  }

  /**
   * An epoch of a training in a {@link Sweep}; times are those of all trainings together.
   *
   * @param trained as {@link TrainingSession#trainEpoch} gives it
   * @param measured as {@link TrainingSession#evaluate} gives it after that epoch
   */
  record Epoch(EpochResult trained, Evaluation measured) {}

  /**
   * Measures what the device can do at most, in some tenths of a second; empty where this backend
   * has no code for that.
   *
   * @throws DeviceException where the device fails or its memory is too small
   */
  default Optional<Peaks> peaks() {
    return Optional.empty();
  }
}
