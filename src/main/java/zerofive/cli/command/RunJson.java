package zerofive.cli.command;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;

import com.google.gson.annotations.SerializedName;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import zerofive.run.RunFolder;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;

/**
 * What a finished training came to, for programs that read along.
 *
 * @param run its folder
 * @param model the model's file
 * @param data as the settings name it
 * @param classes in the order of the targets
 * @param device that trained
 * @param last the last epoch
 * @param best the epoch with the fewest errors
 * @param kept the epoch that the model is of; null where that is the last
 * @param stoppedEarly whether the run ended before its last epoch; null where it could not
 * @param seconds of each phase of the command; null where nothing was trained
 */
record RunJson(
    String run,
    String model,
    String data,
    List<String> classes,
    String device,
    @SerializedName("final") Epoch last,
    Epoch best,
    Epoch kept,
    Boolean stoppedEarly,
    Map<String, Double> seconds) {

  /** One epoch's figures, with nine significant digits as in metrics.csv. */
  record Epoch(int epoch, double trainLoss, double validLoss, double accuracy, int errors) {
    static Epoch of(EpochRecord row) {
      return new Epoch(row.epoch(), row.trainLoss(), row.validLoss(), row.accuracy(), row.errors());
    }
  }

  /**
   * @param backend that trained
   * @param history all epochs of the run, at least one
   * @param selectedEpoch the epoch that the model is of
   * @param seconds of each phase; null where nothing was trained
   */
  static RunJson of(
      RunFolder folder,
      Recipe recipe,
      String backend,
      List<EpochRecord> history,
      int selectedEpoch,
      Map<String, Double> seconds) {
    boolean mayStop = recipe.get(EARLY_STOP) > 0;
    return new RunJson(
        folder.path().toString(),
        folder.model().toString(),
        recipe.get(DATA),
        recipe.get(CLASSES).names(),
        backend,
        Epoch.of(history.get(history.size() - 1)),
        Epoch.of(history.stream().min(Comparator.comparingInt(EpochRecord::errors)).orElseThrow()),
        mayStop ? Epoch.of(history.get(selectedEpoch - 1)) : null,
        mayStop ? history.size() < recipe.get(EPOCHS) : null,
        seconds);
  }
}
