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
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.EpochInput;
import zerofive.backend.Evaluation;
import zerofive.backend.JniCheck;
import zerofive.backend.Optimizer;
import zerofive.backend.Optimizer.Kind;
import zerofive.backend.SmallImages;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.jvm.JavaSession;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Loss;

/**
 * Each training of a sweep has the bits of the CPU's Java code, on shapes at which kernels turn.
 */
@Tag("jni")
@ExtendWith({FreshDevice.class, JniCheck.class})
final class ExactSweepTest {
  private static final int EPOCHS = 3;
  private static final ExactSweep.Limits LIMITS =
      new ExactSweep.Limits(100, Long.MAX_VALUE, Long.MAX_VALUE);

  /** Three trainings on two sets of made-up images; all but every third epoch is shifted. */
  private record Trainings(
      String model, int height, int width, int classes, int count, int batch, Optimizer optimizer) {
    TrainingPlan plan() {
      Loss loss = Loss.defaultFor(classes);
      Architecture architecture =
          Architecture.of(model, new ImageShape(height, width), Loss.outputs(classes));
      return new TrainingPlan(architecture, loss, optimizer, batch);
    }

    /** Sets 0 and 1 of training images, the second larger. */
    ImageSet train(int set) {
      return sparse(SmallImages.create(1 + set, count + 2 * set, height, width, classes));
    }

    ImageSet valid(int set) {
      return sparse(SmallImages.create(3 + set, 37 - 8 * set, height, width, classes));
    }

    private static ImageSet sparse(ImageSet images) {
      Random random = new Random(5);
      byte[] pixels = images.pixels().clone();
      for (int i = 0; i < pixels.length; i++) {
        if (random.nextInt(3) > 0 || i % images.imageSize() % 11 == 10) {
          pixels[i] = 0;
        }
      }
      return new ImageSet(pixels, images.targets(), images.height(), images.width());
    }

    TrainingState start(int training) {
      return TrainingState.initial(
          SmallImages.weights(3 + training, plan().architecture(), 0.3f), optimizer);
    }

    EpochInput input(ImageSet train, int training, int epoch) {
      float[] rates = new float[plan().stepsPerEpoch(train.count())];
      for (int step = 0; step < rates.length; step++) {
        rates[step] = 0.05f / (epoch + step);
      }
      return new EpochInput(
          ExampleOrder.SHUFFLED.indices(train.targets(), training, epoch),
          rates,
          epoch == 2 ? null : new Augmentation(1).shifts(train.count(), training, epoch));
    }
  }

  /** What trainings ended with; numbers are the losses of steps and measurements, and counts. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Result(List<Double> numbers, float[] weights) {
    void assertSameBits(Result other, String what) {
      assertEquals(numbers, other.numbers, what);
      assertArrayEquals(bits(weights), bits(other.weights), what);
    }

    private static int[] bits(float[] values) {
      int[] bits = new int[values.length];
      Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
      return bits;
    }
  }

  private static void note(List<Double> numbers, double[] stepLosses, Evaluation measured) {
    Arrays.stream(stepLosses).forEach(numbers::add);
    numbers.add(measured.loss());
    numbers.add((double) measured.correct());
    numbers.add((double) measured.count());
  }

  private static final int COUNT = 3;

  /** Trainings 0 and 2 share their images; training 1 ends after two epochs. */
  private static int epochs(int training) {
    return training == 1 ? EPOCHS - 1 : EPOCHS;
  }

  private static Result java(Trainings all, int training) {
    ImageSet train = all.train(training % 2);
    List<Double> numbers = new ArrayList<>();
    try (TrainingSession session =
        JavaSession.open(1, all.plan(), train, all.valid(training % 2), all.start(training))) {
      for (int epoch = 1; epoch <= epochs(training); epoch++) {
        double[] losses = session.trainEpoch(all.input(train, training, epoch)).stepLosses();
        note(numbers, losses, session.evaluate());
      }
      return new Result(numbers, session.state().parameters().values());
    }
  }

  private static List<Result> java(Trainings all) {
    return IntStream.range(0, COUNT).mapToObj(training -> java(all, training)).toList();
  }

  private static List<Result> sweep(CudaBackend backend, Trainings all, ExactSweep.Limits limits) {
    ImageSet[] train = {all.train(0), all.train(1)};
    ImageSet[] valid = {all.valid(0), all.valid(1)};
    try (ExactSweep sweep = ExactSweep.open(backend.newOps(), all.plan(), limits)) {
      List<List<Double>> numbers = new ArrayList<>();
      for (int training = 0; training < COUNT; training++) {
        int set = training % 2;
        assertTrue(sweep.add(train[set], valid[set], all.start(training)));
        numbers.add(new ArrayList<>());
      }
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        List<Optional<EpochInput>> inputs = new ArrayList<>();
        for (int training = 0; training < COUNT; training++) {
          inputs.add(
              epoch > epochs(training)
                  ? Optional.empty()
                  : Optional.of(all.input(train[training % 2], training, epoch)));
        }
        List<Optional<Backend.Epoch>> results = sweep.trainEpoch(inputs);
        for (int training = 0; training < COUNT; training++) {
          assertEquals(inputs.get(training).isPresent(), results.get(training).isPresent());
          List<Double> own = numbers.get(training);
          results
              .get(training)
              .ifPresent(it -> note(own, it.trained().stepLosses(), it.measured()));
        }
      }
      return IntStream.range(0, COUNT)
          .mapToObj(
              training -> new Result(numbers.get(training), sweep.parameters(training).values()))
          .toList();
    }
  }

  private static void assertSameBits(List<Result> expected, List<Result> actual, String what) {
    for (int training = 0; training < COUNT; training++) {
      expected.get(training).assertSameBits(actual.get(training), what + ", " + training);
    }
  }

  private static final Optimizer PLAIN = Optimizer.sgd();
  private static final Optimizer MOMENTUM = new Optimizer(Kind.SGD, 0.9f, 0.01f);
  private static final Optimizer ADAM = new Optimizer(Kind.ADAM, 0, 0.001f);
  private static final Optimizer ADAMW = new Optimizer(Kind.ADAMW, 0, 0.01f);

  static Stream<Trainings> trainings() {
    return Stream.of(
        // A single pixel and a single unit; a short last batch of one image.
        new Trainings("mlp:1", 1, 1, 2, 9, 4, PLAIN),
        // Widths around a panel, a hidden layer that is read transposed, few rows of weights.
        new Trainings("mlp:31,33,2", 5, 7, 3, 40, 16, ADAM),
        // Several panels, and more pixels than are listed at a time.
        new Trainings("mlp:70", 33, 20, 2, 10, 7, MOMENTUM),
        new Trainings("linear", 33, 20, 12, 10, 7, ADAMW),
        // Several blocks of rows, the last of a single one; a batch that exceeds the data.
        new Trainings("mlp:5", 4, 4, 2, 530, 513, ADAMW),
        new Trainings("linear", 4, 4, 3, 530, 600, PLAIN),
        // Several parts of rows.
        new Trainings("linear", 5, 7, 2, 200, 177, MOMENTUM),
        new Trainings("linear", 3, 3, 2, 64, 10, PLAIN));
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void theirBitsAreThoseOfTheCpu(Trainings all) {
    List<Result> expected = java(all);
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH)) {
      assertSameBits(expected, sweep(backend, all, LIMITS), "an epoch a launch");
      ExactSweep.Limits little = new ExactSweep.Limits(100, Long.MAX_VALUE, 1);
      assertSameBits(expected, sweep(backend, all, little), "a step a launch");
    }
    assertNothingLeft();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "schedule=lazy,multiprocessors=1",
        "schedule=random:1,order=random,multiprocessors=2",
        "schedule=random:2,order=random,multiprocessors=7",
        "order=descending"
      })
  void anyOrderOfStreamsAndBlocksGivesTheSameBits(String settings) {
    Trainings all = new Trainings("mlp:33,5", 5, 7, 3, 40, 16, ADAM);
    List<Result> expected = java(all);
    SimulatedDevice.configure(settings);
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH)) {
      assertSameBits(expected, sweep(backend, all, LIMITS), settings);
    }
    assertNothingLeft();
  }

  /** So many steps a launch as its work allows, and one launch to measure. */
  @Test
  void anEpochIsFewLaunches() {
    Trainings all = new Trainings("mlp:5", 4, 4, 2, 40, 16, PLAIN);
    long step = 2L * 16 * all.plan().architecture().parameterCount();
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH)) {
      long before = SimulatedDevice.calls("cuLaunchKernel");
      sweep(backend, all, new ExactSweep.Limits(100, Long.MAX_VALUE, 2 * step));
      // Three steps of the longest epoch, two at a time.
      assertEquals(before + EPOCHS * (2 + 1), SimulatedDevice.calls("cuLaunchKernel"));
    }
  }

  @Test
  void whatDoesNotFitIsNotTaken() {
    Trainings all = new Trainings("mlp:5", 4, 4, 2, 40, 16, PLAIN);
    ImageSet train = all.train(0);
    ImageSet valid = all.valid(0);
    long images = 17L * (train.count() + valid.count());
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH)) {
      try (ExactSweep two =
          ExactSweep.open(
              backend.newOps(), all.plan(), new ExactSweep.Limits(2, Long.MAX_VALUE, 1))) {
        assertTrue(two.add(train, valid, all.start(0)));
        assertTrue(two.add(train, valid, all.start(1)));
        assertFalse(two.add(train, valid, all.start(2)));
      }
      try (ExactSweep small =
          ExactSweep.open(
              backend.newOps(), all.plan(), new ExactSweep.Limits(100, 40 * images, 1))) {
        assertTrue(small.add(train, valid, all.start(0)));
        int taken = 1;
        while (taken < 100 && small.add(train, valid, all.start(taken))) {
          taken++;
        }
        assertTrue(taken > 1 && taken < 40, taken + " fit");
        // Images that are there already take no more.
        assertFalse(small.add(all.train(1), all.valid(1), all.start(0)));
      }
    }
    assertNothingLeft();
  }

  /** The first is taken whatever it needs: the GPU itself refuses it then. */
  @Test
  void whatDoesNotFitAloneIsOneSentence() {
    Trainings all = new Trainings("mlp:5", 60, 60, 2, 400, 16, PLAIN);
    ImageSet train = all.train(0);
    SimulatedDevice.configure("memory=2M");
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH);
        Backend.Sweep sweep = backend.openSweep(all.plan())) {
      assertTrue(sweep.add(train, all.valid(0), all.start(0)));
      List<Optional<EpochInput>> inputs = List.of(Optional.of(all.input(train, 0, 1)));
      DeviceException refusal = assertThrows(DeviceException.class, () -> sweep.trainEpoch(inputs));
      assertTrue(refusal.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY"), refusal.getMessage());
    }
    assertNothingLeft();
  }

  @Test
  void whatNoBufferHoldsIsOneSentence() {
    Trainings all = new Trainings("mlp:3000", 1, 1, 2, 800_000, 800_000, PLAIN);
    ImageSet train = new ImageSet(new byte[800_000], new int[800_000], 1, 1);
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH);
        Backend.Sweep sweep = backend.openSweep(all.plan())) {
      DeviceException refusal =
          assertThrows(DeviceException.class, () -> sweep.add(train, all.valid(0), all.start(0)));
      assertTrue(refusal.getMessage().contains("--batch-size"), refusal.getMessage());
    }
  }

  /** A GPU holds as many as its multiprocessors run blocks. */
  @Test
  void aGpuTakesTwoForEachMultiprocessor() {
    Trainings all = new Trainings("linear", 3, 3, 2, 10, 10, PLAIN);
    SimulatedDevice.configure("multiprocessors=2");
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH);
        Backend.Sweep sweep = backend.openSweep(all.plan())) {
      for (int training = 0; training < 4; training++) {
        assertTrue(sweep.add(all.train(0), all.valid(0), all.start(training)));
      }
      assertFalse(sweep.add(all.train(0), all.valid(0), all.start(4)));
    }
  }

  private static void assertNothingLeft() {
    assertEquals(List.of(), SimulatedDevice.liveObjects());
    assertEquals(List.of(), SimulatedDevice.violations());
  }
}
