package zerofive.backend;

import zerofive.data.ImageSet;
import zerofive.model.Loss;

/** A model that is asked for its logits. */
public interface Predictor extends AutoCloseable {
  /**
   * The logits of every image.
   *
   * @return [images, outputs] row-major
   */
  float[] logits(ImageSet images);

  /** Loss and count of right predictions, as a session's evaluation has them. */
  Evaluation evaluate(ImageSet images, Loss loss);

  /** Frees the device's memory. */
  @Override
  void close();
}
