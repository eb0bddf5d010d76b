package zerofive.backend;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import zerofive.data.ImageSet;
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
