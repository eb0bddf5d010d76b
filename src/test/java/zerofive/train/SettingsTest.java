package zerofive.train;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.CUBLAS;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.OPTIMIZER;
import static zerofive.train.Settings.THREADS;
import static zerofive.train.Settings.WEIGHT_DECAY;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.Optimizer;
import zerofive.data.ClassFilter;
import zerofive.files.Json;
import zerofive.model.Loss;
import zerofive.train.Setting.Group;

class SettingsTest {
  static Stream<Setting<?>> all() {
    return Settings.ALL.stream();
  }

  @ParameterizedTest
  @MethodSource("all")
  <T> void theDefaultIsReadBackAsItIsWritten(Setting<T> setting) {
    T usual = setting.defaultValue(Recipe.DEFAULTS);
    assertEquals(usual, Recipe.DEFAULTS.get(setting));
    if (setting.isPresent(usual)) {
      assertEquals(usual, setting.read(setting.json(usual)));
    }
    assertTrue(Recipe.DEFAULTS.with(setting, usual).options().isEmpty());
  }

  @ParameterizedTest
  @MethodSource("all")
  <T> void everyChoiceCanBeMadeAndIsKept(Setting<T> setting) {
    for (String choice : setting.choices()) {
      Recipe recipe = Recipe.DEFAULTS.with(setting, setting.parse(choice));
      assertEquals(choice, setting.text(recipe.get(setting)));
      JsonObject json = recipe.json(List.of(setting));
      assertEquals(recipe.get(setting), Recipe.of(json, List.of(setting)).get(setting));
    }
  }

  /** Else the folders of earlier versions could no longer be read. */
  @Test
  void whatIsNewerThanTheSpecimenIsOptionalInFiles() throws IOException {
    try (InputStream specimen = getClass().getResourceAsStream("/specimens/settings.json")) {
      JsonObject json = Json.parse(new String(specimen.readAllBytes(), UTF_8));
      for (Setting<?> setting : Settings.ALL) {
        assertTrue(
            json.has(setting.key()) || setting.formerly().isPresent() || setting.isDeviceSetting(),
            setting + " needs addedLater");
      }
    }
  }

  @Test
  void eachNameIsGivenOnce() {
    Set<String> names = new HashSet<>();
    assertEquals(List.of(), all().filter(setting -> !names.add(setting.name())).toList());
  }

  /** What is recorded is in files, and nobody asks for it. */
  @Test
  void whatIsRecordedIsNoOption() {
    Recipe recorded = Recipe.DEFAULTS.with(ARITHMETIC, Optional.of(1));
    assertFalse(ARITHMETIC.isOption());
    assertEquals(List.of(), recorded.options());
    assertEquals("1", recorded.table().get("arithmetic"));
    assertFalse(Recipe.DEFAULTS.table().containsKey("arithmetic"));
  }

  @Test
  void helpHasTheLiveDefault() {
    assertEquals("examples per step (default: 128)", BATCH_SIZE.help());
    assertEquals("CPU threads (default: all cores)", THREADS.help());
    assertEquals("of each (default: 3)", EPOCHS.withHelp("of each").withDefault(3, "3").help());
  }

  @Test
  void aDefaultMayFollowFromOtherSettings() {
    Recipe three = Recipe.DEFAULTS.with(CLASSES, new ClassFilter(List.of("a", "b", "c")));
    assertEquals(Loss.CROSS_ENTROPY, three.get(LOSS));
    assertEquals(Loss.BCE, three.with(LOSS, Loss.BCE).get(LOSS));
    Recipe adamw = Recipe.DEFAULTS.with(OPTIMIZER, Optimizer.Kind.ADAMW);
    assertEquals(0.01f, adamw.get(LEARNING_RATE));
    assertEquals(0, adamw.optimizer().momentum());
    assertEquals(Optimizer.ADAMW_WEIGHT_DECAY, adamw.get(WEIGHT_DECAY));
    assertEquals(List.of("--optimizer", "adamw"), adamw.options());
    assertEquals(
        List.of("--optimizer", "adamw", "--weight-decay", "0.0"),
        adamw.with(WEIGHT_DECAY, 0f).options());
  }

  @ParameterizedTest
  @CsvSource({
    "epochs, 0, --epochs 0 is less than 1",
    "epochs, 1.5, --epochs '1.5' is not an integer up to 2147483647",
    "threads, 0, --threads 0 is less than 1",
    "lr, 0, --lr 0 is not a float32 number above 0",
    "lr, 1e99, --lr 1e99 is not a float32 number above 0",
    "lr, NaN, --lr 'NaN' is not a number; 0.5 is an example",
    "momentum, 1, '--momentum 1 is not in [0, 1)'",
    "weight-decay, -1, --weight-decay -1 is not a float32 number that is 0 or more",
    "mean, 33.3, '--mean 33.3 is not in [0, 1], as it is of pixels that are divided by 255'",
    "std, 0, '--std 0 is not in (0, 1], as it is of pixels that are divided by 255'",
    "seed, x, --seed 'x' is not an integer",
    "order, x, --order: unknown order 'x'; known are sequential",
  })
  void whatIsOutOfRangeIsNamed(String name, String text, String said) {
    Setting<?> setting = all().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> setting.parse(text));
    assertTrue(e.getMessage().startsWith(said), e.getMessage());
  }

  /** A million digits took half a minute, and a file may hold many more. */
  @ParameterizedTest
  @CsvSource({"lr", "momentum", "weight-decay"})
  void aNumberOfVeryManyDigitsIsNotParsed(String name) {
    Setting<?> setting = all().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    setting.parse("0." + "1".repeat(998));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> setting.parse("0." + "1".repeat(1_000_000)));
    assertEquals(
        "--" + name + " has 1000002 characters, expected a number of at most 1000", e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "order, 'Shuffled:SEQUENTIAL:random: shuffled:'",
    "init, 'PyTorch:NORMAL:zeros:xavier:'",
    "schedule, 'ONE_CYCLE:one_cycle:never:'",
    "optimizer, 'SGD:lion:'",
    "loss, 'BCE:hinge:'",
  })
  void anUnknownNameIsRefusedWithTheKnownOnes(String name, String unknown) {
    Setting<?> setting = all().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    for (String text : unknown.split(":", -1)) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> setting.parse(text));
      assertTrue(e.getMessage().contains("'" + text + "'; known are "), e.getMessage());
      assertTrue(e.getMessage().endsWith(String.join(", ", setting.choices())), e.getMessage());
    }
  }

  @Test
  void theFirstDifferenceIsNamed() {
    Recipe other = Recipe.DEFAULTS.with(LEARNING_RATE, 0.1f);
    assertEquals(Optional.of("lr 0.2, not 0.1"), Recipe.DEFAULTS.difference(other, Settings.ALL));
    List<Setting<?>> device = Settings.without(EnumSet.complementOf(EnumSet.of(Group.DEVICE)));
    assertEquals(Optional.empty(), Recipe.DEFAULTS.difference(other, device));
    Recipe without = other.with(CUBLAS, Optional.of("none"));
    assertEquals(List.of("--lr", "0.1", "--cublas", "none"), without.options());
    assertEquals("none", without.table().get("cublas"));
    assertEquals("all cores", without.table().get("threads"));
    assertEquals("cublas absent, not none", other.difference(without, device).orElseThrow());
  }
}
