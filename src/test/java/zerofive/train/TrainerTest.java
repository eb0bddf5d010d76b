package zerofive.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.CHECKPOINT_EVERY;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.DEVICE;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SCHEDULE;
import static zerofive.train.Settings.SEED;
import static zerofive.train.Settings.TENSORBOARD;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.Backend;
import zerofive.backend.Optimizer;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingState;
import zerofive.backend.reference.ReferenceBackend;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.SplitMix64;
import zerofive.data.image.ImageShape;
import zerofive.files.InputException;
import zerofive.run.RunFolder;

public class TrainerTest {
  private static final Backend BACKEND = new ReferenceBackend();

  @TempDir Path temporary;

  /** Images of 3 x 4 noise, brighter on the left for the first class. */
  public static final DataSet DATA =
      new DataSet("noise", List.of("a", "b"), noise(50, 1), noise(20, 2), new TreeMap<>());

  private static ImageSet noise(int count, long seed) {
    SplitMix64 random = new SplitMix64(seed, 0);
    byte[] pixels = new byte[count * 12];
    int[] targets = new int[count];
    for (int i = 0; i < count; i++) {
      targets[i] = random.nextInt(2);
      for (int p = 0; p < 12; p++) {
        boolean bright = (p % 4 < 2) == (targets[i] == 0);
        pixels[i * 12 + p] = (byte) (random.nextInt(128) + (bright ? 100 : 0));
      }
    }
    return new ImageSet(pixels, targets, 3, 4);
  }

  public static List<Recipe> everyOptimizerAndSchedule() {
    return List.of(
        config(new Optimizer(Optimizer.Kind.SGD, 0, 0), Schedule.CONSTANT, ExampleOrder.SHUFFLED),
        config(
            new Optimizer(Optimizer.Kind.SGD, 0.9f, 0.01f), Schedule.COSINE, ExampleOrder.SHUFFLED),
        config(new Optimizer(Optimizer.Kind.ADAM, 0, 0), Schedule.ONE_CYCLE, ExampleOrder.SHUFFLED),
        config(
            new Optimizer(Optimizer.Kind.ADAMW, 0, 0.1f),
            Schedule.CONSTANT,
            ExampleOrder.SEQUENTIAL));
  }

  private static Recipe config(Optimizer optimizer, Schedule schedule, ExampleOrder order) {
    return RecipeTest.with(Recipe.DEFAULTS, optimizer)
        .with(CLASSES, new ClassFilter(List.of("a", "b")))
        .with(MODEL, "mlp:5")
        .with(LEARNING_RATE, 0.05f)
        .with(SCHEDULE, schedule)
        .with(EPOCHS, 9)
        .with(BATCH_SIZE, 8)
        .with(ORDER, order)
        .with(SEED, 7L)
        .with(CHECKPOINT_EVERY, 4)
        .with(DEVICE, "reference");
  }

  /** After a power loss the disk may have a later checkpoint than rows, and no run to resume. */
  @Test
  void theRowsOfACheckpointAreOnTheDiskBeforeIt() {
    List<String> calls = new ArrayList<>();
    RunStore store = recording(calls);
    Recipe config = everyOptimizerAndSchedule().get(0).with(EPOCHS, 3).with(CHECKPOINT_EVERY, 2);
    Trainer trainer =
        Trainer.begin(
            config,
            DATA,
            store,
            config.get(INITIALIZER).create(config.architecture(DATA.train().shape()), 1));
    try (StopSignal stop = StopSignal.install(() -> {}, () -> {})) {
      trainer.train(BACKEND, stop, row -> {});
    }
    assertEquals(
        List.of("save 0", "row 1", "row 2", "sync", "save 2", "row 3", "sync", "save 3"), calls);
  }

  private static RunStore recording(List<String> calls) {
    return (RunStore)
        Proxy.newProxyInstance(
            RunStore.class.getClassLoader(),
            new Class<?>[] {RunStore.class},
            (proxy, method, arguments) -> {
              switch (method.getName()) {
                case "save" -> calls.add("save " + ((Checkpoint) arguments[0]).epoch());
                case "metrics" -> {
                  return new EpochSink() {
                    @Override
                    public void append(EpochRecord row, float learningRate) {
                      calls.add("row " + row.epoch());
                    }

                    @Override
                    public void sync() {
                      calls.add("sync");
                    }

                    @Override
                    public void close() {}
                  };
                }
                default -> {}
              }
              return null;
            });
  }

  private Trainer.Outcome train(Recipe config, String name, int stopAfter) {
    try (RunFolder folder = RunFolder.create(temporary.resolve(name));
        StopSignal stop = StopSignal.install(() -> {}, () -> {})) {
      Trainer trainer =
          Trainer.begin(
              config,
              DATA,
              folder,
              config
                  .get(INITIALIZER)
                  .create(config.architecture(DATA.train().shape()), config.get(SEED)));
      return trainer.train(BACKEND, stop, row -> stopAt(row, stopAfter, stop));
    }
  }

  private static void stopAt(EpochRecord row, int stopAfter, StopSignal stop) {
    if (row.epoch() == stopAfter) {
      stop.request();
    }
  }

  private Trainer.Outcome resume(String name, Recipe config) {
    try (RunFolder folder = RunFolder.find(temporary.resolve(name));
        StopSignal stop = StopSignal.install(() -> {}, () -> {})) {
      return Trainer.resume(config, DATA, folder).train(BACKEND, stop, row -> {});
    }
  }

  private TrainingState finalState(String name, Recipe config) {
    try (RunFolder folder = RunFolder.find(temporary.resolve(name))) {
      return folder
          .checkpoint(config.architecture(DATA.train().shape()), config.optimizer())
          .state();
    }
  }

  private void assertSameBits(Recipe config, String expected, String actual) {
    TrainingState a = finalState(expected, config);
    TrainingState b = finalState(actual, config);
    assertArrayEquals(bits(a.parameters().values()), bits(b.parameters().values()));
    assertArrayEquals(bits(a.moments()), bits(b.moments()));
    assertEquals(a.steps(), b.steps());
  }

  private static int[] bits(float[] values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  private static List<EpochRecord> withoutTimes(List<EpochRecord> history) {
    return history.stream()
        .map(
            row ->
                new EpochRecord(
                    row.epoch(),
                    row.trainLoss(),
                    row.validLoss(),
                    row.accuracy(),
                    row.errors(),
                    0,
                    0))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("everyOptimizerAndSchedule")
  void aRunStoppedAndResumedEndsWithTheSameBits(Recipe config) {
    Trainer.Outcome whole = train(config, "whole", Integer.MAX_VALUE);
    Trainer.Outcome part = train(config, "part", 6);
    assertTrue(part.interrupted());
    assertEquals(6, part.history().size());
    Trainer.Outcome rest = resume("part", config);
    assertFalse(rest.interrupted());
    assertEquals(9, rest.history().size());
    assertSameBits(config, "whole", "part");
    // Those of the epochs before went through metrics.csv.
    assertEquals(withoutTimes(whole.history()), withoutTimes(rest.history()));
  }

  /**
   * A kill leaves an older checkpoint beside newer, perhaps torn rows; those epochs are repeated.
   */
  @ParameterizedTest
  @MethodSource("everyOptimizerAndSchedule")
  void aRunKilledBetweenCheckpointsRepeatsItsEpochsBitForBit(Recipe config) throws IOException {
    train(config, "whole", Integer.MAX_VALUE);
    train(config, "killed", 4);
    Path metrics = temporary.resolve("killed/metrics.csv");
    List<String> wholeRows = Files.readAllLines(temporary.resolve("whole/metrics.csv"));
    Files.writeString(
        metrics,
        Files.readString(metrics) + wholeRows.get(5) + "\n" + wholeRows.get(6).substring(0, 9));
    resume("killed", config);
    assertSameBits(config, "whole", "killed");
    assertEquals(
        wholeRows.stream().map(TrainerTest::figures).toList(),
        Files.readAllLines(metrics).stream().map(TrainerTest::figures).toList());
  }

  /** A row of metrics.csv without its two times. */
  private static String figures(String row) {
    return row.replaceFirst(",[^,]*,[^,]*$", "");
  }

  /** So large a rate that the validation loss falls in leaps, and rises in between. */
  private static Recipe stoppingEarly() {
    return config(
            new Optimizer(Optimizer.Kind.SGD, 0.9f, 0), Schedule.CONSTANT, ExampleOrder.SHUFFLED)
        .with(EPOCHS, 30)
        .with(LEARNING_RATE, 0.3f)
        .with(EARLY_STOP, 3);
  }

  @Test
  void aRunStopsAfterThreeEpochsWithoutALowerLossAndKeepsTheBest() {
    Recipe config = stoppingEarly();
    Trainer.Outcome outcome = train(config, "early", Integer.MAX_VALUE);
    assertFalse(outcome.interrupted());
    List<EpochRecord> history = outcome.history();
    int best = 0;
    for (int e = 1; e < history.size(); e++) {
      assertTrue(e - best <= 3, "epoch " + (e + 1) + " should not have been trained");
      best = history.get(e).validLoss() < history.get(best).validLoss() ? e : best;
    }
    assertTrue(history.size() < 30 && best > 3, "stopped after " + history.size());
    assertEquals(history.size() - 1, best + 3);
    assertEquals(Optional.of(history.get(best)), outcome.selected());
    Recipe untilThen = config.with(EPOCHS, best + 1).with(EARLY_STOP, 0);
    Trainer.Outcome untilBest = train(untilThen, "until-best", Integer.MAX_VALUE);
    assertArrayEquals(bits(untilBest.parameters().values()), bits(outcome.parameters().values()));
    assertArrayEquals(bits(untilBest.logits()), bits(outcome.logits()));
  }

  @Test
  void theLogitsAreThoseOfTheWeightsThatAreKept() {
    for (Recipe config : List.of(everyOptimizerAndSchedule().get(0), stoppingEarly())) {
      String name = "logits" + config.get(EARLY_STOP);
      Trainer.Outcome outcome = train(config, name, Integer.MAX_VALUE);
      try (Predictor predictor = BACKEND.openPredictor(outcome.parameters())) {
        assertArrayEquals(bits(predictor.logits(DATA.valid())), bits(outcome.logits()));
      }
    }
    assertEquals(0, train(stoppingEarly(), "interrupted", 2).logits().length);
  }

  /** With a rate too small to move a weight every epoch has the same loss. */
  @Test
  void anEqualLossIsNoImprovement() {
    Recipe still =
        everyOptimizerAndSchedule().get(0).with(LEARNING_RATE, 1e-38f).with(EARLY_STOP, 4);
    Trainer.Outcome outcome = train(still, "still", Integer.MAX_VALUE);
    assertEquals(5, outcome.history().size());
    assertEquals(1, outcome.selected().orElseThrow().epoch());
  }

  @Test
  void anEarlyStopResumedFromAnyEpochEndsWithTheSameBytes() throws IOException {
    Recipe config = stoppingEarly();
    Trainer.Outcome whole = train(config, "whole", Integer.MAX_VALUE);
    byte[] checkpoint = Files.readAllBytes(temporary.resolve("whole/checkpoint.safetensors"));
    for (int epoch = 1; epoch <= whole.history().size(); epoch++) {
      train(config, "part" + epoch, epoch);
      Trainer.Outcome rest = resume("part" + epoch, config);
      String when = "stopped after epoch " + epoch;
      assertEquals(whole.history().size(), rest.history().size(), when);
      assertEquals(
          whole.selected().orElseThrow().epoch(), rest.selected().orElseThrow().epoch(), when);
      assertArrayEquals(bits(whole.parameters().values()), bits(rest.parameters().values()), when);
      assertArrayEquals(bits(whole.logits()), bits(rest.logits()), when);
      assertArrayEquals(
          checkpoint,
          Files.readAllBytes(temporary.resolve("part" + epoch + "/checkpoint.safetensors")),
          when);
    }
  }

  /** Whoever takes early_stop out of config.json gets what a run without it has. */
  @Test
  void aRunWhoseEarlyStopIsTakenBackTrainsToItsEnd() {
    Recipe config = stoppingEarly();
    train(config, "early", 2);
    Recipe patient = config.with(EARLY_STOP, 0);
    Trainer.Outcome outcome = resume("early", patient);
    assertEquals(config.get(EPOCHS), outcome.history().size());
    assertEquals(config.get(EPOCHS), outcome.selected().orElseThrow().epoch());
    train(patient, "patient", Integer.MAX_VALUE);
    assertArrayEquals(
        bits(finalState("patient", patient).parameters().values()),
        bits(outcome.parameters().values()));
  }

  @Test
  void aCheckpointWithoutItsBestEpochIsRefused() {
    Recipe config = stoppingEarly();
    train(config.with(EARLY_STOP, 0).with(EPOCHS, 2), "none", Integer.MAX_VALUE);
    try (RunFolder folder = RunFolder.find(temporary.resolve("none"))) {
      InputException e =
          assertThrows(InputException.class, () -> Trainer.resume(config, DATA, folder));
      assertTrue(e.getMessage().contains("best epoch"), e.getMessage());
    }
  }

  @Test
  void eventsChangeNoBitAndSurviveAResumption() throws IOException {
    Recipe plain = everyOptimizerAndSchedule().get(1);
    Recipe watched = plain.with(TENSORBOARD, true);
    train(plain, "plain", Integer.MAX_VALUE);
    train(watched, "watched", Integer.MAX_VALUE);
    train(watched, "part", 6);
    resume("part", watched);
    assertSameBits(plain, "plain", "watched");
    assertSameBits(plain, "plain", "part");
    List<String> rows = withoutTimes("watched");
    assertEquals(rows, withoutTimes("part"));
    assertEquals(
        Files.readAllLines(temporary.resolve("plain/metrics.csv")).stream()
            .map(TrainerTest::figures)
            .toList(),
        rows.stream().map(row -> row.replaceFirst("^((?:[^,]*,){4}[^,]*).*", "$1")).toList());
    try (Stream<Path> files = Files.list(temporary.resolve("part"))) {
      assertEquals(2, files.filter(file -> file.toString().contains("tfevents")).count());
    }
  }

  /** The rows of metrics.csv without the sixth and seventh column. */
  private List<String> withoutTimes(String run) throws IOException {
    return Files.readAllLines(temporary.resolve(run + "/metrics.csv")).stream()
        .map(row -> row.replaceFirst("^((?:[^,]*,){4}[^,]*),[^,]*,[^,]*", "$1"))
        .toList();
  }

  @Test
  void aFinishedRunGoesOnWhereMoreEpochsAreAsked() {
    Recipe longer = everyOptimizerAndSchedule().get(3);
    Recipe shorter = longer.with(EPOCHS, 5);
    train(longer, "whole", Integer.MAX_VALUE);
    train(shorter, "short", Integer.MAX_VALUE);
    resume("short", longer);
    assertSameBits(longer, "whole", "short");
    try (RunFolder folder = RunFolder.find(temporary.resolve("short"))) {
      assertEquals(longer, folder.config());
    }
  }

  @Test
  void theFirstCheckpointIsMadeBeforeTheFirstEpoch() {
    Recipe config = everyOptimizerAndSchedule().get(0);
    try (RunFolder folder = RunFolder.create(temporary.resolve("begun"))) {
      Trainer.begin(
          config,
          DATA,
          folder,
          config.get(INITIALIZER).create(config.architecture(DATA.train().shape()), 7));
      assertEquals(
          0,
          folder.checkpoint(config.architecture(DATA.train().shape()), config.optimizer()).epoch());
    }
  }

  @Test
  void aDivergedRunKeepsItsLastFiniteCheckpoint() {
    Recipe wild =
        everyOptimizerAndSchedule().get(0).with(LEARNING_RATE, 1e38f).with(CHECKPOINT_EVERY, 1);
    DivergedException e =
        assertThrows(DivergedException.class, () -> train(wild, "wild", Integer.MAX_VALUE));
    assertTrue(e.getMessage().contains("--lr"), e.getMessage());
    assertTrue(finalState("wild", wild).parameters().isFinite());
    assertFalse(Files.exists(temporary.resolve("wild/model.safetensors")));
  }

  @Test
  void aCheckpointThatDoesNotBelongToTheSettingsIsRefused() {
    Recipe config = everyOptimizerAndSchedule().get(0);
    train(config, "edited", Integer.MAX_VALUE);
    try (RunFolder folder = RunFolder.find(temporary.resolve("edited"))) {
      for (Recipe edited : List.of(config.with(EPOCHS, 5), config.with(BATCH_SIZE, 9))) {
        InputException e =
            assertThrows(InputException.class, () -> Trainer.resume(edited, DATA, folder));
        assertTrue(e.getMessage().contains("does not belong"), e.getMessage());
      }
    }
  }

  @Test
  void aCheckpointOfAnotherModelIsRefused() {
    Recipe config = everyOptimizerAndSchedule().get(1);
    train(config, "other", Integer.MAX_VALUE);
    try (RunFolder folder = RunFolder.find(temporary.resolve("other"))) {
      assertThrows(
          InputException.class,
          () -> folder.checkpoint(config.architecture(new ImageShape(1, 13)), config.optimizer()));
      assertThrows(
          InputException.class,
          () -> folder.checkpoint(config.architecture(DATA.train().shape()), Optimizer.sgd()));
    }
  }
}
