package zerofive.cli.option;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SCHEDULE;

import java.util.List;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.ParseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import zerofive.backend.Optimizer;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.model.Loss;
import zerofive.train.Recipe;
import zerofive.train.Schedule;
import zerofive.train.Settings;

/** What a preset comes to. How well it trains stands in docs/performance.md. */
class PresetTest {
  private static final List<String> TEN = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

  private static TrainOptions options(String... arguments) throws ParseException {
    return TrainOptions.of(
        new Arguments(new DefaultParser().parse(TrainOptions.options(Settings.ALL), arguments)));
  }

  private static Recipe config(String... arguments) throws ParseException {
    return options(arguments).resolve(List.of("0", "5"));
  }

  @Test
  void accurateIsTheDefaultsWithALargerNetTrainedLonger() throws ParseException {
    Recipe config = config("--preset", "accurate");
    assertEquals("mlp:128,64", config.get(MODEL));
    assertEquals(60, config.get(EPOCHS));
    assertEquals(Recipe.DEFAULTS.optimizer(), config.optimizer());
    assertEquals(Recipe.DEFAULTS.get(SCHEDULE), config.get(SCHEDULE));
    assertEquals(Loss.BCE, config.get(LOSS));
  }

  @Test
  void accurateHasTheLossOfTheNumberOfClasses() throws ParseException {
    assertEquals(
        Loss.CROSS_ENTROPY,
        options("--preset", "accurate", "--classes", "all").resolve(TEN).get(LOSS));
  }

  @Test
  void notebookIsTheNotebooksRecipe() throws ParseException {
    Recipe config = config("--preset", "notebook");
    assertEquals(Loss.MNIST, config.get(LOSS));
    assertEquals(Optimizer.sgd(), config.optimizer());
    assertEquals(0.1f, config.get(LEARNING_RATE));
    assertEquals(Schedule.CONSTANT, config.get(SCHEDULE));
    assertEquals(40, config.get(EPOCHS));
    assertEquals(256, config.get(BATCH_SIZE));
    assertEquals(ExampleOrder.SEQUENTIAL, config.get(ORDER));
    assertEquals(Augmentation.NONE, config.get(AUGMENTATION));
    assertEquals("mlp:30", config.get(MODEL));
  }

  @Test
  void aConvolutionalNetHasMoreEpochsForMoreClasses() throws ParseException {
    assertEquals(15, config("--preset", "cnn").get(EPOCHS));
    assertEquals(20, options("--preset", "cnn", "--classes", "all").resolve(TEN).get(EPOCHS));
  }

  @Test
  void optionsNamedBesideItWin() throws ParseException {
    Recipe config =
        config(
            "--preset=accurate",
            "--augment=none",
            "--model=mlp:30",
            "--optimizer=sgd",
            "--momentum=0.9",
            "--lr=0.25",
            "--schedule=cosine",
            "--epochs=3",
            "--batch-size=7");
    Recipe plain =
        config(
            "--augment=none",
            "--optimizer=sgd",
            "--momentum=0.9",
            "--lr=0.25",
            "--schedule=cosine",
            "--epochs=3",
            "--batch-size=7");
    assertEquals(plain, config);
  }

  @Test
  void anotherOptimizerHasItsOwnDecay() throws ParseException {
    assertEquals(
        Optimizer.ADAMW_WEIGHT_DECAY,
        config("--preset", "accurate", "--optimizer", "adamw").optimizer().weightDecay());
  }

  @ParameterizedTest
  @EnumSource
  void theDescriptionNamesWhatItSets(Preset preset) throws ParseException {
    Recipe config = config("--preset", preset.toString());
    String help = TrainOptions.options(Settings.ALL).getOption("preset").getDescription();
    assertTrue(help.contains(preset + ": " + preset.recipe().describeSet()), help);
    String set = preset.recipe().describeSet();
    assertTrue(set.contains(config.get(AUGMENTATION).toString()), set);
    // A convolutional net has a default number of epochs, which depends on the classes.
    assertTrue(preset == Preset.CNN || set.contains(config.get(EPOCHS).toString()), set);
  }
}
