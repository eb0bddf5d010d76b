package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.Optimizer;
import zerofive.backend.Optimizer.Kind;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** Java computes what native code computes, to the last bit. */
final class JavaBitsTest {
  private static final int VALID = 211;
  private static final int EPOCHS = 4;

  private record Run(
      String model,
      int classes,
      Loss loss,
      Optimizer optimizer,
      int batch,
      Augmentation augmentation,
      int height,
      int width,
      int train) {
    TrainingPlan plan() {
      return new TrainingPlan(
          Architecture.of(model, new ImageShape(height, width), Loss.outputs(classes)),
          loss,
          optimizer,
          batch);
    }
  }

  /** All that a training leaves, as bits. */
  private record Trained(
      List<Integer> parameters, List<Integer> moments, List<Double> losses, List<Integer> logits) {}

  @BeforeEach
  void thereIsALibrary() {
    assumeTrue(CpuForTests.isUsable(), "skipped: this build has no native library");
  }

  static Stream<Run> runs() {
    Optimizer plain = Optimizer.sgd();
    Optimizer momentum = new Optimizer(Kind.SGD, 0.9f, 0.01f);
    Optimizer decay = new Optimizer(Kind.SGD, 0, 0.01f);
    Optimizer adam = new Optimizer(Kind.ADAM, 0, 0.01f);
    Optimizer adamw = new Optimizer(Kind.ADAMW, 0, Optimizer.ADAMW_WEIGHT_DECAY);
    List<Run> runs = new ArrayList<>();
    for (int batch : new int[] {1, 255, 256, 257, 600}) {
      runs.add(run("linear", 2, Loss.BCE, plain, batch, 0));
      runs.add(run("linear", 10, Loss.CROSS_ENTROPY, momentum, batch, 0));
      runs.add(run("mlp:30", 2, Loss.MNIST, plain, batch, 0));
      runs.add(run("mlp:37,11", 2, Loss.BCE, adam, batch, 2));
      runs.add(run("mlp:64", 10, Loss.CROSS_ENTROPY, adamw, batch, 1));
    }
    for (Optimizer optimizer : List.of(momentum, decay, adam, adamw)) {
      runs.add(run("linear", 2, Loss.MNIST, optimizer, 300, 3));
      runs.add(run("mlp:30", 2, Loss.BCE, optimizer, 300, 3));
      runs.add(run("mlp:8,16,5", 3, Loss.CROSS_ENTROPY, optimizer, Integer.MAX_VALUE, 0));
    }
    runs.add(run("cnn:16,32", 2, Loss.MNIST, plain, 64, 0));
    runs.add(run("cnn:5/1,20,33+17", 3, Loss.CROSS_ENTROPY, adam, 70, 2));
    runs.add(run("cnn:8,16,12", 10, Loss.CROSS_ENTROPY, momentum, 300, 3));
    runs.add(run("cnn:8/1,8/1", 2, Loss.BCE, adamw, 1, 1));
    runs.add(large("linear", plain, 1));
    runs.add(large("mlp:3", momentum, 1));
    runs.add(large("mlp:3", plain, 0));
    runs.add(large("cnn:2", momentum, 1));
    return runs.stream();
  }

  private static Run run(
      String model, int classes, Loss loss, Optimizer optimizer, int batch, int shift) {
    return new Run(model, classes, loss, optimizer, batch, new Augmentation(shift), 12, 13, 603);
  }

  private static final List<Run> FEW =
      List.of(
          run("linear", 2, Loss.BCE, Optimizer.sgd(), 100, 1),
          run("cnn:4,5", 2, Loss.BCE, Optimizer.sgd(), 100, 1),
          run("mlp:9,17", 3, Loss.CROSS_ENTROPY, new Optimizer(Kind.ADAM, 0, 0), 100, 0));

  /** More pixels than 16 bits number. */
  private static Run large(String model, Optimizer optimizer, int shift) {
    return new Run(model, 2, Loss.BCE, optimizer, 3, new Augmentation(shift), 300, 250, 7);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void aTrainingHasTheSameBits(Run run) {
    Trained expected = trained(new CpuBackend(2), run, false);
    for (int threads : new int[] {1, 3}) {
      assertSame(expected, trained(CpuBackend.exactly("java", threads), run, false));
    }
    assertSame(expected, trained(CpuBackend.exactly("java", 2), run, true));
  }

  /** Prints what it trains, in a JVM that is to take the CPU for one without fused multiply-add. */
  static final class WithoutFma {
    private WithoutFma() {}

    public static void main(String[] args) {
      for (Run run : FEW) {
        System.out.println(trained(CpuBackend.exactly("java", 1), run, false).hashCode());
      }
    }
  }

  @Test
  void aCpuWithoutFusedMultiplyAddComputesTheSameBits() throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+IgnoreUnrecognizedVMOptions",
                "-XX:-UseFMA",
                "-cp",
                System.getProperty("java.class.path"),
                WithoutFma.class.getName())
            .redirectErrorStream(true)
            .start();
    List<String> expected = new ArrayList<>();
    for (Run run : FEW) {
      expected.add(String.valueOf(trained(new CpuBackend(1), run, false).hashCode()));
    }
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(expected, said.lines().toList());
  }

  /** More than native code measures at a time; losses of many magnitudes, whose order shows. */
  @Test
  void theLossesOfManyImagesAreAddedAsOneStep() {
    Parameters model =
        new Parameters(
            new Architecture(6, List.of(), 1),
            new float[] {41.7f, -0.3f, 14.9f, -37.1f, 1e-3f, 3.3f, -9.1f});
    byte[] pixels = new byte[10_001 * 6];
    new Random(5).nextBytes(pixels);
    ImageSet unknown = new ImageSet(pixels, new int[10_001], 2, 3);
    try (Predictor inNativeCode = new CpuBackend(2).openPredictor(model);
        Predictor inJava = CpuBackend.exactly("java", 2).openPredictor(model)) {
      float[] logits = inJava.logits(unknown);
      int[] right = new int[logits.length];
      Arrays.setAll(right, i -> logits[i] > 0 ? 0 : 1);
      ImageSet images = new ImageSet(pixels, right, 2, 3);
      assertEquals(
          inJava.evaluate(images, Loss.BCE).loss(), inNativeCode.evaluate(images, Loss.BCE).loss());
    }
  }

  private static void assertSame(Trained expected, Trained trained) {
    assertEquals(expected.losses(), trained.losses());
    assertEquals(expected.parameters(), trained.parameters());
    assertEquals(expected.moments(), trained.moments());
    assertEquals(expected.logits(), trained.logits());
  }

  /**
   * The first epochs are in one order, whose columns are kept, and the second is not shifted.
   *
   * @param isResumed whether half-way a new session takes over
   */
  private static Trained trained(Backend backend, Run run, boolean isResumed) {
    ImageSet train = images(1, run.train(), run);
    ImageSet valid = images(2, VALID % run.train(), run);
    TrainingPlan plan = run.plan();
    TrainingState state =
        TrainingState.initial(Initializer.PYTORCH.create(plan.architecture(), 5), run.optimizer());
    List<Double> losses = new ArrayList<>();
    float[] logits = {};
    int sessions = isResumed ? 2 : 1;
    for (int part = 0; part < sessions; part++) {
      try (TrainingSession session = backend.open(plan, train, valid, state)) {
        for (int e = EPOCHS * part / sessions; e < EPOCHS * (part + 1) / sessions; e++) {
          train(session, run, train, e + 1, losses);
        }
        state = session.state();
        logits = session.logits();
      }
    }
    try (Predictor predictor = backend.openPredictor(state.parameters())) {
      losses.add(predictor.evaluate(valid, run.loss()).loss());
      assertArrayEquals(logits, predictor.logits(valid));
    }
    return new Trained(
        bits(state.parameters().values()), bits(state.moments()), losses, bits(logits));
  }

  private static void train(
      TrainingSession session, Run run, ImageSet train, int epoch, List<Double> losses) {
    float[] rates = new float[run.plan().stepsPerEpoch(run.train())];
    for (int step = 0; step < rates.length; step++) {
      rates[step] = 0.01f / (epoch + step);
    }
    ExampleOrder order = epoch < EPOCHS ? ExampleOrder.SEQUENTIAL : ExampleOrder.SHUFFLED;
    int[] shifts = epoch == 2 ? null : run.augmentation().shifts(run.train(), 3, epoch);
    EpochResult result =
        session.trainEpoch(new EpochInput(order.indices(train.targets(), 3, epoch), rates, shifts));
    Evaluation evaluation = session.evaluate();
    losses.add(result.trainLoss());
    Arrays.stream(result.stepLosses()).forEach(losses::add);
    losses.add(evaluation.loss());
    losses.add((double) evaluation.correct());
  }

  private static List<Integer> bits(float[] values) {
    List<Integer> bits = new ArrayList<>();
    for (float value : values) {
      bits.add(Float.floatToRawIntBits(value));
    }
    return bits;
  }

  /** A fifth of the pixels is nonzero, some pixels never. */
  private static ImageSet images(long seed, int count, Run run) {
    Random random = new Random(seed);
    int size = run.height() * run.width();
    byte[] pixels = new byte[count * size];
    int[] targets = new int[count];
    for (int i = 0; i < count; i++) {
      targets[i] = random.nextInt(run.classes());
      for (int p = run.width(); p < size - run.width(); p++) {
        if (random.nextInt(p % run.classes() == targets[i] ? 2 : 8) == 0) {
          pixels[i * size + p] = (byte) (1 + random.nextInt(255));
        }
      }
    }
    return new ImageSet(pixels, targets, run.height(), run.width());
  }
}
