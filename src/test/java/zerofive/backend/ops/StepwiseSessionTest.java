package zerofive.backend.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import org.junit.jupiter.api.Test;
import zerofive.backend.DeviceException;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingState;
import zerofive.backend.reference.ReferenceOps;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** What the contract cannot show on a backend that never fails. */
class StepwiseSessionTest {
  private static final Architecture NET = new Architecture(6, List.of(5), 1);
  private static final Parameters START = Initializer.PYTORCH.create(NET, 1);
  private static final ImageSet IMAGES =
      new ImageSet(new byte[4 * 6], new int[] {0, 1, 1, 0}, 2, 3);

  /** A device that has memory for so many buffers, and counts how often it is closed. */
  private static final class SmallDevice {
    private int buffersLeft;
    private int closed;

    SmallDevice(int buffers) {
      buffersLeft = buffers;
    }

    Ops ops() {
      Ops real = new ReferenceOps();
      return (Ops)
          Proxy.newProxyInstance(
              Ops.class.getClassLoader(),
              new Class<?>[] {Ops.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("allocate") && buffersLeft-- <= 0) {
                  throw new DeviceException("out of memory");
                }
                closed += method.getName().equals("close") ? 1 : 0;
                try {
                  return method.invoke(real, arguments);
                } catch (InvocationTargetException e) {
                  throw e.getCause();
                }
              });
    }
  }

  private static TrainingPlan plan(int batchSize) {
    return new TrainingPlan(NET, Loss.BCE, Optimizer.sgd(), batchSize);
  }

  private static StepwiseSession open(SmallDevice device, ImageSet images, int batchSize) {
    return StepwiseSession.open(
        device.ops(),
        plan(batchSize),
        images,
        images,
        TrainingState.initial(START, Optimizer.sgd()));
  }

  @Test
  void aDeviceWhoseMemoryEndsAnywhereIsFreed() {
    int needed = 0;
    while (true) {
      SmallDevice device = new SmallDevice(needed);
      try (StepwiseSession session = open(device, IMAGES, 2)) {
        session.evaluate();
        break;
      } catch (DeviceException e) {
        assertEquals(1, device.closed, needed + " buffers");
        needed++;
      }
    }
    assertTrue(needed > 10, needed + " buffers");
  }

  @Test
  void aPredictorWhoseMemoryEndsIsFreed() {
    SmallDevice device = new SmallDevice(3);
    assertThrows(DeviceException.class, () -> StepwisePredictor.open(device.ops(), START));
    assertEquals(1, device.closed);
  }

  @Test
  void evaluatingAgainTakesNoMoreMemory() {
    SmallDevice device = new SmallDevice(100);
    try (StepwisePredictor predictor = StepwisePredictor.open(device.ops(), START)) {
      int left = device.buffersLeft;
      predictor.evaluate(IMAGES, Loss.BCE);
      predictor.evaluate(IMAGES, Loss.BCE);
      predictor.logits(IMAGES);
      assertEquals(left, device.buffersLeft);
    }
  }

  /** 256 rows of 4,000 x 4,000 pixels would be 16 GiB. */
  @Test
  void largeImagesAreMeasuredFewAtATime() {
    assertEquals(256, ForwardPass.evaluationRows(new Architecture(784, List.of(1), 1)));
    assertEquals(4, ForwardPass.evaluationRows(new Architecture(2048 * 2048, List.of(1), 1)));
    assertEquals(1, ForwardPass.evaluationRows(new Architecture(4096 * 4096, List.of(1), 1)));
    ImageShape images = new ImageShape(66, 66);
    assertEquals(26, ForwardPass.evaluationRows(Architecture.of("cnn:16/1,16/1", images, 1)));
  }

  @Test
  void aClassTheModelDoesNotHaveIsRefused() {
    SmallDevice device = new SmallDevice(100);
    ImageSet wrong = new ImageSet(new byte[6], new int[] {2}, 2, 3);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> open(device, wrong, 2));
    assertTrue(e.getMessage().contains("class 2"), e.getMessage());
    assertEquals(1, device.closed);
  }

  @Test
  void aBufferLongerThanAnyArrayIsRefusedWithARemedy() {
    DeviceException e =
        assertThrows(DeviceException.class, () -> ForwardPass.elements(1 << 16, 1 << 16));
    assertTrue(e.getMessage().contains("--batch-size"), e.getMessage());
  }

  /**
   * Only what an epoch is given and gives grows with the number of batches: 16 bytes of rates, and
   * 8 each of a step's sum of losses and their mean.
   */
  @Test
  void anEpochAllocatesNothingPerBatch() {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    assumeTrue(
        threads.isThreadAllocatedMemorySupported(), "skipped: this JVM does not count allocations");
    Architecture net = new Architecture(6, List.of(5, 4), 1);
    ImageSet images = new ImageSet(new byte[4096 * 6], new int[4096], 2, 3);
    Optimizer adam = new Optimizer(Optimizer.Kind.ADAM, 0, 0);
    try (StepwiseSession session =
        StepwiseSession.open(
            new ReferenceOps(),
            new TrainingPlan(net, Loss.BCE, adam, 2),
            images,
            images,
            TrainingState.initial(Initializer.PYTORCH.create(net, 1), adam))) {
      EpochInput input = new EpochInput(Validation.ascending(4096), new float[2048]);
      session.trainEpoch(input);
      long before = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
      session.trainEpoch(input);
      long allocated = threads.getThreadAllocatedBytes(Thread.currentThread().getId()) - before;
      long perBatch = allocated / 2048;
      assertTrue(perBatch <= 32 + 1, perBatch + " bytes a batch");
    }
  }
}
