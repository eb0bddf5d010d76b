package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.JniCheck;
import zerofive.backend.Optimizer;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.reference.ReferenceBackend;
import zerofive.data.ClassFilter;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.remote.DataSetRegistry;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/**
 * What the contract does not see of the CUDA backend: what it leaves behind, how often it launches,
 * in which order streams may run, and what it says when a GPU fails. On the simulated device alone,
 * which can be asked and made to fail.
 */
@Tag("jni")
@ExtendWith({FreshDevice.class, JniCheck.class})
final class CudaSessionTest {
  private static final int EPOCHS = 3;
  private static final int TRAIN = 300;
  private static final int VALID = 100;
  private static final int BATCH = 64;
  private static final int STEPS = 5;

  private static final ImageSet TRAINING = some(true, TRAIN);
  private static final ImageSet VALIDATION = some(false, VALID);
  private static final Architecture NET = new Architecture(784, List.of(30), 1);
  private static final Parameters START = Initializer.PYTORCH.create(NET, 1);
  private static final TrainingPlan PLAN =
      new TrainingPlan(NET, Loss.BCE, new Optimizer(Optimizer.Kind.SGD, 0.9f, 0), BATCH);

  /** Real digits, the first of each class. */
  private static ImageSet some(boolean train, int count) {
    var digits = DataSets.load(DataSetRegistry.MNIST, ClassFilter.parse("0,5"));
    ImageSet all = train ? digits.train() : digits.valid();
    byte[] pixels = new byte[count * 784];
    int[] targets = new int[count];
    for (int i = 0; i < count; i++) {
      int image = i % 2 == 0 ? i : all.count() - 1 - i;
      System.arraycopy(all.pixels(), image * 784, pixels, i * 784, 784);
      targets[i] = all.targets()[image];
    }
    return new ImageSet(pixels, targets, 28, 28);
  }

  /** What a training ended with; the losses are those of each step and each measuring. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Result(List<Double> losses, float[] weights, float[] logits) {}

  private static CudaBackend backend(SessionKind session) {
    return CudaUnderTest.backend(CublasLibrary.NONE, session);
  }

  private static TrainingSession open(Backend backend) {
    return backend.open(PLAN, TRAINING, VALIDATION, TrainingState.initial(START, PLAN.optimizer()));
  }

  private static EpochInput input(int epoch) {
    float[] rates = new float[STEPS];
    Arrays.fill(rates, 0.1f / epoch);
    return new EpochInput(ExampleOrder.SHUFFLED.indices(TRAINING.targets(), 7, epoch), rates);
  }

  private static Result train(Backend backend) {
    List<Double> losses = new ArrayList<>();
    float[] logits = {};
    try (TrainingSession session = open(backend)) {
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        EpochResult result = session.trainEpoch(input(epoch));
        logits = session.logits();
        Evaluation evaluation = session.evaluate();
        Arrays.stream(result.stepLosses()).forEach(losses::add);
        losses.add(result.trainLoss());
        losses.add(evaluation.loss());
      }
      return new Result(losses, session.state().parameters().values(), logits);
    }
  }

  private static void assertSameBits(Result expected, Result actual, String what) {
    assertEquals(expected.losses(), actual.losses(), what);
    assertArrayEquals(expected.weights(), actual.weights(), 0f, what);
    assertArrayEquals(expected.logits(), actual.logits(), 0f, what);
  }

  private static void assertNothingLeft() {
    assertEquals(List.of(), SimulatedDevice.liveObjects());
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  @Test
  void aShortTrainingOnRealDigitsFollowsTheReference() {
    Result expected = train(new ReferenceBackend());
    for (String cublas : List.of(CublasLibrary.NONE, "")) {
      try (CudaBackend backend = CudaUnderTest.backend(cublas, SessionKind.GRAPH)) {
        Result actual = train(backend);
        for (int i = 0; i < expected.losses().size(); i++) {
          double loss = expected.losses().get(i);
          assertEquals(loss, actual.losses().get(i), 1e-5 * loss, "loss " + i + " with " + cublas);
        }
      }
    }
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  /** Streams and independent nodes may run in any order; each order has to give the same bits. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "schedule=lazy",
        "schedule=random:1",
        "schedule=random:2,order=random,multiprocessors=7",
        "order=random,multiprocessors=1",
        "order=descending,multiprocessors=2"
      })
  void anyOrderOfStreamsAndBlocksGivesTheSameBits(String settings) {
    Result expected;
    try (CudaBackend backend = backend(SessionKind.STEPWISE)) {
      expected = train(backend);
    }
    SimulatedDevice.configure(settings);
    for (SessionKind session : SessionKind.values()) {
      try (CudaBackend backend = backend(session)) {
        assertSameBits(expected, train(backend), session.toString());
      }
    }
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  @ParameterizedTest
  @EnumSource
  void everythingIsFreed(SessionKind session) {
    try (CudaBackend backend = backend(session)) {
      train(backend);
      try (Predictor predictor = backend.openPredictor(START)) {
        predictor.logits(VALIDATION);
      }
      for (String left : SimulatedDevice.liveObjects()) {
        assertTrue(left.contains("context") || left.contains("module"), left);
      }
    }
    assertNothingLeft();
  }

  @Test
  void cublasIsFreedToo() {
    try (CudaBackend backend = CudaUnderTest.backend("", SessionKind.GRAPH)) {
      train(backend);
    }
    assertNothingLeft();
    assertTrue(SimulatedDevice.calls("cublasSgemm") > 0, "cuBLAS was not used");
  }

  /**
   * The first epoch is launched kernel by kernel, the second records it, and from then on no kernel
   * is launched but by its graph.
   */
  @Test
  void anEpochIsOneLaunchOfAGraph() {
    try (CudaBackend backend = backend(SessionKind.GRAPH);
        TrainingSession session = open(backend)) {
      session.trainEpoch(input(1));
      session.evaluate();
      assertEquals(0, SimulatedDevice.calls("cuGraphLaunch"));
      session.trainEpoch(input(2));
      session.evaluate();
      assertEquals(2, SimulatedDevice.calls("cuGraphLaunch"));
      long kernels = SimulatedDevice.calls("cuLaunchKernel");
      for (int epoch = 3; epoch <= 5; epoch++) {
        session.trainEpoch(input(epoch));
        session.evaluate();
        assertEquals(2L * (epoch - 1), SimulatedDevice.calls("cuGraphLaunch"));
      }
      assertEquals(kernels, SimulatedDevice.calls("cuLaunchKernel"));
    }
  }

  @Test
  void aStepwiseSessionLaunchesNoGraph() {
    try (CudaBackend backend = backend(SessionKind.STEPWISE)) {
      train(backend);
    }
    assertEquals(0, SimulatedDevice.calls("cuGraphLaunch"));
  }

  /** The driver starts its compiler once. */
  @Test
  void allKernelsAreOneModule() {
    try (CudaBackend backend = backend(SessionKind.GRAPH);
        TrainingSession session = open(backend)) {
      session.trainEpoch(input(1));
      assertEquals(1, SimulatedDevice.calls("cuModuleLoadDataEx"));
      assertEquals(0, SimulatedDevice.calls("cuModuleLoadData"));
    }
  }

  /**
   * With our own product a layer is one launch: gather, two layers, loss, three on the way back,
   * update. With cuBLAS five of them are its products, and bias and activation, the activation's
   * gradient and the bias gradients are launches of their own.
   */
  @ParameterizedTest
  @CsvSource({"none, 8, 0", "'', 8, 5"})
  void aStepOfTheNotebooksNetIsEightLaunchesAndThirteenWithCublas(
      String cublas, long kernels, long products) {
    try (CudaBackend backend = CudaUnderTest.backend(cublas, SessionKind.STEPWISE);
        TrainingSession session = open(backend)) {
      long launches = SimulatedDevice.calls("cuLaunchKernel");
      long multiplied = SimulatedDevice.calls("cublasSgemm");
      session.trainEpoch(input(1));
      assertEquals(kernels * STEPS, SimulatedDevice.calls("cuLaunchKernel") - launches);
      assertEquals(products * STEPS, SimulatedDevice.calls("cublasSgemm") - multiplied);
    }
  }

  /**
   * To the last byte: a set that fits trains, and of one that does not it is said what it takes.
   */
  @Test
  void aSetThatDoesNotFitIsOneSentence() {
    try (CudaBackend backend = backend(SessionKind.GRAPH)) {
      long used;
      try (TrainingSession session = open(backend)) {
        session.trainEpoch(input(1));
        used =
            SimulatedDevice.liveObjects().stream()
                .filter(each -> each.startsWith("device memory "))
                .mapToLong(each -> Long.parseLong(each.split(" ", -1)[2]))
                .sum();
      }
      SimulatedDevice.configure("memory=" + used);
      try (TrainingSession session = open(backend)) {
        session.trainEpoch(input(1));
      }
      SimulatedDevice.configure("memory=" + (used - 1));
      String message = assertThrows(DeviceException.class, () -> open(backend)).getMessage();
      assertTrue(message.contains("CUDA_ERROR_OUT_OF_MEMORY: it takes 0.2 MiB, and 0.2"), message);
      assertTrue(message.contains("fewer --classes"), message);
      assertTrue(message.endsWith("or train with --device cpu"), message);
    }
    assertNothingLeft();
  }

  /** Whichever call fails while a session is opened and used, the rest is freed. */
  @ParameterizedTest
  @CsvSource({
    "cuMemAlloc, 2, 20, nvidia-smi lists them",
    "cuMemHostAlloc, 2, 5, not the GPU",
    "cuEventCreate, 2, 6, --batch-size",
    "cuStreamCreate, 2, 2, --batch-size",
    "cuModuleGetFunction, 2, 10, --batch-size",
    "cublasCreate, 3, 2, --cublas none",
    "cublasSetWorkspace, 7, 2, --cublas none"
  })
  void aFailureAnywhereLeavesNothing(String function, int code, int atLeast, String said) {
    boolean cublas = function.startsWith("cublas");
    int call = 1;
    while (true) {
      SimulatedDevice.reset();
      SimulatedDevice.fail(function, call, code);
      try (CudaBackend backend =
          CudaUnderTest.backend(cublas ? "" : CublasLibrary.NONE, SessionKind.GRAPH)) {
        train(backend);
        break;
      } catch (DeviceException e) {
        assertTrue(e.getMessage().contains("_ERROR_OUT_OF_MEMORY") == !cublas, e.getMessage());
        assertTrue(e.getMessage().contains(said), e.getMessage());
      }
      assertNothingLeft();
      call++;
    }
    assertTrue(call >= atLeast, call + " calls of " + function);
  }

  /** Any call of an epoch may be the one at which the GPU is lost. */
  @ParameterizedTest
  @CsvSource({
    "cuLaunchKernel, 719",
    "cuGraphLaunch, 700",
    "cuStreamSynchronize, 719",
    "cuMemcpyHtoDAsync, 999",
    "cuMemcpyDtoHAsync, 719",
    "cuStreamBeginCapture, 900",
    "cuStreamEndCapture, 901",
    "cuGraphInstantiate, 1",
    "cuEventRecord, 719",
    "cuMemsetD8Async, 700"
  })
  void aLostCardIsOneSentence(String function, int code) {
    for (int call = 1; call <= 12; call += 3) {
      SimulatedDevice.reset();
      CudaBackend backend = backend(SessionKind.GRAPH);
      SimulatedDevice.fail(function, call, code);
      try {
        train(backend);
      } catch (DeviceException e) {
        assertTrue(e.getMessage().contains("failed with CUDA_ERROR_"), e.getMessage());
        assertFalse(e.getMessage().contains("\n"), e.getMessage());
        assertTrue(e.getMessage().contains("; "), e.getMessage());
      }
      backend.close();
    }
    SimulatedDevice.reset();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "driver=11080 | cuda | knows CUDA 11.8 at most | driver 525",
        "cc=7.0 | cuda | compute capability 7.0 | Turing",
        "devices=0 | cuda | CUDA_ERROR_NO_DEVICE | nvidia-smi",
        "hidden=1 | cuda | counting the GPUs failed with CUDA_ERROR_NO_DEVICE | --gpus all",
        "devices=2 | cuda:2 | no GPU 2 | nvidia-smi -L",
        "fail=cuInit:1:803 | cuda | different versions | restart",
        "fail=cuInit:1:999 | cuda | CUDA_ERROR_UNKNOWN | dmesg",
        "fail=cuInit:1:34 | cuda | stub | LD_LIBRARY_PATH"
      })
  void aCardThatCannotBeUsedSaysWhy(String settings, String device, String reason, String remedy) {
    SimulatedDevice.configure(settings);
    int gpu = device.contains(":") ? Integer.parseInt(device.substring(5)) : 0;
    CudaOptions options = new CudaOptions(gpu, Optional.empty(), Precision.FP32, SessionKind.GRAPH);
    try (CudaBackend backend = CudaUnderTest.backend(options)) {
      Availability availability = backend.probe();
      assertFalse(availability.usable());
      assertTrue(availability.detail().contains(reason), availability.detail());
      assertTrue(availability.remedy().contains(remedy), availability.remedy());
    }
    assertNothingLeft();
  }

  @Test
  void anotherCardIsOpenedByItsNumber() {
    SimulatedDevice.configure("devices=2");
    CudaOptions options =
        new CudaOptions(1, Optional.of(CublasLibrary.NONE), Precision.FP32, SessionKind.GRAPH);
    try (CudaBackend backend = CudaUnderTest.backend(options)) {
      assertTrue(backend.probe().usable());
      train(backend);
    }
    assertNothingLeft();
  }

  /** A driver may refuse PTX that is newer than it, or that a disk has damaged. */
  @ParameterizedTest
  @CsvSource({
    "222, driver 525",
    "218, CUDA_DISABLE_PTX_JIT",
    "221, libnvidia-ptxjitcompiler1",
    "2, --batch-size"
  })
  void kernelsThatTheDriverRefusesAreOneSentence(int code, String remedy) {
    SimulatedDevice.fail("cuModuleLoadDataEx", 1, code);
    try (CudaBackend backend = backend(SessionKind.GRAPH)) {
      assertTrue(backend.probe().usable());
      DeviceException e = assertThrows(DeviceException.class, () -> open(backend));
      assertTrue(e.getMessage().contains("loading the kernels"), e.getMessage());
      assertTrue(e.getMessage().contains(remedy), e.getMessage());
    }
    assertNothingLeft();
  }

  @Test
  void tf32IsUsedWhenAskedForAndOnlyThen() {
    Result exact = trainWith(Precision.FP32);
    Result rounded = trainWith(Precision.TF32);
    Result reference = train(new ReferenceBackend());
    int last = reference.losses().size() - 1;
    double off = Math.abs(rounded.losses().get(last) - reference.losses().get(last));
    assertTrue(Math.abs(exact.losses().get(last) - reference.losses().get(last)) < 1e-6);
    assertTrue(off > 1e-6 && off < 1e-2, "off by " + off);
  }

  private static Result trainWith(Precision precision) {
    try (CudaBackend backend =
        CudaUnderTest.backend(new CudaOptions(0, Optional.empty(), precision, SessionKind.GRAPH))) {
      return train(backend);
    }
  }

  @Test
  void tf32WithoutCublasIsRefused() {
    CudaOptions options =
        new CudaOptions(0, Optional.of(CublasLibrary.NONE), Precision.TF32, SessionKind.GRAPH);
    try (CudaBackend backend = CudaUnderTest.backend(options)) {
      Availability availability = backend.probe();
      assertFalse(availability.usable());
      assertTrue(availability.detail().contains("tf32 needs cuBLAS"), availability.detail());
    }
  }

  @Test
  void theDetailsTellWhatARunRestsOn() {
    try (CudaBackend backend = backend(SessionKind.GRAPH)) {
      assertTrue(backend.probe().usable());
      var details = backend.details();
      assertEquals(
          new TreeSet<>(
              List.of(
                  "GPU",
                  "compute capability",
                  "memory",
                  "driver",
                  "matrix products",
                  "precision",
                  "kernels",
                  "kernels' SHA-256")),
          new TreeSet<>(details.keySet()));
      assertTrue(details.get("kernels' SHA-256").matches("[0-9a-f]{64}"));
    }
  }
}
