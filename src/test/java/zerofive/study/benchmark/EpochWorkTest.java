package zerofive.study.benchmark;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import zerofive.backend.Optimizer;
import zerofive.backend.Peaks;
import zerofive.backend.TrainingPlan;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;

/** The formulas against figures made by hand, for three images of 784 pixels in two steps. */
class EpochWorkTest {
  private static final int LIT = 588;

  private static EpochWork work(Optimizer optimizer, Integer... hidden) {
    byte[] pixels = new byte[3 * 784];
    for (int i = 0; i < LIT; i++) {
      pixels[i] = (byte) 255;
    }
    Architecture architecture = new Architecture(784, List.of(hidden), 1);
    return EpochWork.of(
        new TrainingPlan(architecture, Loss.BCE, optimizer, 2),
        new ImageSet(pixels, new int[3], 28, 28));
  }

  @Test
  void theLinearModel() {
    EpochWork work = work(Optimizer.sgd());
    // 784 products and sums and a bias, forward and for the gradient; 785 parameters, two steps.
    assertEquals(3 * (2 * 784 + 1 + 2 * 784 + 1) + 2 * 2 * 785, work.operations());
    assertEquals(4 * LIT + 3 * 2 + 2 * 2 * 785, work.nonzeroOperations());
    assertEquals(0.25, work.nonzeroFraction());
    assertEquals(3 * 784 + 3 * 8 + 8 * 785, work.bytes());
  }

  @Test
  void theSimpleNet() {
    EpochWork work = work(Optimizer.sgd(), 30);
    // 784 x 30 twice, 30 x 1 three times, 31 biases twice.
    assertEquals(3 * (4 * 23520 + 6 * 30 + 2 * 31) + 2 * 2 * 23581, work.operations());
    assertEquals(4 * LIT * 30 + 3 * (6 * 30 + 2 * 31) + 2 * 2 * 23581, work.nonzeroOperations());
    assertEquals(3 * 784 + 3 * 8 + 8 * 23581, work.bytes());
  }

  @Test
  void aDeeperNet() {
    EpochWork work = work(Optimizer.sgd(), 128, 64);
    int perImage = 4 * 784 * 128 + 6 * (128 * 64 + 64) + 2 * (128 + 64 + 1);
    int parameters = 785 * 128 + 129 * 64 + 65;
    assertEquals(3 * perImage + 2 * 2 * parameters, work.operations());
  }

  @Test
  void optimizersTakeMoreOperationsAndMoveTheirMoments() {
    EpochWork plain = work(Optimizer.sgd());
    EpochWork momentum = work(new Optimizer(Optimizer.Kind.SGD, 0.9f, 0.01f));
    EpochWork adam = work(new Optimizer(Optimizer.Kind.ADAM, 0, 0));
    EpochWork add_weight_decay = work(new Optimizer(Optimizer.Kind.ADAM, 0, 0.01f));
    EpochWork adamw = work(new Optimizer(Optimizer.Kind.ADAMW, 0, 0.01f));
    assertEquals(4 * 2 * 785, momentum.operations() - plain.operations());
    assertEquals(11 * 2 * 785, adam.operations() - plain.operations());
    assertEquals(2 * 2 * 785, add_weight_decay.operations() - adam.operations());
    assertEquals(2 * 785, adamw.operations() - adam.operations());
    assertEquals(8 * 785, momentum.bytes() - plain.bytes());
    assertEquals(2 * 8 * 785, adam.bytes() - plain.bytes());
  }

  @Test
  void theShareIsOfWhatBinds() {
    EpochWork work = new EpochWork(1, 5000, 1000, 0.2, 300);
    // A multiply-add is two operations: 1000 take a quarter of a second, 300 bytes a tenth.
    EpochWork.Share share = work.share(1, new Peaks(2000, 3000));
    assertEquals(0.25, share.compute());
    assertEquals(0.1, share.memory());
    assertEquals(0.25, share.larger());
    assertEquals("compute", share.bound());
    assertEquals("memory", work.share(2, new Peaks(2000, 300)).bound());
    assertEquals(0.5, work.share(2, new Peaks(2000, 300)).larger());
  }
}
