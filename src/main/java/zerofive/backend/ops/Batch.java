package zerofive.backend.ops;

/**
 * A run of an epoch's order: the images of one step.
 *
 * @param order I32, image indices
 * @param shifts I32 [images], by image number, how far each is moved, as {@link
 *     zerofive.data.Augmentation#pack} has it; null where they stay where they are
 * @param first place in {@code order} of the batch's first image
 * @param rows images in the batch
 */
public record Batch(Buffer order, Buffer shifts, int first, int rows) {
  /** A batch whose images stay where they are. */
  public Batch(Buffer order, int first, int rows) {
    this(order, null, first, rows);
  }
}
