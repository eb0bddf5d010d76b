package zerofive.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.Peaks;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.DataSet;
import zerofive.model.Parameters;

/**
 * The same training on several backends in turn. First each has to compute what the first one does;
 * only then is it timed. Every round gives each of them its turn, so that they meet the same noise,
 * and measures the machine's peaks beside them.
 */
public final class Benchmark implements AutoCloseable {
  /** Of losses after one epoch, relative, and of the errors: as all backends are compared. */
  private static final double LOSS_TOLERANCE = 1e-5;

  private static final int ERROR_TOLERANCE = 1;

  /** More epochs in a turn tell nothing new of a median. */
  private static final int MOST_EPOCHS = 30;

  private final RunConfig config;
  private final DataSet data;
  private final TrainingPlan plan;
  private final float[] rates;
  private final Map<Contender, Session> sessions = new LinkedHashMap<>();

  /**
   * One row of the comparison.
   *
   * @param name of the row
   * @param backend that trains
   * @param limits whose peaks it is measured by; it may be another that uses the same cores
   */
  public record Contender(String name, Backend backend, Backend limits) {}

  /**
   * A backend's first epoch, from the same start as all others'.
   *
   * @param trainLoss of it
   * @param validLoss after it
   * @param errors after it, of the validation images
   */
  public record FirstEpoch(double trainLoss, double validLoss, int errors) {}

  /**
   * What was measured of one of them.
   *
   * @param contender which
   * @param firstEpoch what it computed
   * @param seconds of each epoch's training part, in the order they were taken
   * @param peaks of its limits, the largest seen; empty where nothing here can measure them
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Result(
      Contender contender, FirstEpoch firstEpoch, double[] seconds, Optional<Peaks> peaks) {
    /** Where the epochs' times lie. */
    public Quartiles quartiles() {
      return Quartiles.of(seconds);
    }
  }

  /** A training under way; the numbers of its epochs go on from turn to turn. */
  private static final class Session {
    final TrainingSession training;
    final List<Double> seconds = new ArrayList<>();
    FirstEpoch firstEpoch;
    int epochs;

    Session(TrainingSession training) {
      this.training = training;
    }
  }

  /** The training that {@code config} describes, on no backend yet. */
  public Benchmark(RunConfig config, DataSet data) {
    this.config = config;
    this.data = data;
    plan =
        new TrainingPlan(
            config.architecture(data.train().imageSize()),
            config.loss(),
            config.optimizer(),
            config.batchSize());
    rates = new float[plan.stepsPerEpoch(data.train().count())];
    Arrays.fill(rates, config.learningRate());
  }

  /** What an epoch of it asks of any machine. */
  public EpochWork work() {
    return EpochWork.of(plan, data.train());
  }

  /**
   * Opens a contender and compares its first epoch with the first contender's.
   *
   * @throws DeviceException where its device fails
   * @throws MismatchException where it computes something else
   * @throws DivergedException where there is nothing to compare
   */
  public void add(Contender contender, Parameters start) {
    TrainingSession training =
        contender
            .backend()
            .open(plan, data.train(), data.valid(), TrainingState.fresh(start, plan.optimizer()));
    try {
      Session session = new Session(training);
      double trainLoss = epoch(session).trainLoss();
      Evaluation evaluation = training.evaluate();
      session.firstEpoch = new FirstEpoch(trainLoss, evaluation.loss(), evaluation.errors());
      if (sessions.isEmpty()) {
        checkFinite(session.firstEpoch);
      } else {
        Map.Entry<Contender, Session> first = sessions.entrySet().iterator().next();
        compare(first.getKey(), first.getValue().firstEpoch, contender, session.firstEpoch);
      }
      sessions.put(contender, session);
    } catch (RuntimeException | Error e) {
      training.close();
      throw e;
    }
  }

  private void checkFinite(FirstEpoch epoch) {
    if (!Double.isFinite(epoch.trainLoss()) || !Double.isFinite(epoch.validLoss())) {
      throw new DivergedException(
          "training diverged in its first epoch, so there is nothing to compare; choose a smaller"
              + " --lr than "
              + config.learningRate());
    }
  }

  private static void compare(
      Contender reference, FirstEpoch expected, Contender contender, FirstEpoch actual) {
    String difference =
        !isClose(expected.trainLoss(), actual.trainLoss())
            ? "training loss " + actual.trainLoss() + " and not " + expected.trainLoss()
            : !isClose(expected.validLoss(), actual.validLoss())
                ? "validation loss " + actual.validLoss() + " and not " + expected.validLoss()
                : Math.abs(expected.errors() - actual.errors()) > ERROR_TOLERANCE
                    ? actual.errors() + " errors and not " + expected.errors()
                    : "";
    if (!difference.isEmpty()) {
      throw new MismatchException(
          contender.name()
              + " does not compute what "
              + reference.name()
              + " does: after one epoch it has "
              + difference);
    }
  }

  private static boolean isClose(double expected, double actual) {
    return Math.abs(expected - actual) <= LOSS_TOLERANCE * Math.abs(expected);
  }

  /**
   * Times all of them.
   *
   * @param rounds at most; in each every contender has a turn
   * @param seconds shared out to all turns; after them no further round begins
   * @param eachTurn told of each turn that is over
   */
  public List<Result> time(int rounds, double seconds, Runnable eachTurn) {
    long begin = System.nanoTime();
    double turn = seconds / (rounds + 1) / sessions.size();
    // What a JIT compiler and a device do at first only is not what is asked for.
    for (Session session : sessions.values()) {
      turn(session, turn);
      session.seconds.clear();
      eachTurn.run();
    }
    Map<Backend, Peaks> peaks = new HashMap<>();
    for (int round = 0; round < rounds; round++) {
      if (round > 0 && System.nanoTime() - begin > seconds * 1e9) {
        break;
      }
      for (Session session : sessions.values()) {
        turn(session, turn);
        eachTurn.run();
      }
      sessions.keySet().stream()
          .map(Contender::limits)
          .distinct()
          .forEach(
              device ->
                  device.peaks().ifPresent(measured -> peaks.merge(device, measured, Peaks::or)));
    }
    List<Result> results = new ArrayList<>();
    sessions.forEach(
        (contender, session) ->
            results.add(
                new Result(
                    contender,
                    session.firstEpoch,
                    session.seconds.stream().mapToDouble(Double::doubleValue).toArray(),
                    Optional.ofNullable(peaks.get(contender.limits())))));
    return results;
  }

  /**
   * Trains for so many seconds. The first epoch brings threads and caches back, and counts only
   * where it is so long that this does not matter.
   */
  private void turn(Session session, double seconds) {
    long begin = System.nanoTime();
    double first = epoch(session).elapsedNanos() / 1e9;
    if (first > seconds) {
      session.seconds.add(first);
      return;
    }
    int epochs = 0;
    do {
      session.seconds.add(epoch(session).elapsedNanos() / 1e9);
      epochs++;
    } while (epochs < MOST_EPOCHS && System.nanoTime() - begin < seconds * 1e9);
  }

  private EpochResult epoch(Session session) {
    session.epochs++;
    int[] order = config.order().indices(data.train().targets(), config.seed(), session.epochs);
    return session.training.trainEpoch(new EpochInput(order, rates));
  }

  @Override
  public void close() {
    sessions.values().forEach(session -> session.training.close());
  }
}
