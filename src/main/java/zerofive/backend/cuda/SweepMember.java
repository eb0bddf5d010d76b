package zerofive.backend.cuda;

import zerofive.backend.TrainingState;
import zerofive.data.ImageSet;

/**
 * A training of a sweep, and where its parts of the sweep's buffers begin.
 *
 * @param slot its number
 * @param start before its first epoch
 * @param firstTrainImage of its set among all training images
 * @param firstValidImage likewise
 * @param firstPlace of its epoch among the places of all trainings
 * @param firstValidPlace likewise, of its validation images
 * @param firstStep of its epoch among the steps of all trainings
 */
record SweepMember(
    int slot,
    ImageSet train,
    ImageSet valid,
    TrainingState start,
    int firstTrainImage,
    int firstValidImage,
    int firstPlace,
    int firstValidPlace,
    int firstStep) {
  /** Ints of the kernels' description of a training. */
  static final int INTS = 5;

  /** Its description for the kernels that train. */
  int[] trained() {
    return new int[] {slot, train.count(), firstTrainImage, firstPlace, firstStep};
  }

  /** Its description for the kernels that measure. */
  int[] measured() {
    return new int[] {slot, valid.count(), firstValidImage, firstValidPlace, 0};
  }
}
