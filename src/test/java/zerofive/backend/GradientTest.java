package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.backend.Closeness.assertClose;
import static zerofive.backend.Closeness.tolerance;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/**
 * The gradient of the whole net: the formulas in double against finite differences, and every
 * implementation against the formulas.
 */
@ExtendWith(JniCheck.class)
final class GradientTest {
  private static final int HEIGHT = 2;
  private static final int WIDTH = 3;
  private static final int ROWS = 11;
  private static final double DIFFERENCE = 1e-4;
  private static final double RELATIVE = 1e-6;

  /** So large that the new weights are the gradient but for the last bits; a power of two. */
  private static final float RATE = 0x1p20f;

  static Stream<Arguments> nets() {
    return Stream.of(
        Arguments.of(List.of(), 1, Loss.MNIST),
        Arguments.of(List.of(), 1, Loss.BCE),
        Arguments.of(List.of(), 3, Loss.CROSS_ENTROPY),
        Arguments.of(List.of(5), 3, Loss.CROSS_ENTROPY),
        Arguments.of(List.of(5, 4), 1, Loss.MNIST),
        Arguments.of(List.of(5, 4), 1, Loss.BCE),
        Arguments.of(List.of(5, 4), 10, Loss.CROSS_ENTROPY));
  }

  static Stream<Arguments> implementationsAndNets() {
    return Implementations.times(nets());
  }

  @ParameterizedTest
  @MethodSource("nets")
  void theGradientsAreThoseOfFiniteDifferences(List<Integer> hidden, int outputs, Loss loss) {
    Architecture architecture = new Architecture(HEIGHT * WIDTH, hidden, outputs);
    ImageSet images = images(outputs);
    DoubleReplay replay = replay(architecture, loss, images);
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
      String implementation, List<Integer> hidden, int outputs, Loss loss) {
    Architecture architecture = new Architecture(HEIGHT * WIDTH, hidden, outputs);
    ImageSet images = images(outputs);
    DoubleReplay replay = replay(architecture, loss, images);
    DoubleReplay.Gradient expected = replay.gradient(images, batch());
    Parameters start = start(architecture);
    TrainingPlan plan = new TrainingPlan(architecture, loss, Optimizer.sgd(), ROWS);
    try (TrainingSession session =
        Implementations.backend(implementation)
            .open(plan, images, images, TrainingState.initial(start, plan.optimizer()))) {
      EpochResult result = session.trainEpoch(new EpochInput(batch(), new float[] {RATE}));
      float[] moved = session.state().parameters().values();
      double[] gradients = new double[moved.length];
      Arrays.setAll(gradients, i -> ((double) start.values()[i] - moved[i]) / RATE);
      int terms = HEIGHT * WIDTH + hidden.stream().mapToInt(h -> h).sum() + outputs + ROWS;
      assertClose(
          "gradients",
          expected.values(),
          gradients,
          i -> tolerance(2, terms, expected.largestTerm()));
      assertEquals(
          expected.loss(), result.trainLoss(), tolerance(2, terms, expected.loss()), "loss");
    }
  }

  /** All images, not in their order. */
  private static int[] batch() {
    return IntStream.range(0, ROWS).map(i -> (i * 3 + 1) % ROWS).toArray();
  }

  private static ImageSet images(int outputs) {
    return SmallImages.create(1, ROWS, HEIGHT, WIDTH, Math.max(2, outputs));
  }

  private static Parameters start(Architecture architecture) {
    return SmallImages.weights(8, architecture, 1);
  }

  /** At a start where no hidden unit is so near its kink that a difference could cross it. */
  private static DoubleReplay replay(Architecture architecture, Loss loss, ImageSet images) {
    TrainingPlan plan = new TrainingPlan(architecture, loss, Optimizer.sgd(), ROWS);
    DoubleReplay replay = new DoubleReplay(plan, start(architecture));
    double distance = replay.distanceFromKink(images, batch());
    assertTrue(distance > 20 * DIFFERENCE, "a unit is " + distance + " from its kink");
    return replay;
  }
}
