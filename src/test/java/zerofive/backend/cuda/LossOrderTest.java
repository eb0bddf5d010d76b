package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.model.Loss;

/**
 * Losses are added in the order that kernels/launch.cuh tells, to the last bit of a double. A row's
 * own loss is what a batch of that row alone adds to zero.
 */
final class LossOrderTest {
  private static final int CHAINS = 32;
  private static final int BLOCK = KernelLauncher.THREADS;
  private static final int MOST_BLOCKS = 1024;

  /** So many rows are measured; batches are drawn from them. */
  private static final int DISTINCT = 256;

  private static final Loss LOSS = Loss.BCE;

  private static final float[] LOGITS = new float[DISTINCT];
  private static final double[] LOSSES = new double[DISTINCT];

  private static Ops ops;

  @BeforeAll
  static void measureEachRowAlone() {
    assumeTrue(CudaUnderTest.missing().isEmpty(), "skipped: " + CudaUnderTest.missing());
    ops = CudaUnderTest.backends().get("cuda").newOps();
    SplittableRandom random = new SplittableRandom(3);
    for (int r = 0; r < DISTINCT; r++) {
      // Losses up to 2^60 where the sign is wrong: sums of them are rounded at every other
      // addition.
      LOGITS[r] =
          (float) Math.scalb(random.nextDouble(1, 2), random.nextInt(-6, 60))
              * (random.nextInt(8) == 0 ? 1 : -1);
    }
    Buffer logits = uploaded(LOGITS);
    Buffer targets = ops.allocate(ElementType.I32, 1);
    Matrix dLogit = new Matrix(ops.allocate(ElementType.F32, 1), 1, 1);
    Buffer metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    double[] sums = new double[Ops.METRICS];
    for (int r = 0; r < DISTINCT; r++) {
      ops.clear(metrics);
      ops.loss(LOSS, new Matrix(logits.slice(r, 1), 1, 1), targets, dLogit, metrics, Ops.LOSS_SUM);
      ops.download(metrics, sums);
      LOSSES[r] = sums[Ops.LOSS_SUM];
    }
  }

  @AfterAll
  static void close() {
    if (ops != null) {
      ops.close();
    }
  }

  private static Buffer uploaded(float[] values) {
    Buffer buffer = ops.allocate(ElementType.F32, values.length);
    ops.upload(values, buffer);
    return buffer;
  }

  /** 32 chains of additions from +0, value i in chain i mod 32, then a tree over the chains. */
  private static double chainedSum(double[] values) {
    double[] chains = new double[CHAINS];
    for (int i = 0; i < values.length; i++) {
      chains[i % CHAINS] += values[i];
    }
    for (int stride = CHAINS / 2; stride > 0; stride /= 2) {
      for (int chain = 0; chain < stride; chain++) {
        chains[chain] += chains[chain + stride];
      }
    }
    return chains[0];
  }

  /** The sum over a batch: of its rows, or of its blocks' sums where it has several blocks. */
  private static double expected(int[] batch) {
    int blocks = Math.min(MOST_BLOCKS, (batch.length + BLOCK - 1) / BLOCK);
    double[][] threads = new double[blocks][BLOCK];
    for (int place = 0; place < batch.length; place++) {
      threads[place / BLOCK % blocks][place % BLOCK] += LOSSES[batch[place]];
    }
    double[] sums = new double[blocks];
    for (int block = 0; block < blocks; block++) {
      sums[block] = chainedSum(threads[block]);
    }
    return blocks == 1 ? sums[0] : chainedSum(sums);
  }

  /** Two orders may come to the same sum of some batch, hardly to those of all batches. */
  @ParameterizedTest
  @CsvSource({
    "1, 2",
    "2, 2",
    "31, 24",
    "32, 24",
    "33, 24",
    "100, 24",
    "255, 24",
    "256, 24",
    "257, 24",
    "600, 24",
    "20000, 12",
    "262744, 2"
  })
  void isTheOneThatIsDefined(int rows, int batches) {
    Buffer targets = ops.allocate(ElementType.I32, rows);
    Matrix dLogits = new Matrix(ops.allocate(ElementType.F32, rows), rows, 1);
    Matrix logits = new Matrix(ops.allocate(ElementType.F32, rows), rows, 1);
    Buffer metrics = ops.allocate(ElementType.F64, Ops.METRICS);
    float[] values = new float[rows];
    double[] sums = new double[Ops.METRICS];
    SplittableRandom random = new SplittableRandom(rows);
    int others = 0;
    for (int number = 0; number < batches; number++) {
      int[] batch = random.ints(rows, 0, DISTINCT).toArray();
      double oneByOne = 0;
      int correct = 0;
      for (int place = 0; place < rows; place++) {
        values[place] = LOGITS[batch[place]];
        oneByOne += LOSSES[batch[place]];
        correct += values[place] > 0 ? 1 : 0;
      }
      ops.upload(values, logits.values());
      double expected = expected(batch);
      others += oneByOne == expected ? 0 : 1;

      ops.clear(metrics);
      ops.loss(LOSS, logits, targets, dLogits, metrics, Ops.LOSS_SUM);
      ops.download(metrics, sums);
      assertArrayEquals(new double[] {expected, 0}, sums, 0, "batch " + number);

      // What is there stays, and is added to.
      ops.evaluate(LOSS, logits, targets, metrics);
      ops.download(metrics, sums);
      assertArrayEquals(new double[] {expected + expected, correct}, sums, 0, "batch " + number);
    }
    assertTrue(batches < 24 || others > 0, "these losses tell no order from another");
  }
}
