package zerofive.study;

import static zerofive.train.Settings.AUGMENTATION;
import static zerofive.train.Settings.BATCH_SIZE;
import static zerofive.train.Settings.ORDER;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.DataSet;
import zerofive.data.ImageSet;
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
   * Trains step by step from {@code initial} with growing rates. Every batch is a training of its
   * own, of one step, that goes on from the state of the one before: so a loss a step is to be had
   * of every backend. The batches are those of a run, pass after pass.
   *
   * @return the points up to where the loss diverged, which is left out; at least one
   * @throws DivergedException where the first loss is no finite number
   */
  public static List<Point> sweep(
      Recipe recipe, DataSet data, Parameters initial, Backend backend) {
    TrainingPlan plan = recipe.plan(initial.architecture());
    TrainingState state = TrainingState.fresh(initial, recipe.optimizer());
    int stepsPerPass = plan.stepsPerEpoch(data.train().count());
    int[] order = {};
    int[] shifts = null;
    List<Point> points = new ArrayList<>();
    double mean = 0;
    double lowest = Double.POSITIVE_INFINITY;
    for (int step = 0; step < STEPS; step++) {
      int inPass = step % stepsPerPass;
      if (inPass == 0) {
        int pass = step / stepsPerPass + 1;
        order = recipe.get(ORDER).indices(data.train().targets(), recipe.get(SEED), pass);
        shifts = recipe.get(AUGMENTATION).shifts(order.length, recipe.get(SEED), pass);
      }
      long first = (long) inPass * recipe.get(BATCH_SIZE);
      int end = (int) Math.min(first + recipe.get(BATCH_SIZE), order.length);
      int[] numbers = Arrays.copyOfRange(order, (int) first, end);
      ImageSet batch = images(data.train(), numbers);
      double rate = FIRST_RATE * Math.pow(LAST_RATE / FIRST_RATE, step / (STEPS - 1.0));
      double loss;
      try (TrainingSession session = backend.open(plan, batch, batch, state)) {
        loss = session.trainEpoch(oneStep(numbers, shifts, (float) rate)).trainLoss();
        state = session.state();
      }
      mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
      double smoothed = mean / (1 - Math.pow(SMOOTHING, step + 1));
      if (!Double.isFinite(smoothed) || smoothed > DIVERGED * lowest) {
        break;
      }
      lowest = Math.min(lowest, smoothed);
      points.add(new Point(rate, loss, smoothed));
    }
    if (points.isEmpty()) {
      throw new DivergedException(
          "the loss of the first batch is no finite number; begin with smaller weights");
    }
    return points;
  }

  /** The batch in its own order; {@code shifts} are those of all images, or null. */
  private static EpochInput oneStep(int[] numbers, int[] shifts, float rate) {
    int[] order = new int[numbers.length];
    Arrays.setAll(order, i -> i);
    int[] own = shifts == null ? null : Arrays.stream(numbers).map(i -> shifts[i]).toArray();
    return new EpochInput(order, new float[] {rate}, own);
  }

  /** The images {@code numbers}, in this order. */
  private static ImageSet images(ImageSet all, int[] numbers) {
    int size = all.imageSize();
    byte[] pixels = new byte[numbers.length * size];
    int[] targets = new int[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      System.arraycopy(all.pixels(), numbers[i] * size, pixels, i * size, size);
      targets[i] = all.targets()[numbers[i]];
    }
    return new ImageSet(pixels, targets, all.height(), all.width());
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
