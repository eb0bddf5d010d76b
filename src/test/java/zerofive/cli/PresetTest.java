package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
import zerofive.train.RunConfig;
import zerofive.train.Schedule;

/** What a preset comes to. How well it trains stands in docs/performance.md. */
class PresetTest {
  private static final List<String> TEN = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

  private static TrainOptions options(String... arguments) throws ParseException {
    return TrainOptions.of(
        new Arguments(new DefaultParser().parse(TrainOptions.options(), arguments)));
  }

  private static RunConfig config(String... arguments) throws ParseException {
    return options(arguments).resolve(List.of("0", "5"));
  }

  @Test
  void accurateShiftsItsImages() throws ParseException {
    RunConfig config = config("--preset", "accurate");
    assertEquals(new Augmentation(2), config.augmentation());
    assertEquals(Optimizer.Kind.ADAM, config.optimizer().kind());
    assertEquals(Schedule.ONE_CYCLE, config.schedule());
    assertEquals(Loss.BCE, config.loss());
  }

  @Test
  void accurateHasTheLossOfTheNumberOfClasses() throws ParseException {
    assertEquals(
        Loss.CROSS_ENTROPY,
        options("--preset", "accurate", "--classes", "all").resolve(TEN).loss());
  }

  @Test
  void notebookIsTheNotebooksRecipe() throws ParseException {
    RunConfig config = config("--preset", "notebook");
    assertEquals(Loss.MNIST, config.loss());
    assertEquals(0.1f, config.learningRate());
    assertEquals(ExampleOrder.SEQUENTIAL, config.order());
    assertEquals(TrainOptions.DEFAULTS.model(), config.model());
  }

  @Test
  void optionsNamedBesideItWin() throws ParseException {
    RunConfig config =
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
    RunConfig plain =
        config(
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
    RunConfig config = config("--preset", preset.toString());
    String help = TrainOptions.options().getOption("preset").getDescription();
    assertTrue(help.contains(preset + ": " + preset.description()), help);
    for (Object setting : List.of(config.learningRate(), config.schedule())) {
      assertTrue(preset.description().contains(setting.toString()), preset.description());
    }
  }
}
