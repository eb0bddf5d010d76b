package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.model.Loss;
import zerofive.model.ModelFile;
import zerofive.model.Parameters;

/**
 * The notebook's training on the real digits 0 and 5, epoch by epoch against what numpy gave in
 * float64 from the same start: src/test/replay/replay.py.
 */
@ExtendWith(JniCheck.class)
final class ReplayTest {
  private static final Path FOLDER = Path.of("src", "test", "replay");
  private static final double RELATIVE = 1e-5;
  private static final int BATCH = 256;
  private static final float RATE = 0.1f;

  private record Expected(int epoch, double trainLoss, double validLoss, int errors) {}

  static Stream<Arguments> models() {
    return Implementations.timesFast(
        Stream.of(Arguments.of("net", "mlp:30"), Arguments.of("linear", "linear")));
  }

  @ParameterizedTest
  @MethodSource("models")
  void fortyEpochsOfTheNotebookFollowTheReplayInDouble(
      String implementation, String file, String model) throws IOException {
    DataSet digits = DataSets.load(DataSets.MNIST, ClassFilter.parse("0,5"));
    Parameters start = ModelFile.read(FOLDER.resolve(file + "-start.safetensors")).parameters();
    assertEquals(model, start.architecture().name());
    TrainingPlan plan = new TrainingPlan(start.architecture(), Loss.MNIST, Optimizer.sgd(), BATCH);
    float[] rates = new float[plan.stepsPerEpoch(digits.train().count())];
    Arrays.fill(rates, RATE);
    List<Expected> replay = expected(file + "-losses.csv");
    assertEquals(40, replay.size());
    try (TrainingSession session =
        Implementations.backend(implementation)
            .open(
                plan,
                digits.train(),
                digits.valid(),
                TrainingState.fresh(start, plan.optimizer()))) {
      for (Expected expected : replay) {
        int[] order =
            ExampleOrder.SEQUENTIAL.indices(digits.train().targets(), 0, expected.epoch());
        EpochResult result = session.trainEpoch(new EpochInput(order, rates));
        Evaluation evaluation = session.evaluate();
        String epoch = "epoch " + expected.epoch();
        assertRelative(epoch + ", training", expected.trainLoss(), result.trainLoss());
        assertRelative(epoch + ", validation", expected.validLoss(), evaluation.loss());
        assertEquals(expected.errors(), evaluation.errors(), 1.0, epoch + ", errors");
      }
    }
  }

  private static void assertRelative(String what, double expected, double actual) {
    double relative = Math.abs(actual - expected) / expected;
    assertTrue(relative <= RELATIVE, () -> what + ": " + actual + ", expected " + expected);
  }

  private static List<Expected> expected(String file) throws IOException {
    return Files.readAllLines(FOLDER.resolve(file)).stream()
        .skip(1)
        .map(line -> line.split(",", -1))
        .map(
            fields ->
                new Expected(
                    Integer.parseInt(fields[0]),
                    Double.parseDouble(fields[1]),
                    Double.parseDouble(fields[2]),
                    Integer.parseInt(fields[3])))
        .toList();
  }
}
