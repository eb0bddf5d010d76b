package zerofive.study.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.MODEL;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.Peaks;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.reference.ReferenceBackend;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Parameters;
import zerofive.train.DivergedException;
import zerofive.train.Recipe;

class BenchmarkTest {
  private static final Architecture NET = new Architecture(4, List.of(3), 1);
  private static final Parameters START = Initializer.PYTORCH.create(NET, 1);
  private static final DataSet DATA =
      new DataSet("some", List.of("0", "5"), images(1, 20), images(2, 10), new TreeMap<>());

  private static ImageSet images(long seed, int count) {
    byte[] pixels = new byte[count * 4];
    new Random(seed).nextBytes(pixels);
    int[] targets = new int[count];
    for (int i = 0; i < count; i++) {
      targets[i] = i % 2;
    }
    return new ImageSet(pixels, targets, 2, 2);
  }

  private static Benchmark benchmark(float rate) {
    Recipe config =
        Recipe.DEFAULTS.with(MODEL, "mlp:3").with(LEARNING_RATE, rate).with(BATCH_SIZE, 8);
    return new Benchmark(config, DATA, START);
  }

  private static Benchmark.Candidate contender(String name, Backend backend) {
    return new Benchmark.Candidate(name, backend, backend);
  }

  /** The reference that says its losses or its errors are others than they are. */
  private static final class Liar implements Backend {
    private final Backend java = new ReferenceBackend();
    private final double trainFactor;
    private final double validFactor;
    private final int moreErrors;
    final List<String> calls = new ArrayList<>();
    double peak;

    Liar(double trainFactor, double validFactor, int moreErrors) {
      this.trainFactor = trainFactor;
      this.validFactor = validFactor;
      this.moreErrors = moreErrors;
    }

    @Override
    public String name() {
      return "liar";
    }

    @Override
    public Availability probe() {
      return java.probe();
    }

    @Override
    public Optional<Peaks> peaks() {
      calls.add("peaks");
      peak = peak == 0 ? 9 : 5;
      return Optional.of(new Peaks(peak, 1 / peak));
    }

    @Override
    public Predictor openPredictor(Parameters model) {
      return java.openPredictor(model);
    }

    @Override
    public TrainingSession open(
        TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
      calls.add("open");
      TrainingSession session = java.open(plan, train, valid, start);
      return new TrainingSession() {
        @Override
        public EpochResult trainEpoch(EpochInput input) {
          EpochResult result = session.trainEpoch(input);
          return new EpochResult(
              result.trainLoss() * trainFactor, result.stepLosses(), 2_000_000_000L);
        }

        @Override
        public Evaluation evaluate() {
          Evaluation truth = session.evaluate();
          return new Evaluation(
              truth.loss() * validFactor, truth.correct() - moreErrors, truth.count(), 1);
        }

        @Override
        public float[] logits() {
          return session.logits();
        }

        @Override
        public void setParameters(Parameters model) {
          session.setParameters(model);
        }

        @Override
        public TrainingState state() {
          return session.state();
        }

        @Override
        public void close() {
          calls.add("close");
          session.close();
        }
      };
    }
  }

  private static String refusal(Liar liar) {
    Benchmark benchmark = benchmark(0.1f);
    benchmark.add(contender("reference", new ReferenceBackend()));
    return assertThrows(MismatchException.class, () -> benchmark.add(contender("liar", liar)))
        .getMessage();
  }

  @Test
  void whoComputesSomethingElseIsNamedAndClosed() {
    Liar liar = new Liar(1.001, 1, 0);
    String refusal = refusal(liar);
    assertTrue(
        refusal.startsWith("liar does not compute what reference does: after one epoch"), refusal);
    assertTrue(refusal.contains("training loss"), refusal);
    assertEquals(List.of("open", "close"), liar.calls);
    assertTrue(refusal(new Liar(1, 0.999, 0)).contains("validation loss"));
    assertTrue(refusal(new Liar(1, 1, 2)).contains("errors and not"));
    assertTrue(refusal(new Liar(Double.NaN, 1, 0)).contains("training loss NaN"));
  }

  @Test
  void whatDivergesIsNotCompared() {
    Benchmark benchmark = benchmark(1e30f);
    assertThrows(
        DivergedException.class,
        () -> benchmark.add(contender("reference", new Liar(Double.NaN, 1, 0))));
  }

  @Test
  void everyRoundGivesEachATurnAndMeasuresEachLimitOnce() {
    Benchmark benchmark = benchmark(0.1f);
    Liar first = new Liar(1, 1, 0);
    Liar second = new Liar(1 + 1e-6, 1, 1);
    benchmark.add(contender("first", first));
    benchmark.add(new Benchmark.Candidate("second", second, first));
    int[] turns = {0};
    List<Benchmark.Result> results = benchmark.time(3, 60, () -> turns[0]++);
    assertEquals(8, turns[0]);
    assertEquals(3, first.calls.stream().filter("peaks"::equals).count());
    assertEquals(0, second.calls.stream().filter("peaks"::equals).count());
    assertEquals(5, second.calls.stream().filter("open"::equals).count());
    assertEquals(5, second.calls.stream().filter("close"::equals).count());
    for (Benchmark.Result result : results) {
      assertEquals(90, result.seconds().length);
      assertEquals(2, result.quartiles().median());
      // The largest of what was seen, each figure by itself.
      assertEquals(Optional.of(new Peaks(9, 1 / 5.0)), result.peaks());
    }
    assertEquals(1, results.get(1).firstEpoch().errors() - results.get(0).firstEpoch().errors());
  }

  @Test
  void oneRoundIsDoneHoweverLittleTimeThereIs() {
    Benchmark benchmark = benchmark(0.1f);
    benchmark.add(contender("reference", new ReferenceBackend()));
    int[] turns = {0};
    List<Benchmark.Result> results = benchmark.time(1000, 1e-9, () -> turns[0]++);
    assertEquals(2, turns[0]);
    assertEquals(1, results.get(0).seconds().length);
    assertEquals(Optional.empty(), results.get(0).peaks());
  }
}
