package zerofive.backend;

import static zerofive.backend.Closeness.assertClose;
import static zerofive.backend.Closeness.tolerance;

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
 * The gradient of a whole set, of every implementation, against the formulas in double; these are
 * compared with finite differences by {@link GradientTest}.
 */
@ExtendWith(JniCheck.class)
final class GradientsTest {
  /** Two batches and a short one. */
  private static final int IMAGES = 600;

  private static final int BATCH = 256;

  static Stream<Arguments> nets() {
    return Implementations.times(
        Stream.of(
            Arguments.of(List.of(), 1, Loss.MNIST),
            Arguments.of(List.of(5, 4), 1, Loss.BCE),
            Arguments.of(List.of(7), 3, Loss.CROSS_ENTROPY)));
  }

  @ParameterizedTest
  @MethodSource("nets")
  void isThatOfTheFormulasOverAllImages(
      String implementation, List<Integer> hidden, int outputs, Loss loss) {
    Architecture architecture = new Architecture(6, hidden, outputs);
    ImageSet images = SmallImages.create(3, IMAGES, 2, 3, Math.max(2, outputs));
    Parameters first = SmallImages.weights(8, architecture, 1);
    Parameters second = SmallImages.weights(9, architecture, 1);
    try (Gradients gradients =
        Implementations.backend(implementation).openGradients(architecture, loss)) {
      for (Parameters model : List.of(first, second, first)) {
        DoubleReplay replay =
            new DoubleReplay(new TrainingPlan(architecture, loss, Optimizer.sgd(), 1), model);
        DoubleReplay.Gradient expected =
            replay.gradient(images, IntStream.range(0, IMAGES).toArray());
        int terms = 6 + hidden.stream().mapToInt(h -> h).sum() + outputs + BATCH;
        // A term of a batch's mean is larger than one of the mean over all.
        double largest = expected.largestTerm() * IMAGES / (IMAGES % BATCH);
        assertClose(
            "gradient",
            expected.slopes(),
            gradients.of(model, images),
            i -> tolerance(2, terms, largest));
      }
    }
  }
}
