package zerofive.backend.cuda;

import java.util.Arrays;
import java.util.stream.LongStream;
import zerofive.backend.TrainingPlan;
import zerofive.backend.ops.Ops;
import zerofive.data.ImageSet;

/**
 * What the trainings of a sweep come to together.
 *
 * @param trainings how many
 * @param trainImages of distinct sets
 * @param validImages of distinct sets
 * @param places training images of all
 * @param validPlaces validation images of all
 * @param steps of an epoch of all
 * @param rows whose outputs each keeps: those of the largest batch, or one for each warp
 */
record SweepTotals(
    int trainings,
    long trainImages,
    long validImages,
    long places,
    long validPlaces,
    long steps,
    int rows) {
  /** Warps of a block, as kernels/exact_update.cu has them. */
  private static final int WARPS = 8;

  /** Images whose gradients of the first layer's weights are summed together. */
  private static final int BLOCK_ROWS = 256;

  /** No training. */
  static final SweepTotals NONE = new SweepTotals(0, 0, 0, 0, 0, 0, WARPS);

  /** With one more, whose sets are among {@code trainImages} and {@code validImages}. */
  SweepTotals with(
      TrainingPlan plan, ImageSet train, ImageSet valid, long trainImages, long validImages) {
    return new SweepTotals(
        trainings + 1,
        trainImages,
        validImages,
        places + train.count(),
        validPlaces + valid.count(),
        steps + plan.stepsPerEpoch(train.count()),
        Math.max(rows, plan.rows(0, train.count())));
  }

  /** Floats of outputs of all, and as many of gradients. */
  long outputs(ExactModel shape) {
    return (long) trainings * rows * shape.rowFloats();
  }

  /** Floats of gradients of the weights: of a batch that comes in several blocks of rows. */
  long weightGradients(ExactModel shape) {
    return rows > BLOCK_ROWS ? (long) trainings * shape.size() : 1;
  }

  /** Whether an int counts the elements of each buffer. */
  boolean isAddressable(ExactModel shape) {
    return LongStream.concat(Arrays.stream(bytes(shape)), Arrays.stream(words(shape)))
        .allMatch(length -> length <= Integer.MAX_VALUE);
  }

  /** Bytes of all buffers. */
  long allBytes(ExactModel shape) {
    return LongStream.of(bytes(shape)).sum() + Float.BYTES * LongStream.of(words(shape)).sum();
  }

  private long[] bytes(ExactModel shape) {
    return new long[] {trainImages * shape.inputs(), validImages * shape.inputs()};
  }

  /** Lengths of buffers of four bytes an element; some of several buffers together. */
  private long[] words(ExactModel shape) {
    return new long[] {
      trainImages,
      validImages,
      3 * places,
      2 * validPlaces,
      (Ops.STEP_PARAMETERS + 2) * steps,
      (long) trainings * shape.values().length(),
      (long) trainings * shape.transposed().length(),
      weightGradients(shape),
      outputs(shape),
      outputs(shape)
    };
  }
}
