package zerofive.train;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.model.Initializer;

class RunConfigTest {
  static RunConfig config(int epochs, Optimizer optimizer) {
    return new RunConfig.Builder()
        .model("mlp:8")
        .optimizer(optimizer)
        .learningRate(0.1f)
        .schedule(Schedule.COSINE)
        .epochs(epochs)
        .batchSize(7)
        .augmentation(new Augmentation(3))
        .seed(Long.MIN_VALUE)
        .initializer(Initializer.NORMAL)
        .initFrom(Optional.of("a \"quoted\" file"))
        .checkpointEvery(3)
        .earlyStop(4)
        .tensorboard(true)
        .build();
  }

  @Test
  void jsonKeepsEverySetting() {
    RunConfig config = config(5, new Optimizer(Optimizer.Kind.SGD, 0.9f, 1e-4f));
    assertEquals(config, RunConfig.fromJson(config.toJson()));
  }

  /** Of every setting another value than the default; {@code statistics} has left. */
  @Test
  void theFileOfAnEarlierVersionIsReadAndWrittenAlike() throws IOException {
    try (InputStream specimen =
        RunConfigTest.class.getResourceAsStream("/specimens/settings.json")) {
      String json = new String(specimen.readAllBytes(), UTF_8);
      String without = json.replace("  \"statistics\": true,\n", "");
      assertEquals(without, RunConfig.fromJson(json).toJson());
    }
  }

  @Test
  void aRunOfAnEarlierVersionHasNoneOfTheLaterSettings() {
    RunConfig config = config(5, Optimizer.sgd());
    String json = config.toJson().replaceAll("\"(early_stop|tensorboard)\": [^\\n]+\\n", "");
    assertFalse(json.contains("early_stop"), json);
    assertEquals(
        config.toBuilder().earlyStop(0).tensorboard(false).build(), RunConfig.fromJson(json));
  }

  /** As in the folders of versions that knew no augmentation. */
  @Test
  void withoutAnAugmentationThereIsNone() {
    RunConfig config = config(5, Optimizer.sgd());
    String older = config.toJson().replaceFirst(" *\"augment\": [^\\n]+\\n", "");
    assertFalse(older.contains("augment"), older);
    assertEquals(
        config.toBuilder().augmentation(Augmentation.NONE).build(), RunConfig.fromJson(older));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "{", "null", "{\"data\": {}}", "17", "{\"data\":\"mnist\"}"})
  void damagedJsonIsRefusedWithAReason(String json) {
    assertThrows(IllegalArgumentException.class, () -> RunConfig.fromJson(json));
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
        "\"tensorboard\": 7"
      })
  void aSettingOutOfRangeIsRefused(String setting) {
    String name = setting.substring(0, setting.indexOf(':'));
    String json = config(5, Optimizer.sgd()).toJson().replaceFirst(name + ": [^,\\n]+", setting);
    assertTrue(json.contains(setting), json);
    assertThrows(IllegalArgumentException.class, () -> RunConfig.fromJson(json));
  }
}
