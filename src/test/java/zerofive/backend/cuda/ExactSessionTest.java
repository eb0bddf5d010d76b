package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.EpochInput;
import zerofive.backend.Evaluation;
import zerofive.backend.JniCheck;
import zerofive.backend.Optimizer;
import zerofive.backend.Optimizer.Kind;
import zerofive.backend.Predictor;
import zerofive.backend.SmallImages;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.cpu.CpuForTests;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.jvm.JavaSession;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** The exact engine has the bits of the CPU's Java code, on shapes at which its kernels turn. */
@Tag("jni")
@ExtendWith({FreshDevice.class, JniCheck.class})
final class ExactSessionTest {
  private static final int EPOCHS = 3;

  /** A training on made-up images, shifted by up to a pixel in every epoch but the second. */
  private record Training(
      String model, int height, int width, int classes, int count, int batch, Optimizer optimizer) {
    TrainingPlan plan() {
      Loss loss = Loss.defaultFor(classes);
      Architecture architecture =
          Architecture.of(model, new ImageShape(height, width), Loss.outputs(classes));
      return new TrainingPlan(architecture, loss, optimizer, batch);
    }

    ImageSet train() {
      return sparse(SmallImages.create(1, count, height, width, classes));
    }

    ImageSet valid() {
      return sparse(SmallImages.create(2, 37, height, width, classes));
    }

    /** With two of three pixels zero at random, and every eleventh in all images. */
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

    TrainingState start() {
      return TrainingState.initial(SmallImages.weights(3, plan().architecture(), 0.3f), optimizer);
    }

    EpochInput input(int epoch) {
      float[] rates = new float[plan().stepsPerEpoch(count)];
      for (int step = 0; step < rates.length; step++) {
        rates[step] = 0.05f / (epoch + step);
      }
      return new EpochInput(
          ExampleOrder.SHUFFLED.indices(train().targets(), 4, epoch),
          rates,
          epoch == 2 ? null : new Augmentation(1).shifts(count, 4, epoch));
    }

    TrainingSession java(TrainingState state) {
      return JavaSession.open(1, plan(), train(), valid(), state);
    }

    /** {@code mostRows} of a batch at once, 0 for all. */
    TrainingSession cuda(CudaBackend backend, TrainingState state, int mostRows) {
      return ExactSession.open(backend.newOps(), plan(), train(), valid(), state, mostRows);
    }
  }

  /** What a training ended with; numbers are the losses of steps and measurings, and counts. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Result(List<Double> numbers, float[] logits, float[] weights, float[] moments) {
    static Result of(Training training, TrainingSession session) {
      try (session) {
        List<Double> numbers = new ArrayList<>();
        for (int epoch = 1; epoch <= EPOCHS; epoch++) {
          Arrays.stream(session.trainEpoch(training.input(epoch)).stepLosses())
              .forEach(numbers::add);
          Evaluation evaluation = session.evaluate();
          numbers.add(evaluation.loss());
          numbers.add((double) evaluation.correct());
        }
        TrainingState end = session.state();
        return new Result(numbers, session.logits(), end.parameters().values(), end.moments());
      }
    }

    void assertSameBits(Result other, String what) {
      assertEquals(numbers, other.numbers, what);
      assertArrayEquals(bits(logits), bits(other.logits), what);
      assertArrayEquals(bits(weights), bits(other.weights), what);
      assertArrayEquals(bits(moments), bits(other.moments), what);
    }

    private static int[] bits(float[] values) {
      int[] bits = new int[values.length];
      Arrays.setAll(bits, i -> Float.floatToRawIntBits(values[i]));
      return bits;
    }
  }

  private static final Optimizer PLAIN = Optimizer.sgd();
  private static final Optimizer MOMENTUM = new Optimizer(Kind.SGD, 0.9f, 0.01f);
  private static final Optimizer ADAM = new Optimizer(Kind.ADAM, 0, 0.001f);
  private static final Optimizer ADAMW = new Optimizer(Kind.ADAMW, 0, 0.01f);

  static Stream<Training> trainings() {
    return Stream.of(
        // A single pixel and a single unit; a short last batch of one image.
        new Training("mlp:1", 1, 1, 2, 9, 4, PLAIN),
        // Widths around a panel, a hidden layer that is read transposed, few rows of weights.
        new Training("mlp:31,33,2", 5, 7, 3, 40, 16, ADAM),
        // More panels than are kept at a time, and more pixels than are listed at a time.
        new Training("mlp:260", 33, 40, 2, 10, 7, MOMENTUM),
        new Training("linear", 33, 40, 12, 10, 7, ADAMW),
        // Several blocks of rows, the last of a single one.
        new Training("mlp:5", 4, 4, 2, 530, 513, ADAMW),
        new Training("linear", 4, 4, 3, 530, 600, PLAIN),
        // Several parts of rows, and more than a block takes at a time.
        new Training("linear", 5, 7, 2, 600, 577, MOMENTUM),
        new Training("linear", 3, 3, 2, 64, 10, PLAIN));
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void itsBitsAreThoseOfTheCpu(Training training) {
    Result expected = Result.of(training, training.java(training.start()));
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH)) {
      expected.assertSameBits(
          Result.of(training, training.cuda(backend, training.start(), 0)), "all rows at once");
      expected.assertSameBits(
          Result.of(training, training.cuda(backend, training.start(), 256)), "256 rows at once");
    }
    assertNothingLeft();
  }

  static Stream<Training> convolutions() {
    return Stream.of(
        // One place of one image; a short last batch.
        new Training("cnn:5", 1, 1, 2, 9, 4, PLAIN),
        new Training("cnn:3/1,4+6", 5, 7, 3, 40, 7, ADAM),
        // More channels than a tile has, and several blocks of images in each batch.
        new Training("cnn:33,40/1", 12, 9, 2, 40, 40, MOMENTUM),
        // More images than are measured or added up at once.
        new Training("cnn:2,3", 8, 9, 12, 530, 300, ADAMW));
  }

  @ParameterizedTest
  @MethodSource("convolutions")
  void aConvolutionalNetHasTheBitsOfTheCpu(Training training) {
    Result expected =
        Result.of(
            training,
            CpuForTests.backend()
                .open(training.plan(), training.train(), training.valid(), training.start()));
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH)) {
      TrainingSession session =
          backend.open(training.plan(), training.train(), training.valid(), training.start());
      expected.assertSameBits(Result.of(training, session), training.model());
    }
    assertNothingLeft();
  }

  private static void assertNothingLeft() {
    assertEquals(List.of(), SimulatedDevice.liveObjects());
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "schedule=lazy",
        "schedule=random:1,order=random",
        "schedule=random:2,order=random",
        "order=descending"
      })
  void anyOrderOfStreamsAndBlocksGivesTheSameBits(String settings) {
    Training training = new Training("mlp:33,5", 5, 7, 3, 70, 32, ADAM);
    Result expected = Result.of(training, training.java(training.start()));
    SimulatedDevice.configure(settings);
    for (SessionKind kind : SessionKind.values()) {
      try (CudaBackend backend = CudaUnderTest.exact(kind)) {
        expected.assertSameBits(
            Result.of(training, training.cuda(backend, training.start(), 0)), kind.toString());
      }
    }
    assertNothingLeft();
  }

  /** The state of either goes on in the other, and ends with the bits of one session. */
  @ParameterizedTest
  @ValueSource(strings = {"linear", "mlp:33,5"})
  void aTrainingMayMoveBetweenCpuAndGpu(String model) {
    Training training = new Training(model, 5, 7, 2, 70, 32, ADAMW);
    TrainingState whole;
    try (TrainingSession session = training.java(training.start())) {
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        session.trainEpoch(training.input(epoch));
      }
      whole = session.state();
    }
    TrainingState state = training.start();
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH)) {
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        try (TrainingSession session =
            epoch == 2 ? training.cuda(backend, state, 0) : training.java(state)) {
          session.trainEpoch(training.input(epoch));
          state = session.state();
        }
      }
    }
    assertArrayEquals(whole.parameters().values(), state.parameters().values(), 0f);
    assertArrayEquals(whole.moments(), state.moments(), 0f);
    assertEquals(whole.steps(), state.steps());
  }

  /** Two kernels a step, and one for the losses of the epoch. */
  @Test
  void aStepIsTwoLaunches() {
    Training training = new Training("mlp:33,5", 5, 7, 3, 70, 32, ADAM);
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.STEPWISE);
        TrainingSession session = training.cuda(backend, training.start(), 0)) {
      long before = SimulatedDevice.calls("cuLaunchKernel");
      session.trainEpoch(training.input(2));
      assertEquals(before + 2 * 3 + 1, SimulatedDevice.calls("cuLaunchKernel"));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'mlp:33,5', 0",
    "'mlp:512,513', 0",
    "linear, 0",
    "'mlp:33,5', 10",
    "linear, 10",
    "linear, 1"
  })
  void aPredictorHasTheLogitsOfTheSession(String model, int held) {
    Training training = new Training(model, 5, 7, 2, 70, 32, ADAM);
    Parameters parameters = training.start().parameters();
    try (CudaBackend backend = CudaUnderTest.exact(SessionKind.GRAPH);
        TrainingSession session = training.java(training.start());
        Predictor predictor =
            held == 0
                ? backend.openPredictor(parameters)
                : new ExactPredictor(backend::newOps, parameters, held * 5 * 7)) {
      assertArrayEquals(session.logits(), predictor.logits(training.valid()), 0f);
      Loss loss = training.plan().loss();
      Evaluation expected = session.evaluate();
      Evaluation actual = predictor.evaluate(training.valid(), loss);
      assertEquals(expected.loss(), actual.loss());
      assertEquals(expected.correct(), actual.correct());
    }
    assertNothingLeft();
  }
}
