package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.backend.Closeness.assertClose;
import static zerofive.backend.Closeness.tolerance;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.model.Window;

/**
 * The gradient of the whole net: the formulas in double against finite differences, and every
 * implementation against the formulas.
 */
@Tag("jni")
@ExtendWith(JniCheck.class)
final class GradientTest {
  private static final int HEIGHT = 2;
  private static final int WIDTH = 3;
  private static final int ROWS = 11;
  private static final double DIFFERENCE = 1e-4;
  private static final double RELATIVE = 1e-6;
  private static final int SEEDS = 100;

  /** So large that the new weights are the gradient but for the last bits; a power of two. */
  private static final float RATE = 0x1p20f;

  static Stream<Arguments> nets() {
    return Stream.of(
        Arguments.of("linear", 1, Loss.MNIST),
        Arguments.of("linear", 1, Loss.BCE),
        Arguments.of("linear", 3, Loss.CROSS_ENTROPY),
        Arguments.of("mlp:5", 3, Loss.CROSS_ENTROPY),
        Arguments.of("mlp:5,4", 1, Loss.MNIST),
        Arguments.of("mlp:5,4", 1, Loss.BCE),
        Arguments.of("mlp:5,4", 10, Loss.CROSS_ENTROPY),
        Arguments.of("cnn:3", 1, Loss.BCE),
        Arguments.of("cnn:2/1,3", 3, Loss.CROSS_ENTROPY),
        Arguments.of("cnn:2/1,4/1+5", 1, Loss.MNIST));
  }

  static Stream<Arguments> implementationsAndNets() {
    return Implementations.times(nets());
  }

  @ParameterizedTest
  @MethodSource("nets")
  void theGradientsAreThoseOfFiniteDifferences(String model, int outputs, Loss loss) {
    Architecture architecture = architecture(model, outputs);
    ImageSet images = images(outputs);
    TrainingPlan plan = new TrainingPlan(architecture, loss, Optimizer.sgd(), ROWS);
    DoubleReplay replay = new DoubleReplay(plan, start(plan, images));
    double[] gradients = replay.gradient(images, batch()).values();
    double[] w = replay.parameters();
    double[] differences = new double[w.length];
    for (int i = 0; i < w.length; i++) {
      double kept = w[i];
      // Four points: the error is of the fourth power of the difference.
      double near = between(replay, images, i, kept, DIFFERENCE);
      double far = between(replay, images, i, kept, 2 * DIFFERENCE);
      w[i] = kept;
      differences[i] = (4 * near - far) / 3;
    }
    double largest = Arrays.stream(gradients).map(Math::abs).max().getAsDouble();
    assertTrue(largest > 1e-3, "the gradients are all tiny: " + largest);
    // Relative to the gradient; 1e-6 of the largest for gradients that cancel out.
    assertClose(
        "gradients",
        differences,
        gradients,
        i -> RELATIVE * Math.max(Math.abs(differences[i]), 1e-3 * largest));
  }

  /** The gradient of the line through the losses at weight i minus and plus {@code step}. */
  private static double between(
      DoubleReplay replay, ImageSet images, int i, double kept, double step) {
    replay.parameters()[i] = kept + step;
    double above = replay.loss(images, batch());
    replay.parameters()[i] = kept - step;
    double below = replay.loss(images, batch());
    return (above - below) / (2 * step);
  }

  @ParameterizedTest
  @MethodSource("implementationsAndNets")
  void oneStepOfASessionRevealsTheGradients(
      String implementation, String model, int outputs, Loss loss) {
    Architecture architecture = architecture(model, outputs);
    ImageSet images = images(outputs);
    TrainingPlan plan = new TrainingPlan(architecture, loss, Optimizer.sgd(), ROWS);
    Parameters start = start(plan, images);
    DoubleReplay.Gradient expected = new DoubleReplay(plan, start).gradient(images, batch());
    try (TrainingSession session =
        Implementations.backend(implementation)
            .open(plan, images, images, TrainingState.initial(start, plan.optimizer()))) {
      EpochResult result = session.trainEpoch(new EpochInput(batch(), new float[] {RATE}));
      float[] moved = session.state().parameters().values();
      double[] gradients = new double[moved.length];
      Arrays.setAll(gradients, i -> ((double) start.values()[i] - moved[i]) / RATE);
      int terms = ROWS;
      for (Window window : architecture.windows()) {
        terms += window.fanIn() + window.positions() * ROWS;
      }
      int count = terms;
      assertClose(
          "gradients",
          expected.values(),
          gradients,
          i -> tolerance(2, count, expected.largestTerm()));
      assertEquals(
          expected.loss(), result.trainLoss(), tolerance(2, count, expected.loss()), "loss");
    }
  }

  /** All images, not in their order. */
  private static int[] batch() {
    return IntStream.range(0, ROWS).map(i -> (i * 3 + 1) % ROWS).toArray();
  }

  private static ImageSet images(int outputs) {
    return SmallImages.create(1, ROWS, HEIGHT, WIDTH, Math.max(2, outputs));
  }

  private static Architecture architecture(String model, int outputs) {
    return Architecture.of(model, new ImageShape(HEIGHT, WIDTH), outputs);
  }

  /** A start where no hidden unit is so near its kink that a difference could cross it. */
  private static Parameters start(TrainingPlan plan, ImageSet images) {
    for (int seed = 8; seed < 8 + SEEDS; seed++) {
      Parameters start = SmallImages.weights(seed, plan.architecture(), 1);
      DoubleReplay replay = new DoubleReplay(plan, start);
      if (replay.distanceFromKink(images, batch()) > 20 * DIFFERENCE) {
        return start;
      }
    }
    throw new AssertionError("no start of " + SEEDS + " is far from all kinks");
  }
}
