package zerofive.cli;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DATA;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Comparator;
import java.util.List;
import zerofive.report.TimeSpent;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.RunFolder;

/** What a finished training came to, for programs that read along. */
final class RunJson {
  private RunJson() {}

  /**
   * @param backend that trained
   * @param history all epochs of the run, at least one
   * @param kept the epoch that the model is of
   */
  static JsonObject of(
      RunFolder folder, Recipe recipe, String backend, List<EpochRecord> history, int kept) {
    JsonArray classes = new JsonArray();
    recipe.get(CLASSES).names().forEach(classes::add);
    JsonObject json = new JsonObject();
    json.addProperty("run", folder.path().toString());
    json.addProperty("model", folder.model().toString());
    json.addProperty("data", recipe.get(DATA));
    json.add("classes", classes);
    json.addProperty("device", backend);
    json.add("final", epoch(history.get(history.size() - 1)));
    json.add(
        "best",
        epoch(history.stream().min(Comparator.comparingInt(EpochRecord::errors)).orElseThrow()));
    if (recipe.get(EARLY_STOP) > 0) {
      json.add("kept", epoch(history.get(kept - 1)));
      json.addProperty("stopped_early", history.size() < recipe.get(EPOCHS));
    }
    return json;
  }

  /** Seconds of each phase of the command. */
  static JsonObject seconds(TimeSpent time) {
    JsonObject json = new JsonObject();
    time.phases().forEach(json::addProperty);
    return json;
  }

  /** JSON knows no NaN and no infinity. */
  static JsonElement finiteOrNull(double value) {
    return Double.isFinite(value) ? new JsonPrimitive(value) : JsonNull.INSTANCE;
  }

  /** One epoch's figures, with nine significant digits as in metrics.csv. */
  static JsonObject epoch(EpochRecord row) {
    JsonObject json = new JsonObject();
    json.addProperty("epoch", row.epoch());
    json.add("train_loss", rounded(row.trainLoss()));
    json.add("valid_loss", rounded(row.validLoss()));
    json.add("accuracy", rounded(row.accuracy()));
    json.addProperty("errors", row.errors());
    return json;
  }

  private static JsonElement rounded(double value) {
    return Double.isFinite(value)
        ? new JsonPrimitive(new BigDecimal(value).round(new MathContext(9)).doubleValue())
        : JsonNull.INSTANCE;
  }
}
