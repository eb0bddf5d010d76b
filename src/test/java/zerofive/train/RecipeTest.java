package zerofive.train;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.CHECKPOINT_EVERY;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.INIT_FROM;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.MOMENTUM;
import static zerofive.train.Settings.OPTIMIZER;
import static zerofive.train.Settings.SCHEDULE;
import static zerofive.train.Settings.SEED;
import static zerofive.train.Settings.TENSORBOARD;
import static zerofive.train.Settings.WEIGHT_DECAY;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.image.ImageShape;
import zerofive.model.Initializer;

public class RecipeTest {
  public static Recipe with(Recipe recipe, Optimizer optimizer) {
    return recipe
        .with(OPTIMIZER, optimizer.kind())
        .with(MOMENTUM, optimizer.momentum())
        .with(WEIGHT_DECAY, optimizer.weightDecay());
  }

  static Recipe config(int epochs, Optimizer optimizer) {
    return with(Recipe.DEFAULTS.with(MODEL, "mlp:8"), optimizer)
        .with(LEARNING_RATE, 0.1f)
        .with(SCHEDULE, Schedule.COSINE)
        .with(EPOCHS, epochs)
        .with(BATCH_SIZE, 7)
        .with(AUGMENTATION, new Augmentation(3))
        .with(SEED, Long.MIN_VALUE)
        .with(INITIALIZER, Initializer.NORMAL)
        .with(INIT_FROM, Optional.of("a \"quoted\" file"))
        .with(CHECKPOINT_EVERY, 3)
        .with(EARLY_STOP, 4)
        .with(TENSORBOARD, true)
        .with(ARITHMETIC, Optional.of(3));
  }

  @Test
  void jsonKeepsEverySetting() {
    Recipe config = config(5, new Optimizer(Optimizer.Kind.SGD, 0.9f, 1e-4f));
    assertEquals(config, Recipe.fromJson(config.toJson()));
  }

  /** Of every setting of its time another value than the default; three of them have left. */
  @Test
  void theFileOfAnEarlierVersionIsReadAndWrittenAlike() throws IOException {
    try (InputStream specimen = RecipeTest.class.getResourceAsStream("/specimens/settings.json")) {
      String json = new String(specimen.readAllBytes(), UTF_8);
      String without =
          json.replace("  \"statistics\": true,\n", "")
              .replace("    \"cuda-session\": \"stepwise\",\n", "")
              .replace(",\n    \"resident-mb\": \"17\"", "");
      assertEquals(json.lines().count() - 3, without.lines().count());
      String added = "  \"skip_unreadable\": false,\n";
      assertEquals(without, Recipe.fromJson(json).toJson().replace(added, ""));
      assertEquals(List.of("cuda-session", "resident-mb"), Recipe.removedDeviceSettings(json));
      assertEquals(List.of(), Recipe.removedDeviceSettings(without));
    }
  }

  @Test
  void aRunOfAnEarlierVersionHasNoneOfTheLaterSettings() {
    Recipe config = config(5, Optimizer.sgd());
    String json = config.toJson().replaceAll("\"(early_stop|tensorboard)\": [^\\n]+\\n", "");
    assertFalse(json.contains("early_stop"), json);
    assertEquals(config.with(EARLY_STOP, 0).with(TENSORBOARD, false), Recipe.fromJson(json));
  }

  @ParameterizedTest
  @CsvSource({
    // 16 steps an epoch, 15, four, one.
    "11344, 28, 28, mlp:30, 25, shift:1",
    "1921, 28, 28, mlp:30, 25, shift:1",
    "1920, 28, 28, mlp:30, 27, shift:1",
    "400, 28, 28, mlp:30, 100, shift:1",
    "1, 28, 28, mlp:30, 200, shift:1",
    "11344, 14, 100, mlp:30, 25, shift:1",
    "11344, 100, 13, mlp:30, 25, none",
    "11344, 28, 28, linear, 25, none",
  })
  void defaultsFollowFromTheImages(
      int count, int height, int width, String model, int epochs, String augmentation) {
    ImageShape shape = new ImageShape(height, width);
    Recipe recipe = Recipe.DEFAULTS.with(MODEL, model);
    Recipe resolved = recipe.forImages(count, shape);
    assertEquals(epochs, resolved.get(EPOCHS));
    assertEquals(augmentation, resolved.get(AUGMENTATION).toString());
    Recipe set = recipe.with(EPOCHS, 3).with(AUGMENTATION, new Augmentation(4));
    assertEquals(set, set.forImages(count, shape));
  }

  @Test
  void fewerStepsAnEpochOfLargerBatchesTakeMoreEpochs() {
    Recipe recipe = Recipe.DEFAULTS.with(BATCH_SIZE, 1 << 20);
    assertEquals(200, recipe.forImages(11_344, new ImageShape(28, 28)).get(EPOCHS));
  }

  /** As in the folders of versions that knew no augmentation. */
  @Test
  void withoutAnAugmentationThereIsNone() {
    Recipe config = config(5, Optimizer.sgd());
    String older = config.toJson().replaceFirst(" *\"augment\": [^\\n]+\\n", "");
    assertFalse(older.contains("augment"), older);
    assertEquals(config.with(AUGMENTATION, Augmentation.NONE), Recipe.fromJson(older));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "{", "null", "{\"data\": {}}", "17", "{\"data\":\"mnist\"}"})
  void damagedJsonIsRefusedWithAReason(String json) {
    assertThrows(IllegalArgumentException.class, () -> Recipe.fromJson(json));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"epochs\": 0",
        "\"epochs\": -1",
        "\"lr\": -1",
        "\"lr\": 1e99",
        "\"batch_size\": 0",
        "\"model\": \"mlp:x\"",
        "\"loss\": \"cross-entropy\"",
        "\"epochs\": 1e99",
        "\"seed\": \"x\"",
        "\"epochs\": 4294967299",
        "\"epochs\": 3.9",
        "\"seed\": 1e40",
        "\"seed\": 42.5",
        "\"seed\": 1e999999999",
        "\"augment\": \"shift:-1\"",
        "\"augment\": \"shift:128\"",
        "\"threads\": -1",
        "\"early_stop\": -1",
        "\"arithmetic\": 0",
        "\"tensorboard\": 7"
      })
  void aSettingOutOfRangeIsRefused(String setting) {
    String name = setting.substring(0, setting.indexOf(':'));
    String json = config(5, Optimizer.sgd()).toJson().replaceFirst(name + ": [^,\\n]+", setting);
    assertTrue(json.contains(setting), json);
    assertThrows(IllegalArgumentException.class, () -> Recipe.fromJson(json));
  }
}
