package zerofive.study;

import zerofive.data.DataSet;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.Trainer;

/**
 * What one training came to.
 *
 * @param errors validation images predicted wrongly
 * @param images validation images
 * @param trainLoss of the epoch that the model is of
 * @param validLoss after it
 * @param seconds of training and validation
 * @param modelSha256 of the model file that {@code train} writes for the same settings
 */
public record TrainingResult(
    int errors,
    int images,
    double trainLoss,
    double validLoss,
    double seconds,
    String modelSha256) {
  /** Of a training that was not stopped, on the images of its recipe's classes. */
  public static TrainingResult of(Trainer.Outcome outcome, Recipe recipe, DataSet data) {
    EpochRecord selected = outcome.selected().orElseThrow();
    return new TrainingResult(
        selected.errors(),
        data.valid().count(),
        selected.trainLoss(),
        selected.validLoss(),
        outcome.history().stream()
            .mapToDouble(row -> row.trainSeconds() + row.validSeconds())
            .sum(),
        outcome.model(recipe, data).sha256());
  }
}
