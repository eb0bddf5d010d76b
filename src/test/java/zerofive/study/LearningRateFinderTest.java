package zerofive.study;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.INITIALIZER;
import static zerofive.train.Settings.LOSS;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SEED;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.reference.ReferenceBackend;
import zerofive.data.Augmentation;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;
import zerofive.study.LearningRateFinder.Point;
import zerofive.train.DivergedException;
import zerofive.train.Recipe;
import zerofive.train.RecipeTest;
import zerofive.train.TrainerTest;

class LearningRateFinderTest {
  private static final DataSet DATA = TrainerTest.DATA;

  /** Points whose smoothed losses are these; each rate is ten times the one before. */
  private static List<Point> points(double... smoothed) {
    List<Point> points = new ArrayList<>();
    for (int i = 0; i < smoothed.length; i++) {
      points.add(new Point(Math.pow(10, i), 0, smoothed[i]));
    }
    return points;
  }

  private static Recipe config(Optimizer optimizer) {
    return RecipeTest.with(TrainerTest.everyOptimizerAndSchedule().get(0), optimizer);
  }

  private static Parameters initial(Recipe config) {
    return config.get(INITIALIZER).create(config.architecture(DATA.train().shape()), 7);
  }

  private static List<Point> sweep(Recipe config) {
    return LearningRateFinder.sweep(config, DATA, initial(config), new ReferenceBackend());
  }

  @Test
  void suggestsTheSteepestPointTheMinimumsTenthAndTheMiddleOfTheLongestFall() {
    List<Point> points = points(9, 9.5, 9, 8, 5, 4, 3.9, 3.8, 6, 9);
    assertEquals(1e3, LearningRateFinder.steepest(points));
    assertEquals(1e6, LearningRateFinder.tenthOfMinimum(points), 1e-6);
    // 9.5, 9, 8, 5, 4, 3.9, 3.8: seven points that end at 1e7; three before that.
    assertEquals(1e4, LearningRateFinder.valley(points));
    assertEquals(1, LearningRateFinder.valley(points(2, 3, 4)));
    assertEquals(1, LearningRateFinder.steepest(points(2)));
  }

  /** The losses are those of a training whose rates grow so: one session, one epoch. */
  @Test
  void theFirstPassIsAnEpochOfTraining() {
    Recipe config =
        config(new Optimizer(Optimizer.Kind.ADAMW, 0, 0.1f))
            .with(AUGMENTATION, new Augmentation(1));
    List<Point> points = sweep(config);
    TrainingPlan plan =
        new TrainingPlan(
            config.architecture(DATA.train().shape()), config.get(LOSS), config.optimizer(), 8);
    int steps = plan.stepsPerEpoch(DATA.train().count());
    float[] rates = new float[steps];
    double sum = 0;
    for (int step = 0; step < steps; step++) {
      rates[step] = (float) points.get(step).rate();
      int rows = Math.min(8, DATA.train().count() - step * 8);
      sum += points.get(step).loss() * rows;
    }
    int[] order = config.get(ORDER).indices(DATA.train().targets(), config.get(SEED), 1);
    int[] shifts = config.get(AUGMENTATION).shifts(order.length, config.get(SEED), 1);
    try (TrainingSession session =
        new ReferenceBackend()
            .open(
                plan,
                DATA.train(),
                DATA.valid(),
                TrainingState.initial(initial(config), config.optimizer()))) {
      double trainLoss = session.trainEpoch(new EpochInput(order, rates, shifts)).trainLoss();
      assertEquals(trainLoss, sum / DATA.train().count(), 1e-12);
    }
  }

  /** A training of one step for each point, which goes on from the one before, gives the same. */
  @Test
  void everyPassGoesOnFromTheOneBeforeIt() {
    Recipe config =
        config(new Optimizer(Optimizer.Kind.ADAM, 0, 0)).with(AUGMENTATION, Augmentation.NONE);
    int steps =
        config.plan(config.architecture(DATA.train().shape())).stepsPerEpoch(DATA.train().count());
    List<Point> points = sweep(config);
    assertTrue(points.size() > 2 * steps, points.size() + " points");
    TrainingState state = TrainingState.initial(initial(config), config.optimizer());
    for (int step = 0; step < points.size(); step++) {
      int[] order =
          config.get(ORDER).indices(DATA.train().targets(), config.get(SEED), step / steps + 1);
      int first = step % steps * 8;
      ImageSet batch = images(Arrays.copyOfRange(order, first, Math.min(first + 8, order.length)));
      int[] inOrder = IntStream.range(0, batch.count()).toArray();
      float[] rate = {(float) points.get(step).rate()};
      try (TrainingSession session =
          new ReferenceBackend()
              .open(config.plan(config.architecture(DATA.train().shape())), batch, batch, state)) {
        double loss = session.trainEpoch(new EpochInput(inOrder, rate)).trainLoss();
        assertEquals(loss, points.get(step).loss(), "step " + step);
        state = session.state();
      }
    }
  }

  /** The training images {@code numbers}, in this order. */
  private static ImageSet images(int[] numbers) {
    byte[] pixels = new byte[numbers.length * 12];
    int[] targets = new int[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      System.arraycopy(DATA.train().pixels(), numbers[i] * 12, pixels, i * 12, 12);
      targets[i] = DATA.train().targets()[numbers[i]];
    }
    return new ImageSet(pixels, targets, 3, 4);
  }

  /** One session, one call a pass, and none after the pass in which the loss diverged. */
  @Test
  void aSweepIsOneSession() {
    List<String> calls = new ArrayList<>();
    Recipe still = config(Optimizer.sgd());
    LearningRateFinder.sweep(still, DATA, initial(still), counted(calls));
    // Seven steps a pass: the twenty-first has the 141st.
    assertEquals(1, Collections.frequency(calls, "open"));
    assertEquals(21, Collections.frequency(calls, "trainEpoch"));
    calls.clear();
    Recipe wild = config(new Optimizer(Optimizer.Kind.SGD, 0, 100));
    int points = LearningRateFinder.sweep(wild, DATA, initial(wild), counted(calls)).size();
    assertEquals(points / 7 + 1, Collections.frequency(calls, "trainEpoch"));
    assertEquals("close", calls.get(calls.size() - 1));
  }

  private static Backend counted(List<String> calls) {
    return counted(Backend.class, new ReferenceBackend(), calls);
  }

  /** What {@code real} does, with the name of every call; what it opens is counted, too. */
  private static <T> T counted(Class<T> type, T real, List<String> calls) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              calls.add(method.getName());
              Object result = method.invoke(real, arguments);
              return result instanceof TrainingSession session
                  ? counted(TrainingSession.class, session, calls)
                  : result;
            }));
  }

  @Test
  void theRateGrowsExponentiallyAndTheSweepEndsWhereTheLossDiverges() {
    List<Point> points = sweep(config(Optimizer.sgd()));
    assertEquals(1e-6, points.get(0).rate(), 1e-18);
    assertEquals(1e-5, points.get(20).rate(), 1e-17);
    assertEquals(points.get(0).loss(), points.get(0).smoothed(), 1e-12);
    double lowest = Double.POSITIVE_INFINITY;
    for (Point point : points) {
      assertTrue(point.smoothed() <= 4 * lowest, point.toString());
      lowest = Math.min(lowest, point.smoothed());
    }
    assertEquals(141, points.size());
    // A decay that turns every weight's sign, and makes it larger, from a rate of 0.02 on.
    List<Point> wild = sweep(config(new Optimizer(Optimizer.Kind.SGD, 0, 100)));
    assertTrue(wild.size() < 120, "ended after " + wild.size());
    assertEquals(points, sweep(config(Optimizer.sgd())));
  }

  @Test
  void weightsThatAreNoNumbersAreRefused() {
    Recipe config = config(Optimizer.sgd());
    Parameters broken = initial(config);
    broken.values()[0] = Float.NaN;
    assertThrows(
        DivergedException.class,
        () -> LearningRateFinder.sweep(config, DATA, broken, new ReferenceBackend()));
  }
}
