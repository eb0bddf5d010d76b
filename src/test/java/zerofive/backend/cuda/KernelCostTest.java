package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.cuda.SimulatedDevice.Cost;
import zerofive.data.Augmentation;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;

/**
 * What each kernel costs at the shapes of the notebook's net, as the simulated device counts it
 * from the PTX that ships: the table of docs/performance.md. A kernel that becomes dearer or
 * cheaper by more than a tenth changes the table with it.
 */
@ExtendWith(FreshDevice.class)
final class KernelCostTest {
  private static final int BATCH = 256;
  private static final int CNN_BATCH = 64;

  /** Up to so few, a tenth is less than one. */
  private static final long FEW = 8;

  /**
   * One step of 256 images, or one evaluation of as many.
   *
   * @param variant plain; adam, with shifts; cublas, which computes the products; evaluation;
   *     exact, the exact engine; sweep, one training of several; cnn, the convolutional net of that
   *     name and 64 images
   */
  @ParameterizedTest(name = "{0} {1}")
  @CsvSource({
    "plain, gather, 1, 139776, 34816, 0, 0",
    "plain, gemm_32, 5, 1676534, 161459, 0, 1200",
    "plain, loss, 1, 1439, 98, 0, 1",
    "plain, update_sgd, 1, 27374, 9581, 0, 0",
    "adam, gather_shifted, 1, 296144, 42323, 0, 0",
    "adam, update_adam, 1, 42851, 23584, 0, 0",
    "cublas, bias_activation, 2, 6696, 2952, 0, 0",
    "cublas, activation_gradient, 1, 5520, 2880, 0, 0",
    "cublas, bias_gradient, 2, 4934, 1413, 0, 2",
    "evaluation, gemm_32, 2, 771104, 71888, 0, 560",
    "evaluation, evaluate, 1, 1187, 68, 0, 1",
    "exact, exact_forward_backward, 1, 985647, 213280, 0, 1536",
    "exact, exact_update, 1, 708442, 215533, 0, 122",
    "exact, exact_loss_sums, 1, 156, 33, 0, 0",
    "cnn, unfold, 3, 1494252, 190868, 0, 0",
    "cnn, fold, 2, 1844448, 118528, 0, 0",
    "cnn, gemm_32, 9, 9297678, 752987, 0, 5868",
    "cnn, gemm_64, 2, 2954416, 301152, 0, 744",
    "sweep, exact_sweep, 1, 1603614, 399466, 0, 221",
    "sweep, exact_sweep_measure, 1, 852075, 179878, 0, 1"
  })
  void aKernelCostsWhatTheTableSays(
      String variant,
      String kernel,
      long launches,
      long instructions,
      long sectors,
      long conflicts,
      long barriers) {
    Cost counted = step(variant, kernel);
    List<Long> actual = values(counted);
    List<Long> table = List.of(launches, instructions, sectors, conflicts, barriers);
    boolean close =
        IntStream.range(0, table.size())
            .allMatch(
                i -> {
                  long bound = table.get(i) <= FEW ? 0 : table.get(i) / 10;
                  return Math.abs(actual.get(i) - table.get(i)) <= bound;
                });
    assertTrue(close, () -> kernel + ": " + counted + ", not " + table);
  }

  private static List<Long> values(Cost cost) {
    return LongStream.of(
            cost.launches(), cost.instructions(), cost.sectors(), cost.conflicts(), cost.barriers())
        .boxed()
        .toList();
  }

  private static Cost step(String variant, String kernel) {
    SplittableRandom random = new SplittableRandom(2);
    int batch = variant.equals("cnn") ? CNN_BATCH : BATCH;
    byte[] pixels = new byte[batch * 784];
    random.nextBytes(pixels);
    boolean isExact = variant.equals("exact") || variant.equals("sweep");
    if (isExact) {
      // Of digits' pixels about a fifth are not zero, and the exact engine leaves the others out.
      for (int i = 0; i < pixels.length; i++) {
        pixels[i] = random.nextInt(5) == 0 ? pixels[i] : 0;
      }
    }
    int[] targets = random.ints(batch, 0, 2).toArray();
    ImageSet images = new ImageSet(pixels, targets, 28, 28);
    int[] shifts = null;
    Optimizer optimizer = Optimizer.sgd();
    if (variant.equals("adam")) {
      optimizer = new Optimizer(Optimizer.Kind.ADAM, 0, 0);
      shifts = new int[batch];
      for (int i = 0; i < batch; i++) {
        shifts[i] = Augmentation.pack(random.nextInt(-2, 3), random.nextInt(-2, 3));
      }
    }
    Architecture net =
        Architecture.of(variant.equals("cnn") ? "cnn" : "mlp:30", new ImageShape(28, 28), 1);
    TrainingPlan plan = new TrainingPlan(net, Loss.BCE, optimizer, batch);
    TrainingState start = TrainingState.initial(Initializer.PYTORCH.create(net, 1), optimizer);
    String cublas = variant.equals("cublas") ? "" : CublasLibrary.NONE;
    try (CudaBackend backend =
            isExact
                ? CudaUnderTest.exact(SessionKind.STEPWISE)
                : CudaUnderTest.backend(cublas, SessionKind.STEPWISE);
        TrainingSession session = backend.open(plan, images, images, start)) {
      int[] order = IntStream.range(0, batch).toArray();
      EpochInput input = new EpochInput(order, new float[] {0.1f}, shifts);
      if (variant.equals("sweep")) {
        try (Backend.Sweep sweep = backend.openSweep(plan)) {
          sweep.add(images, images, start);
          sweep.trainEpoch(List.of(Optional.of(input)));
        }
        return SimulatedDevice.cost(kernel);
      }
      session.trainEpoch(input);
      Cost trained = SimulatedDevice.cost(kernel);
      if (!variant.equals("evaluation")) {
        return trained;
      }
      session.evaluate();
      return SimulatedDevice.cost(kernel).minus(trained);
    }
  }
}
