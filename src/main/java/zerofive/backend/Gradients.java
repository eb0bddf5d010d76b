package zerofive.backend;

import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/**
 * What is asked for the loss's gradient apart from any training: it has memory of its own and moves
 * no weight. Not for several threads at once.
 */
public interface Gradients extends AutoCloseable {
  /**
   * The gradient of the mean loss over all {@code images} at the weights {@code model}; batches are
   * computed in float32 and added up in double. Weight decay, which belongs to the optimiser, is
   * not in it.
   *
   * @return [parameters], laid out as these
   */
  double[] of(Parameters model, ImageSet images);

  /** Frees the device's memory. */
  @Override
  void close();
}
