package zerofive.study.verify;

import java.util.List;
import java.util.Optional;
import zerofive.train.EpochRecord;

/**
 * The first epoch whose losses, to the nine digits of metrics.csv, are others here.
 *
 * @param epoch counted from 1
 * @param trainLoss in metrics.csv
 * @param validLoss in metrics.csv
 * @param computedTrainLoss computed here
 * @param computedValidLoss computed here
 */
public record LossDifference(
    int epoch,
    double trainLoss,
    double validLoss,
    double computedTrainLoss,
    double computedValidLoss) {
  /** The first difference in the epochs that both have; empty where there is none. */
  static Optional<LossDifference> first(List<EpochRecord> file, List<EpochRecord> computed) {
    for (int i = 0; i < Math.min(file.size(), computed.size()); i++) {
      EpochRecord there = file.get(i);
      EpochRecord here = computed.get(i).rounded();
      if (Double.compare(there.trainLoss(), here.trainLoss()) != 0
          || Double.compare(there.validLoss(), here.validLoss()) != 0) {
        return Optional.of(
            new LossDifference(
                there.epoch(),
                there.trainLoss(),
                there.validLoss(),
                here.trainLoss(),
                here.validLoss()));
      }
    }
    return Optional.empty();
  }
}
