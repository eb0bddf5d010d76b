package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.data.remote.DataSetRegistry;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;

/**
 * The notebook's training on the real digits 0 and 5, epoch by epoch against what numpy gave in
 * float64 from the same start: replay.py, beside what it printed, in the test resources.
 */
@Tag("jni")
@ExtendWith(JniCheck.class)
final class ReplayTest {
  /** All of them; one in gpu-check's dry run, since the simulated device takes its time. */
  private static final int EPOCHS = Boolean.getBoolean("zerofive.simulated") ? 1 : 40;

  private static final double RELATIVE = 1e-5;
  private static final int BATCH = 256;
  private static final float RATE = 0.1f;

  private record Expected(int epoch, double trainLoss, double validLoss, int errors) {}

  static Stream<Arguments> models() {
    Stream<Arguments> models =
        Stream.of(Arguments.of("net", "mlp:30"), Arguments.of("linear", "linear"));
    return EPOCHS == 1 ? Implementations.timesComputing(models) : Implementations.timesFast(models);
  }

  @ParameterizedTest
  @MethodSource("models")
  void fortyEpochsOfTheNotebookFollowTheReplayInDouble(
      String implementation, String file, String model, @TempDir Path folder) throws IOException {
    DataSet digits = DataSets.load(DataSetRegistry.MNIST, ClassFilter.parse("0,5"));
    String startFile = file + "-start.safetensors";
    Files.write(folder.resolve(startFile), resource(startFile));
    Parameters start = ModelFile.read(folder.resolve(startFile)).parameters();
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
                TrainingState.initial(start, plan.optimizer()))) {
      for (Expected expected : replay.subList(0, EPOCHS)) {
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
    return new String(resource(file), StandardCharsets.US_ASCII)
        .lines()
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

  /**
   * Bytes of a file that replay.py wrote; the tests' jar holds it, so that a bundle can run this.
   */
  private static byte[] resource(String file) throws IOException {
    try (InputStream in = ReplayTest.class.getResourceAsStream("replay/" + file)) {
      return in.readAllBytes();
    }
  }
}
