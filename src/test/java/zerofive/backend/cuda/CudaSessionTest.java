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
import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Images;
import zerofive.backend.ops.Matrix;
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

  private static CudaBackend backend(SessionKind session, long residentBytes) {
    return CudaUnderTest.backend(CublasLibrary.NONE, session, residentBytes);
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
      try (CudaBackend backend = CudaUnderTest.backend(cublas, SessionKind.GRAPH, Long.MAX_VALUE)) {
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
        "schedule=random:2,order=random",
        "order=descending"
      })
  void anyOrderOfStreamsAndBlocksGivesTheSameBits(String settings) {
    Result expected;
    try (CudaBackend backend = backend(SessionKind.STEPWISE, Long.MAX_VALUE)) {
      expected = train(backend);
    }
    SimulatedDevice.configure(settings);
    for (SessionKind session : SessionKind.values()) {
      for (long resident : new long[] {Long.MAX_VALUE, 0}) {
        try (CudaBackend backend = backend(session, resident)) {
          assertSameBits(expected, train(backend), session + ", resident bytes " + resident);
        }
      }
    }
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  @ParameterizedTest
  @CsvSource({
    "GRAPH, 9223372036854775807",
    "GRAPH, 0",
    "STEPWISE, 9223372036854775807",
    "STEPWISE, 0"
  })
  void everythingIsFreed(SessionKind session, long residentBytes) {
    try (CudaBackend backend = backend(session, residentBytes)) {
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
    try (CudaBackend backend = CudaUnderTest.backend("", SessionKind.GRAPH, Long.MAX_VALUE)) {
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
    try (CudaBackend backend = backend(SessionKind.GRAPH, Long.MAX_VALUE);
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
    try (CudaBackend backend = backend(SessionKind.STEPWISE, Long.MAX_VALUE)) {
      train(backend);
    }
    assertEquals(0, SimulatedDevice.calls("cuGraphLaunch"));
  }

  /** The driver starts its compiler once. */
  @Test
  void allKernelsAreOneModule() {
    try (CudaBackend backend = backend(SessionKind.GRAPH, Long.MAX_VALUE);
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
    try (CudaBackend backend = CudaUnderTest.backend(cublas, SessionKind.STEPWISE, Long.MAX_VALUE);
        TrainingSession session = open(backend)) {
      long launches = SimulatedDevice.calls("cuLaunchKernel");
      long multiplied = SimulatedDevice.calls("cublasSgemm");
      session.trainEpoch(input(1));
      assertEquals(kernels * STEPS, SimulatedDevice.calls("cuLaunchKernel") - launches);
      assertEquals(products * STEPS, SimulatedDevice.calls("cublasSgemm") - multiplied);
    }
  }

  /** A streamed set of five chunks, and an epoch that looks at the first pixel of each image. */
  private static final class FiveChunks {
    private static final int WIDTH = 1 << 20;
    private static final int COUNT = 28;
    private static final int ROWS = 3;
    private static final int BATCHES = (COUNT + ROWS - 1) / ROWS;

    private final byte[] values = new byte[COUNT * WIDTH];
    private final CudaOps ops;
    private final Images images;
    private final Buffer order;
    private final Matrix x;
    private final Buffer seen;
    private final Buffer targets;
    final Runnable epoch;

    FiveChunks(CudaOps ops) {
      this.ops = ops;
      for (int i = 0; i < values.length; i++) {
        values[i] = (byte) (i / WIDTH * 7 + i % 251);
      }
      Buffer labels = ops.allocate(ElementType.I32, COUNT);
      order = ops.allocate(ElementType.I32, COUNT);
      x = new Matrix(ops.allocate(ElementType.F32, ROWS * WIDTH), ROWS, WIDTH);
      seen = ops.allocate(ElementType.F32, BATCHES * ROWS);
      targets = ops.allocate(ElementType.I32, ROWS);
      Buffer pixels = ops.allocate(ElementType.U8, values.length);
      ops.upload(values, 0, pixels);
      images = new Images(pixels, labels, 1, WIDTH);
      epoch =
          ops.recorded(
              () -> {
                for (int batch = 0; batch < BATCHES; batch++) {
                  gather(batch);
                }
              });
    }

    /** The first pixel of each row is column 0 of x, as a sum over one row of width 1. */
    void gather(int batch) {
      int first = batch * ROWS;
      int rows = Math.min(ROWS, COUNT - first);
      ops.gather(images, new Batch(order, first, rows), x.firstRows(rows), targets);
      for (int r = 0; r < rows; r++) {
        Matrix pixel = new Matrix(x.values().slice(r * WIDTH, 1), 1, 1);
        ops.biasGradient(pixel, seen.slice(first + r, 1));
      }
    }

    /** Trains an epoch in an order of its own, and compares what was seen of each image. */
    void check(int run) {
      int[] numbers = new int[COUNT];
      for (int i = 0; i < COUNT; i++) {
        numbers[i] = (i + 11 * run) * 5 % COUNT;
      }
      ops.upload(numbers, order);
      epoch.run();
      checkSeen(run, numbers);
    }

    /** Sees every image again, recorded and call by call in turn, in an order that stays. */
    void checkAgain(int runs) {
      int[] numbers = new int[COUNT];
      Arrays.setAll(numbers, i -> i * 5 % COUNT);
      ops.upload(numbers, order);
      for (int run = 0; run < runs; run++) {
        epoch.run();
        checkSeen(run, numbers);
        ops.clear(seen);
        for (int batch = 0; batch < BATCHES; batch++) {
          gather(batch);
        }
        checkSeen(run, numbers);
        ops.clear(seen);
      }
    }

    private void checkSeen(int run, int[] numbers) {
      float[] first = new float[BATCHES * ROWS];
      ops.download(seen, first);
      for (int i = 0; i < COUNT; i++) {
        assertEquals((values[numbers[i] * WIDTH] & 0xff) / 255f, first[i], run + ", image " + i);
      }
    }
  }

  /** Chunks smaller than the set take turns in two places. */
  @ParameterizedTest
  @CsvSource({
    "GRAPH, schedule=eager",
    "GRAPH, schedule=lazy",
    "GRAPH, schedule=random:1",
    "STEPWISE, schedule=random:2"
  })
  void aStreamedSetOfSeveralChunksTrainsOnTheSameBits(SessionKind kind, String schedule) {
    SimulatedDevice.configure(schedule);
    try (CudaBackend backend = backend(kind, 0);
        CudaOps ops = backend.newOps()) {
      FiveChunks chunks = new FiveChunks(ops);
      for (int run = 0; run < 3; run++) {
        chunks.check(run);
      }
      chunks.checkAgain(4);
    }
    assertNothingLeft();
  }

  @Test
  void aSetThatDoesNotFitTheGpuIsStreamedWithTheSameBits() {
    SimulatedDevice.configure("memory=40M");
    try (CudaBackend backend = backend(SessionKind.GRAPH, Long.MAX_VALUE);
        CudaOps ops = backend.newOps()) {
      FiveChunks chunks = new FiveChunks(ops);
      assertTrue(ops.notes().get(0).contains("free memory"), ops.notes().toString());
      for (int run = 0; run < 3; run++) {
        chunks.check(run);
      }
    }
    assertNothingLeft();
  }

  /** To stream it would take as much of the GPU's memory, so nothing is left free for others. */
  @Test
  void aSmallSetStaysOnAGpuThatItFills() {
    try (CudaBackend backend = backend(SessionKind.GRAPH, Long.MAX_VALUE)) {
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
        assertEquals(List.of(), session.notes());
        session.trainEpoch(input(1));
      }
    }
  }

  /**
   * A session's own buffers take 19 MiB here, an eighth of the memory is left free, and cuBLAS and
   * the graphs take 5 MiB when the sets are in their places already.
   */
  @ParameterizedTest
  @CsvSource({"40, 0", "52, 1"})
  void aSetThatNearlyFillsTheGpuLeavesRoomForTheRest(int images, int streamed) {
    SimulatedDevice.configure("memory=48M");
    int width = 1 << 19;
    int batch = 4;
    Architecture linear = new Architecture(width, List.of(), 1);
    ImageSet train = new ImageSet(new byte[images * width], new int[images], 1 << 10, 1 << 9);
    ImageSet valid = new ImageSet(new byte[width], new int[1], 1 << 10, 1 << 9);
    TrainingPlan plan = new TrainingPlan(linear, Loss.BCE, Optimizer.sgd(), batch);
    TrainingState start =
        TrainingState.initial(Initializer.PYTORCH.create(linear, 1), plan.optimizer());
    try (CudaBackend backend = CudaUnderTest.backend("", SessionKind.GRAPH, Long.MAX_VALUE);
        TrainingSession session = backend.open(plan, train, valid, start)) {
      for (int epoch = 1; epoch <= 2; epoch++) {
        int[] order = ExampleOrder.SHUFFLED.indices(train.targets(), 1, epoch);
        session.trainEpoch(new EpochInput(order, new float[images / batch]));
        session.evaluate();
      }
      assertEquals(streamed, session.notes().size(), session.notes().toString());
      assertTrue(SimulatedDevice.calls("cublasSgemm") > 0, "cuBLAS was not used");
    }
    assertNothingLeft();
  }

  /** The order is cleared by the GPU, while the next chunk is on its way in the order before. */
  @Test
  void anOrderThatTheGpuWroteIsReadBackBeforeItsImagesAreSent() {
    try (CudaBackend backend = backend(SessionKind.STEPWISE, 0);
        CudaOps ops = backend.newOps()) {
      FiveChunks chunks = new FiveChunks(ops);
      chunks.check(1);
      chunks.gather(0);
      ops.clear(chunks.order);
      chunks.epoch.run();
      float[] first = new float[FiveChunks.BATCHES * FiveChunks.ROWS];
      ops.download(chunks.seen, first);
      for (int i = 0; i < FiveChunks.COUNT; i++) {
        assertEquals((chunks.values[0] & 0xff) / 255f, first[i], "image " + i);
      }
    }
    assertNothingLeft();
  }

  @ParameterizedTest
  @ValueSource(strings = {"schedule=eager", "schedule=lazy"})
  void operationsAreClosedWhileAChunkIsOnItsWay(String schedule) {
    SimulatedDevice.configure(schedule);
    try (CudaBackend backend = backend(SessionKind.STEPWISE, 0)) {
      CudaOps ops = backend.newOps();
      new FiveChunks(ops).gather(0);
      ops.close();
    }
    assertNothingLeft();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 9, 20, 50})
  void aChunkThatCannotBeSentIsOneSentence(int call) {
    try (CudaBackend backend = backend(SessionKind.GRAPH, 0);
        CudaOps ops = backend.newOps()) {
      FiveChunks chunks = new FiveChunks(ops);
      ops.upload(new int[FiveChunks.COUNT], chunks.order);
      SimulatedDevice.fail("cuMemcpyHtoDAsync", call, CUresult.CUDA_ERROR_LAUNCH_FAILED);
      DeviceException e =
          assertThrows(
              DeviceException.class,
              () -> {
                chunks.epoch.run();
                chunks.epoch.run();
              });
      assertTrue(e.getMessage().contains("failed with CUDA_ERROR_LAUNCH_FAILED"), e.getMessage());
    }
    assertNothingLeft();
  }

  /** Whichever call fails while a session is opened and used, the rest is freed. */
  @ParameterizedTest
  @CsvSource({
    "cuMemAlloc, 2, 20, --batch-size",
    "cuMemHostAlloc, 2, 8, not the GPU",
    "cuEventCreate, 2, 9, --batch-size",
    "cuStreamCreate, 2, 3, --batch-size",
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
          CudaUnderTest.backend(cublas ? "" : CublasLibrary.NONE, SessionKind.GRAPH, 0)) {
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
      CudaBackend backend = backend(SessionKind.GRAPH, 0);
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
    CudaOptions options =
        new CudaOptions(gpu, Optional.empty(), Precision.FP32, SessionKind.GRAPH, Long.MAX_VALUE);
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
        new CudaOptions(
            1, Optional.of(CublasLibrary.NONE), Precision.FP32, SessionKind.GRAPH, Long.MAX_VALUE);
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
    try (CudaBackend backend = backend(SessionKind.GRAPH, Long.MAX_VALUE)) {
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
        CudaUnderTest.backend(
            new CudaOptions(0, Optional.empty(), precision, SessionKind.GRAPH, Long.MAX_VALUE))) {
      return train(backend);
    }
  }

  @Test
  void tf32WithoutCublasIsRefused() {
    CudaOptions options =
        new CudaOptions(
            0, Optional.of(CublasLibrary.NONE), Precision.TF32, SessionKind.GRAPH, Long.MAX_VALUE);
    try (CudaBackend backend = CudaUnderTest.backend(options)) {
      Availability availability = backend.probe();
      assertFalse(availability.usable());
      assertTrue(availability.detail().contains("tf32 needs cuBLAS"), availability.detail());
    }
  }

  @Test
  void theDetailsTellWhatARunRestsOn() {
    try (CudaBackend backend = backend(SessionKind.GRAPH, Long.MAX_VALUE)) {
      assertTrue(backend.probe().usable());
      var details = backend.details();
      assertEquals(
          new TreeSet<>(
              List.of(
                  "card",
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
