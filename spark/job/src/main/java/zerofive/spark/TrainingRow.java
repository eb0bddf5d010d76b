package zerofive.spark;

import java.io.Serializable;
import zerofive.study.TrainingResult;
import zerofive.study.Trainings;

/**
 * How one training ended, on its way to the driver: a failure is a row too, since an exception
 * would be tried again and end the job.
 *
 * @param index of the training
 * @param errors validation images predicted wrongly
 * @param images validation images
 * @param trainLoss of the epoch that the model is of
 * @param validLoss after it
 * @param seconds of training and validation
 * @param modelSha256 of the model file; null where there is no result
 * @param error why there is none, in a sentence; null where there is one
 * @param isRefusal whether the executor cannot train at all, rather than this training
 * @param device that computed, or null
 */
record TrainingRow(
    int index,
    int errors,
    int images,
    double trainLoss,
    double validLoss,
    double seconds,
    String modelSha256,
    String error,
    boolean isRefusal,
    ExecutorDevice device)
    implements Serializable {
  static TrainingRow of(int index, TrainingResult result, ExecutorDevice device) {
    return new TrainingRow(
        index,
        result.errors(),
        result.images(),
        result.trainLoss(),
        result.validLoss(),
        result.seconds(),
        result.modelSha256(),
        null,
        false,
        device);
  }

  static TrainingRow failed(int index, String error, boolean isRefusal, ExecutorDevice device) {
    return new TrainingRow(index, 0, 0, Double.NaN, Double.NaN, 0, null, error, isRefusal, device);
  }

  boolean hasResult() {
    return modelSha256 != null;
  }

  TrainingResult result() {
    return new TrainingResult(errors, images, trainLoss, validLoss, seconds, modelSha256);
  }

  double accuracy() {
    return 1 - (double) errors / images;
  }
}
