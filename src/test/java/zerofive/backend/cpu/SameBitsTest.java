package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
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

/** Neither the threads nor the choice between AVX2 and AVX-512 changes a bit of what is learnt. */
final class SameBitsTest {
  private static final int SIDE = 12;
  private static final int TRAIN = 1201;
  private static final int VALID = 211;
  private static final int EPOCHS = 4;
  private static final int PORTABLE = 0;
  private static final int AVX512 = 2;

  private record Run(
      String model,
      int classes,
      Optimizer optimizer,
      Form form,
      int batch,
      Augmentation augmentation) {
    Run(String model, int classes, Optimizer optimizer, Form form, int batch) {
      this(model, classes, optimizer, form, batch, Augmentation.NONE);
    }
  }

  @BeforeEach
  void thereIsALibrary() {
    assumeTrue(CpuForTests.isUsable(), "skipped: this build has no native library");
  }

  @AfterEach
  void takeTheBestInstructionsAgain() {
    if (CpuForTests.isUsable()) {
      Native.chooseKernels(AVX512);
    }
  }

  static Stream<Run> runs() {
    Optimizer adam = new Optimizer(Optimizer.Kind.ADAM, 0, 0.01f);
    Optimizer momentum = new Optimizer(Optimizer.Kind.SGD, 0.9f, 0.01f);
    List<Run> runs = new ArrayList<>();
    for (Form form : List.of(Form.BY_SIZE, Form.DENSE)) {
      runs.add(new Run("mlp:30", 2, Optimizer.sgd(), form, 256));
      runs.add(new Run("mlp:33,65", 10, adam, form, 100));
      runs.add(new Run("mlp:40", 3, momentum, form, 700));
      runs.add(new Run("linear", 5, momentum, form, 256));
    }
    for (Form form : List.of(Form.BY_SIZE, Form.DENSE)) {
      runs.add(new Run("mlp:33,65", 10, adam, form, 300, new Augmentation(2)));
    }
    runs.add(new Run("linear", 2, momentum, Form.BY_SIZE, 256, new Augmentation(2)));
    runs.add(new Run("linear", 2, Optimizer.sgd(), Form.BY_SIZE, 256));
    runs.add(new Run("linear", 2, adam, Form.BY_SIZE, 1000));
    runs.add(new Run("cnn:16,32,20", 2, adam, Form.BY_SIZE, 64, new Augmentation(2)));
    runs.add(new Run("cnn:5/1,18+6", 10, momentum, Form.BY_SIZE, 100));
    return runs.stream();
  }

  @ParameterizedTest
  @MethodSource("runs")
  void threadsChangeNoBit(Run run) {
    int once = trained(run, 1);
    for (int threads : new int[] {2, 3, 5}) {
      assertEquals(once, trained(run, threads), threads + " threads");
    }
  }

  @ParameterizedTest
  @MethodSource("runs")
  void theInstructionsChangeNoBit(Run run) {
    int best = trained(run, 2);
    for (int set = Native.chooseKernels(AVX512) - 1; set >= PORTABLE; set--) {
      assertEquals(set, Native.chooseKernels(set));
      assertEquals(best, trained(run, 2), "instruction set " + set);
    }
  }

  @ParameterizedTest
  @MethodSource("runs")
  void theFormOfTheImagesChangesNoBit(Run run) {
    Run other =
        new Run(
            run.model(),
            run.classes(),
            run.optimizer(),
            run.form() == Form.DENSE ? Form.BY_SIZE : Form.DENSE,
            run.batch(),
            run.augmentation());
    assertEquals(trained(run, 2), trained(other, 2));
  }

  /**
   * A hash of the weights, the optimiser's values and every loss. The first half is in one order,
   * and the second epoch is not shifted: lists that are kept and lists that are not take turns.
   */
  private static int trained(Run run, int threads) {
    ImageSet train = images(1, TRAIN, run.classes());
    Architecture architecture =
        Architecture.of(run.model(), new ImageShape(SIDE, SIDE), Loss.outputs(run.classes()));
    TrainingPlan plan =
        new TrainingPlan(
            architecture, Loss.defaultFor(run.classes()), run.optimizer(), run.batch());
    float[] rates = new float[plan.stepsPerEpoch(TRAIN)];
    Arrays.fill(rates, 0.01f);
    TrainingState start =
        TrainingState.initial(Initializer.PYTORCH.create(architecture, 5), run.optimizer());
    List<Double> losses = new ArrayList<>();
    try (TrainingSession session =
        CpuSession.open(threads, run.form(), plan, train, images(2, VALID, run.classes()), start)) {
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        ExampleOrder order = epoch < EPOCHS ? ExampleOrder.SEQUENTIAL : ExampleOrder.SHUFFLED;
        int[] shifts = epoch == 2 ? null : run.augmentation().shifts(TRAIN, 3, epoch);
        EpochInput input = new EpochInput(order.indices(train.targets(), 3, epoch), rates, shifts);
        losses.add(session.trainEpoch(input).trainLoss());
        losses.add(session.evaluate().loss());
      }
      TrainingState end = session.state();
      return Arrays.hashCode(end.parameters().values())
          + 31 * Arrays.hashCode(end.moments())
          + 37 * losses.hashCode();
    }
  }

  /** A fifth of the pixels is lit, some pixels never. */
  private static ImageSet images(long seed, int count, int classes) {
    Random random = new Random(seed);
    byte[] pixels = new byte[count * SIDE * SIDE];
    int[] targets = new int[count];
    for (int i = 0; i < count; i++) {
      targets[i] = random.nextInt(classes);
      for (int p = SIDE; p < SIDE * SIDE - SIDE; p++) {
        if (random.nextInt(p % classes == targets[i] ? 2 : 8) == 0) {
          pixels[i * SIDE * SIDE + p] = (byte) (1 + random.nextInt(255));
        }
      }
    }
    return new ImageSet(pixels, targets, SIDE, SIDE);
  }
}
