package zerofive.study.benchmark;

import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
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
import zerofive.study.Quartiles;
import zerofive.train.DivergedException;
import zerofive.train.Recipe;

/**
 * The same training on several backends in turn. First each has to compute what the first one does;
 * only then is it timed. Every round gives each of them its turn, so that they meet the same noise,
 * and measures the machine's peaks beside them. A turn is a training of its own from the same
 * start: one that goes on and on would end with numbers so small that every CPU is slow with them.
 */
public final class Benchmark {
  /** Of losses after one epoch, relative, and of the errors: as all backends are compared. */
  private static final double LOSS_TOLERANCE = 1e-5;

  private static final int ERROR_TOLERANCE = 1;

  /** So many times what a change in the last bits of the start does is allowed as well. */
  private static final int SENSITIVITY = 10;

  /** Such changes that are tried. */
  private static final int PERTURBATIONS = 4;

  /** Epochs in which a device finds its way and caches fill; they count where they are all. */
  private static final int WARM_UP = 3;

  /** More epochs in a turn tell nothing new of a median. */
  private static final int MAX_EPOCHS = 30;

  private final Recipe recipe;
  private final DataSet data;
  private final Parameters start;
  private final TrainingPlan plan;
  private final float[] rates;
  private final List<Entry> entries = new ArrayList<>();

  /**
   * One row of the comparison.
   *
   * @param name of the row
   * @param backend that trains
   * @param limits whose peaks it is measured by; it may be another that uses the same cores
   */
  public record Candidate(String name, Backend backend, Backend limits) {}

  /**
   * A backend's first epoch.
   *
   * @param trainLoss of it
   * @param validLoss after it
   * @param errors after it, of the validation images
   */
  public record FirstEpoch(double trainLoss, double validLoss, int errors) {}

  /**
   * What was measured of one of them.
   *
   * @param candidate which
   * @param firstEpoch what it computed
   * @param seconds of each epoch's training part, in the order they were taken
   * @param peaks of its limits, the largest seen; empty where nothing here can measure them
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Result(
      Candidate candidate, FirstEpoch firstEpoch, double[] seconds, Optional<Peaks> peaks) {
    /** Where the epochs' times lie. */
    public Quartiles quartiles() {
      return Quartiles.of(seconds);
    }
  }

  /** One that takes part, and the seconds of its epochs so far. */
  private record Entry(Candidate candidate, FirstEpoch firstEpoch, List<Double> seconds) {}

  /**
   * The training that {@code recipe} describes from {@code start}, on no backend yet. Its rate is
   * constant: no turn is a whole training, whose schedule could be followed.
   */
  public Benchmark(Recipe recipe, DataSet data, Parameters start) {
    this.recipe = recipe;
    this.data = data;
    this.start = start;
    plan = recipe.plan(start.architecture());
    rates = new float[plan.stepsPerEpoch(data.train().count())];
    Arrays.fill(rates, recipe.get(LEARNING_RATE));
  }

  /** What an epoch of it asks of any machine. */
  public EpochWork work() {
    return EpochWork.of(plan, data.train());
  }

  /**
   * Compares a candidate's first epoch with the first candidate's; it then takes part.
   *
   * @throws DeviceException where its device fails
   * @throws MismatchException where it computes something else
   * @throws DivergedException where there is nothing to compare
   */
  public void add(Candidate candidate) {
    FirstEpoch actual = firstEpoch(candidate.backend(), start);
    if (entries.isEmpty()) {
      checkFinite(actual);
    } else {
      check(candidate, actual);
    }
    entries.add(new Entry(candidate, actual, new ArrayList<>()));
  }

  private FirstEpoch firstEpoch(Backend backend, Parameters from) {
    try (TrainingSession session = open(backend, from)) {
      double trainLoss = epoch(session, 1).trainLoss();
      Evaluation evaluation = session.evaluate();
      return new FirstEpoch(trainLoss, evaluation.loss(), evaluation.errors());
    }
  }

  private void checkFinite(FirstEpoch epoch) {
    if (!Double.isFinite(epoch.trainLoss()) || !Double.isFinite(epoch.validLoss())) {
      throw new DivergedException(
          "training diverged in its first epoch, so there is nothing to compare; choose a smaller"
              + " --lr than "
              + recipe.get(LEARNING_RATE));
    }
  }

  /**
   * Some trainings make much of little: with Adam one bit of one weight may decide whether a unit
   * lives. Where the tolerance is exceeded, the first candidate decides how much, by what it
   * computes from starts whose last bits are others.
   */
  private void check(Candidate candidate, FirstEpoch actual) {
    Entry reference = entries.get(0);
    FirstEpoch expected = reference.firstEpoch();
    Tolerance tolerance = Tolerance.of(expected);
    for (int perturbation = 0;
        perturbation < PERTURBATIONS && !tolerance.difference(expected, actual).isEmpty();
        perturbation++) {
      FirstEpoch perturbed =
          firstEpoch(reference.candidate().backend(), perturbed(start, perturbation));
      tolerance = tolerance.widened(expected, perturbed);
    }
    String difference = tolerance.difference(expected, actual);
    if (!difference.isEmpty()) {
      throw new MismatchException(
          candidate.name()
              + " does not compute what "
              + reference.candidate().name()
              + " does: after one epoch it has "
              + difference);
    }
  }

  /** Half of the values one unit in the last place larger, each time another half. */
  private static Parameters perturbed(Parameters start, int perturbation) {
    float[] values = start.values().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] = (i >> perturbation & 1) == 0 ? values[i] : Math.nextUp(values[i]);
    }
    return new Parameters(start.architecture(), values);
  }

  /** By how much a first epoch may differ, each figure by itself. */
  private record Tolerance(double trainLoss, double validLoss, int errors) {
    static Tolerance of(FirstEpoch expected) {
      return new Tolerance(
          LOSS_TOLERANCE * expected.trainLoss(),
          LOSS_TOLERANCE * expected.validLoss(),
          ERROR_TOLERANCE);
    }

    Tolerance widened(FirstEpoch expected, FirstEpoch perturbed) {
      return new Tolerance(
          Math.max(trainLoss, SENSITIVITY * Math.abs(perturbed.trainLoss() - expected.trainLoss())),
          Math.max(validLoss, SENSITIVITY * Math.abs(perturbed.validLoss() - expected.validLoss())),
          Math.max(errors, SENSITIVITY * Math.abs(perturbed.errors() - expected.errors())));
    }

    /** What differs by more, in words; empty where nothing does. NaN is always more. */
    String difference(FirstEpoch expected, FirstEpoch actual) {
      if (!(Math.abs(actual.trainLoss() - expected.trainLoss()) <= trainLoss)) {
        return "training loss " + actual.trainLoss() + " and not " + expected.trainLoss();
      }
      if (!(Math.abs(actual.validLoss() - expected.validLoss()) <= validLoss)) {
        return "validation loss " + actual.validLoss() + " and not " + expected.validLoss();
      }
      return Math.abs(actual.errors() - expected.errors()) <= errors
          ? ""
          : actual.errors() + " errors and not " + expected.errors();
    }
  }

  /**
   * Times all of them.
   *
   * @param rounds at most; in each every candidate has a turn
   * @param seconds shared out to all turns; after them no further round begins
   * @param eachTurn told of each turn that is over
   */
  public List<Result> time(int rounds, double seconds, Runnable eachTurn) {
    long start = System.nanoTime();
    double turn = seconds / (rounds + 1.0) / entries.size();
    Map<Backend, Peaks> peaks = new HashMap<>();
    // What a JIT compiler does at first only is not what is asked for: the turns before the first
    // round do not count.
    for (int round = 0; round <= rounds; round++) {
      if (round > 1 && System.nanoTime() - start > seconds * 1e9) {
        break;
      }
      for (Entry entry : entries) {
        List<Double> taken = turn(entry.candidate().backend(), turn);
        if (round > 0) {
          entry.seconds().addAll(taken);
        }
        eachTurn.run();
      }
      if (round > 0) {
        measurePeaks(peaks);
      }
    }
    return entries.stream()
        .map(
            entry ->
                new Result(
                    entry.candidate(),
                    entry.firstEpoch(),
                    entry.seconds().stream().mapToDouble(Double::doubleValue).toArray(),
                    Optional.ofNullable(peaks.get(entry.candidate().limits()))))
        .toList();
  }

  /** The epochs' seconds of a training that takes about so many in all. */
  private List<Double> turn(Backend backend, double seconds) {
    List<Double> taken = new ArrayList<>();
    try (TrainingSession session = open(backend, start)) {
      long start = System.nanoTime();
      boolean over = false;
      for (int number = 1; !over && number <= WARM_UP + MAX_EPOCHS; number++) {
        double elapsed = epoch(session, number).elapsedNanos() / 1e9;
        over = System.nanoTime() - start > seconds * 1e9;
        if (number > WARM_UP || over) {
          taken.add(elapsed);
        }
      }
    }
    return taken;
  }

  private void measurePeaks(Map<Backend, Peaks> peaks) {
    entries.stream()
        .map(entry -> entry.candidate().limits())
        .distinct()
        .forEach(
            device ->
                device.peaks().ifPresent(measured -> peaks.merge(device, measured, Peaks::max)));
  }

  private TrainingSession open(Backend backend, Parameters from) {
    return backend.open(
        plan, data.train(), data.valid(), TrainingState.initial(from, plan.optimizer()));
  }

  private EpochResult epoch(TrainingSession session, int number) {
    int[] order = recipe.get(ORDER).indices(data.train().targets(), recipe.get(SEED), number);
    int[] shifts = recipe.get(AUGMENTATION).shifts(order.length, recipe.get(SEED), number);
    return session.trainEpoch(new EpochInput(order, rates, shifts));
  }
}
