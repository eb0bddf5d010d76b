package zerofive.study;

import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.List;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.DataSet;
import zerofive.model.Parameters;
import zerofive.train.DivergedException;
import zerofive.train.Recipe;

/**
 * The learning-rate range test (L. N. Smith, Cyclical Learning Rates for Training Neural Networks,
 * 2015), as fast.ai's Learner.lr_find has it: mini-batch after mini-batch, the rate grows
 * exponentially, and the loss is looked at until it diverges.
 */
public final class LearningRateFinder {
  /** Where the sweep begins and ends. */
  private static final double FIRST_RATE = 1e-6;

  private static final double LAST_RATE = 10;

  /** Twenty steps for each tenfold rate. */
  private static final int STEPS = 141;

  /** How much of the running mean stays at each step. */
  private static final double SMOOTHING = 0.9;

  /** A smoothed loss this many times the lowest one has diverged. */
  private static final double DIVERGED = 4;

  private LearningRateFinder() {}

  /**
   * One step.
   *
   * @param rate the step's learning rate
   * @param loss mean over the batch, before the step
   * @param smoothed exponential running mean of the losses so far, corrected for its beginning at 0
   */
  public record Point(double rate, double loss, double smoothed) {}

  /**
   * Trains from {@code initial} with growing rates, pass after pass over the training set in the
   * batches of a run, in one session.
   *
   * @return the points up to where the loss diverged, which is left out; at least one
   * @throws DivergedException where the first loss is not finite
   */
  public static List<Point> sweep(
      Recipe recipe, DataSet data, Parameters initial, Backend backend) {
    TrainingPlan plan = recipe.plan(initial.architecture());
    TrainingState start = TrainingState.initial(initial, recipe.optimizer());
    int stepsPerPass = plan.stepsPerEpoch(data.train().count());
    List<Point> points = new ArrayList<>();
    double[] losses = {};
    double mean = 0;
    double lowest = Double.POSITIVE_INFINITY;
    try (TrainingSession session = backend.open(plan, data.train(), data.valid(), start)) {
      for (int step = 0; step < STEPS; step++) {
        int inPass = step % stepsPerPass;
        if (inPass == 0) {
          losses = session.trainEpoch(pass(recipe, data, step, stepsPerPass)).stepLosses();
        }
        mean = SMOOTHING * mean + (1 - SMOOTHING) * losses[inPass];
        double smoothed = mean / (1 - StrictMath.pow(SMOOTHING, step + 1));
        if (!Double.isFinite(smoothed) || smoothed > DIVERGED * lowest) {
          break;
        }
        lowest = Math.min(lowest, smoothed);
        points.add(new Point(rate(step), losses[inPass], smoothed));
      }
    }
    if (points.isEmpty()) {
      throw new DivergedException(
          "the loss of the first batch is not finite; start with smaller weights");
    }
    return points;
  }

  /** The rate of a step; the last pass goes on at the highest where the sweep has ended. */
  private static double rate(int step) {
    return FIRST_RATE
        * StrictMath.pow(LAST_RATE / FIRST_RATE, Math.min(step, STEPS - 1) / (STEPS - 1.0));
  }

  /** The pass over the training set that begins with {@code step}. */
  private static EpochInput pass(Recipe recipe, DataSet data, int step, int stepsPerPass) {
    int number = step / stepsPerPass + 1;
    int[] order = recipe.get(ORDER).indices(data.train().targets(), recipe.get(SEED), number);
    float[] rates = new float[stepsPerPass];
    for (int i = 0; i < stepsPerPass; i++) {
      rates[i] = (float) rate(step + i);
    }
    int[] shifts = recipe.get(AUGMENTATION).shifts(order.length, recipe.get(SEED), number);
    return new EpochInput(order, rates, shifts);
  }

  /** A tenth of the rate where the smoothed loss is lowest. */
  public static double tenthOfMinimum(List<Point> points) {
    return points.get(lowest(points)).rate() / 10;
  }

  private static int lowest(List<Point> points) {
    int lowest = 0;
    for (int i = 1; i < points.size(); i++) {
      lowest = points.get(i).smoothed() < points.get(lowest).smoothed() ? i : lowest;
    }
    return lowest;
  }

  /**
   * The rate where the smoothed loss falls fastest by the rate's logarithm, on the way to its
   * minimum: behind it a loss that leapt up falls faster still.
   */
  public static double steepest(List<Point> points) {
    int best = 0;
    double fastest = Double.POSITIVE_INFINITY;
    for (int i = 1; i < lowest(points); i++) {
      double change = points.get(i + 1).smoothed() - points.get(i - 1).smoothed();
      if (change < fastest) {
        fastest = change;
        best = i;
      }
    }
    return points.get(best).rate();
  }

  /**
   * The rate in the middle of the longest fall, fast.ai's valley: the longest subsequence, with
   * gaps, of ever lower smoothed losses; its middle is counted back by its length from its end.
   */
  public static double valley(List<Point> points) {
    int[] lengths = new int[points.size()];
    int end = 0;
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = 1;
      for (int j = 0; j < i; j++) {
        if (points.get(i).smoothed() < points.get(j).smoothed()) {
          lengths[i] = Math.max(lengths[i], lengths[j] + 1);
        }
      }
      end = lengths[i] > lengths[end] ? i : end;
    }
    return points.get(end - lengths[end] / 2).rate();
  }
}
