package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.backend.Closeness.assertClose;
import static zerofive.backend.Closeness.assertSameBits;
import static zerofive.backend.Closeness.tolerance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.Optimizer.Kind;
import zerofive.data.Augmentation;
import zerofive.data.ExampleOrder;
import zerofive.data.ImageSet;
import zerofive.data.image.ImageShape;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** What every {@link Backend}'s sessions and predictors have to do, on small made-up images. */
@Tag("jni")
@ExtendWith(JniCheck.class)
final class SessionContractTest {
  private static final int HEIGHT = 5;
  private static final int WIDTH = 7;

  /** A prime; with batches of 7 or 32 the last one is short. */
  private static final int TRAIN = 101;

  /** More than what is measured at once, and a short rest. */
  private static final int VALID = 259;

  private static final int EPOCHS = 4;
  private static final double RELATIVE = 1e-5;

  /** One training, by the values that vary. */
  private record Run(
      int classes,
      String model,
      Loss loss,
      Optimizer optimizer,
      int batch,
      Augmentation augmentation) {
    Run(int classes, String model, Loss loss, Optimizer optimizer, int batch) {
      this(classes, model, loss, optimizer, batch, Augmentation.NONE);
    }

    Architecture architecture() {
      return Architecture.of(model, new ImageShape(HEIGHT, WIDTH), Loss.outputs(classes));
    }

    TrainingPlan plan() {
      return new TrainingPlan(architecture(), loss, optimizer, batch);
    }

    ImageSet train() {
      ImageSet images = SmallImages.create(1, TRAIN, HEIGHT, WIDTH, classes);
      return isShifted() ? SmallImages.framed(images) : images;
    }

    boolean isShifted() {
      return !augmentation.equals(Augmentation.NONE);
    }

    ImageSet valid() {
      return SmallImages.create(2, VALID, HEIGHT, WIDTH, classes);
    }

    Parameters start() {
      return SmallImages.weights(3, architecture(), 0.3f);
    }

    TrainingSession open(String implementation) {
      return open(implementation, TrainingState.initial(start(), optimizer));
    }

    TrainingSession open(String implementation, TrainingState state) {
      return Implementations.backend(implementation).open(plan(), train(), valid(), state);
    }

    /**
     * Shuffled images, and a learning rate that falls from step to step; in the third epoch no
     * image is shifted.
     */
    EpochInput input(int epoch) {
      float[] rates = new float[plan().stepsPerEpoch(TRAIN)];
      float highest = optimizer.kind() == Kind.SGD ? 0.1f : 0.01f;
      for (int step = 0; step < rates.length; step++) {
        rates[step] = highest / (epoch + (float) step / rates.length);
      }
      return new EpochInput(
          ExampleOrder.SHUFFLED.indices(train().targets(), 4, epoch),
          rates,
          epoch == 3 ? null : augmentation.shifts(TRAIN, 4, epoch));
    }
  }

  private static final List<Optimizer> OPTIMIZERS =
      List.of(
          Optimizer.sgd(),
          new Optimizer(Kind.SGD, 0.9f, 0),
          new Optimizer(Kind.SGD, 0.9f, 0.01f),
          new Optimizer(Kind.ADAM, 0, 0),
          new Optimizer(Kind.ADAM, 0, 0.01f),
          new Optimizer(Kind.ADAMW, 0, Optimizer.ADAMW_WEIGHT_DECAY));

  /**
   * Shifts that leave some images whole, and shifts that leave next to nothing; on a simulated
   * device one of them.
   */
  static Stream<Arguments> shiftedRuns() {
    List<Run> runs = new ArrayList<>();
    Optimizer momentum = new Optimizer(Kind.SGD, 0.9f, 0.01f);
    for (Augmentation shift : List.of(new Augmentation(2), new Augmentation(6))) {
      runs.add(new Run(2, "linear", Loss.BCE, momentum, 32, shift));
      runs.add(new Run(2, "mlp:9", Loss.BCE, Optimizer.sgd(), 32, shift));
      runs.add(new Run(3, "mlp:40,5", Loss.CROSS_ENTROPY, momentum, 7, shift));
      runs.add(new Run(3, "cnn:5,4/1+6", Loss.CROSS_ENTROPY, momentum, 32, shift));
    }
    return Implementations.times(runs.stream().map(Arguments::of))
        .filter(
            arguments ->
                Implementations.fast().contains(arguments.get()[0])
                    || arguments.get()[1].equals(runs.get(1)));
  }

  /**
   * But for the linear model, whose native sums run over other columns where images are shifted,
   * and for the backend that chooses by how much of the images is lit: both its choices are here.
   */
  static Stream<Arguments> shiftedNets() {
    return shiftedRuns()
        .filter(arguments -> !((Run) arguments.get()[1]).model().equals("linear"))
        .filter(arguments -> !arguments.get()[0].equals("cpu"));
  }

  /** What holds with and without shifts. */
  static Stream<Arguments> allRuns() {
    return Stream.concat(runs(), shiftedRuns());
  }

  /** All of them where training is fast; on a simulated device those that are short. */
  static Stream<Arguments> runs() {
    return everyRun().filter(arguments -> !isLong(arguments));
  }

  /** The others of those with an arithmetic of their own; none on a GPU. */
  static Stream<Arguments> longRuns() {
    return everyRun()
        .filter(SessionContractTest::isLong)
        .filter(arguments -> Implementations.computing().contains(arguments.get()[0]));
  }

  /** Every optimiser on a net of each loss; every batch size and depth on plain descent. */
  private static Stream<Arguments> everyRun() {
    List<Run> runs = new ArrayList<>();
    for (Optimizer optimizer : OPTIMIZERS) {
      runs.add(new Run(2, "mlp:9", Loss.BCE, optimizer, 32));
      runs.add(new Run(3, "mlp:9", Loss.CROSS_ENTROPY, optimizer, 7));
    }
    runs.add(new Run(2, "cnn:5,18", Loss.BCE, new Optimizer(Kind.ADAM, 0, 0.01f), 32));
    for (int batch : new int[] {1, 7, 32, TRAIN - 1, TRAIN, TRAIN + 1, 1000, Integer.MAX_VALUE}) {
      runs.add(new Run(2, "linear", Loss.MNIST, Optimizer.sgd(), batch));
      runs.add(new Run(2, "mlp:9", Loss.MNIST, Optimizer.sgd(), batch));
      runs.add(new Run(2, "mlp:9,5", Loss.BCE, Optimizer.sgd(), batch));
      runs.add(new Run(3, "linear", Loss.CROSS_ENTROPY, Optimizer.sgd(), batch));
      runs.add(new Run(10, "mlp:11,6", Loss.CROSS_ENTROPY, Optimizer.sgd(), batch));
    }
    return Implementations.times(runs.stream().map(Arguments::of));
  }

  /**
   * A simulated device takes its time: of the batches it has two, each with a short last one, and
   * only the smaller where the kernels are another implementation's; single launches of them have
   * one net.
   */
  private static boolean isLong(Arguments arguments) {
    String implementation = (String) arguments.get()[0];
    Run run = (Run) arguments.get()[1];
    boolean isShort =
        switch (implementation) {
          case "cuda" -> run.batch() == 7 || run.batch() == 32;
          case "cuda-stepwise" -> run.batch() == 7 && run.model().equals("mlp:9,5");
          default -> run.batch() == 7;
        };
    return !Implementations.fast().contains(implementation) && !isShort;
  }

  /** Every test that {@link #runs} has. */
  @Tag("slow")
  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource("longRuns")
  void aLongRunPassesEveryTest(String implementation, Run run) {
    trainingFollowsTheReplayInDouble(implementation, run);
    theStepsLossesMakeUpTheEpochs(implementation, run);
    trainingLearnsThePattern(implementation, run);
    theSameTrainingTwiceGivesTheSameBits(implementation, run);
    measuringBetweenEpochsChangesNoBit(implementation, run);
    evaluateChangesNothingAndRepeatsItself(implementation, run);
    goingOnFromAStateIsGoingOn(implementation, run);
    aPredictorMeasuresAsTheSessionDoes(implementation, run);
    aSessionsLogitsAreThePredictorsBitForBit(implementation, run);
    otherWeightsTakeThePlaceOfThePresentOnes(implementation, run);
  }

  @ParameterizedTest
  @MethodSource("allRuns")
  void trainingFollowsTheReplayInDouble(String implementation, Run run) {
    DoubleReplay replay = new DoubleReplay(run.plan(), run.start());
    double largest = 0;
    try (TrainingSession session = run.open(implementation)) {
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        EpochResult replayed = replay.trainEpoch(run.train(), run.input(epoch));
        EpochResult result = session.trainEpoch(run.input(epoch));
        double trainLoss = replayed.trainLoss();
        assertEquals(
            trainLoss, result.trainLoss(), RELATIVE * trainLoss, "training, epoch " + epoch);
        assertClose(
            "steps of epoch " + epoch,
            replayed.stepLosses(),
            result.stepLosses(),
            step -> RELATIVE * Math.max(trainLoss, replayed.stepLosses()[step]));
        Evaluation expected = replay.evaluate(run.valid());
        Evaluation evaluation = session.evaluate();
        assertEquals(
            expected.loss(),
            evaluation.loss(),
            RELATIVE * expected.loss(),
            "validation, epoch " + epoch);
        assertEquals(VALID, evaluation.count());
        assertEquals(expected.correct(), evaluation.correct(), 1.0, "correct, epoch " + epoch);
        largest = Math.max(largest, largest(replay.parameters()));
      }
      double reach = largest;
      TrainingState state = session.state();
      assertEquals(replay.steps(), state.steps());
      assertClose(
          "weights",
          replay.parameters(),
          state.parameters().values(),
          i -> tolerance(2, replay.steps() + HEIGHT * WIDTH, reach));
    }
  }

  /** The epoch's loss is the sum of the steps' in order, over its images. */
  @ParameterizedTest
  @MethodSource("runs")
  void theStepsLossesMakeUpTheEpochs(String implementation, Run run) {
    try (TrainingSession session = run.open(implementation)) {
      EpochResult result = session.trainEpoch(run.input(1));
      int steps = run.plan().stepsPerEpoch(TRAIN);
      assertEquals(steps, result.stepLosses().length);
      double sum = 0;
      for (int step = 0; step < steps; step++) {
        sum += result.stepLosses()[step] * run.plan().rows(step, TRAIN);
      }
      // A mean times its rows is the sum again but for half a unit in the last place, twice.
      double rounding = (steps + 2) * Math.ulp(sum / TRAIN);
      assertEquals(sum / TRAIN, result.trainLoss(), rounding);
    }
  }

  /** A step's loss is measured before the step: the first of all is that of the first weights. */
  @ParameterizedTest
  @MethodSource("implementations")
  void aStepsLossIsThatOfTheWeightsBeforeIt(String implementation) {
    Run run = plainRun();
    EpochInput input = run.input(1);
    float[] unmoved = new float[input.learningRates().length];
    try (TrainingSession session = run.open(implementation);
        TrainingSession still = run.open(implementation)) {
      double[] moving = session.trainEpoch(input).stepLosses();
      double[] standing = still.trainEpoch(new EpochInput(input.order(), unmoved)).stepLosses();
      assertEquals(standing[0], moving[0]);
      assertTrue(standing[1] != moving[1], "the second step's loss knows nothing of the first");
    }
  }

  @ParameterizedTest
  @MethodSource("shiftedNets")
  void shiftingIsTrainingOnShiftedImagesBitForBit(String implementation, Run run) {
    EpochInput input = run.input(1);
    TrainingState start = TrainingState.initial(run.start(), run.optimizer());
    ImageSet shifted = SmallImages.shifted(run.train(), input.shifts());
    Backend backend = Implementations.backend(implementation);
    try (TrainingSession session = run.open(implementation, start);
        TrainingSession still = backend.open(run.plan(), shifted, run.valid(), start)) {
      EpochInput unshifted = new EpochInput(input.order(), input.learningRates());
      assertEquals(still.trainEpoch(unshifted).trainLoss(), session.trainEpoch(input).trainLoss());
      assertSameState(still.state(), session.state());
    }
  }

  @ParameterizedTest
  @MethodSource("runs")
  void trainingLearnsThePattern(String implementation, Run run) {
    try (TrainingSession session = run.open(implementation)) {
      double before = session.evaluate().loss();
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        session.trainEpoch(run.input(epoch));
      }
      double after = session.evaluate().loss();
      assertTrue(after < before, before + " before, " + after + " after");
    }
  }

  private static final Map<String, Outcome> TRAINED = new HashMap<>();

  /** All that a training gives but the time it takes. */
  private static final class Outcome {
    final List<Double> trainLosses = new ArrayList<>();
    TrainingState state;

    void assertSame(Outcome other) {
      assertEquals(trainLosses, other.trainLosses);
      assertSameState(state, other.state);
    }
  }

  private static void assertSameState(TrainingState expected, TrainingState actual) {
    assertSameBits("weights", expected.parameters().values(), actual.parameters().values());
    assertSameBits("moments", expected.moments(), actual.moments());
    assertEquals(expected.steps(), actual.steps());
  }

  private static Outcome train(String implementation, Run run, int measuredBetween) {
    Outcome outcome = new Outcome();
    try (TrainingSession session = run.open(implementation)) {
      for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        outcome.trainLosses.add(session.trainEpoch(run.input(epoch)).trainLoss());
        for (int i = 0; i < measuredBetween; i++) {
          session.evaluate();
        }
      }
      outcome.state = session.state();
    }
    return outcome;
  }

  /**
   * What a training without measuring gives; it is done once for all tests that compare with it.
   */
  private static Outcome trained(String implementation, Run run) {
    return TRAINED.computeIfAbsent(
        implementation + " " + run, key -> train(implementation, run, 0));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void theSameTrainingTwiceGivesTheSameBits(String implementation, Run run) {
    trained(implementation, run).assertSame(train(implementation, run, 0));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void measuringBetweenEpochsChangesNoBit(String implementation, Run run) {
    trained(implementation, run).assertSame(train(implementation, run, 2));
  }

  @ParameterizedTest
  @MethodSource("runs")
  void evaluateChangesNothingAndRepeatsItself(String implementation, Run run) {
    try (TrainingSession session = run.open(implementation)) {
      session.trainEpoch(run.input(1));
      TrainingState before = session.state();
      Evaluation evaluation = session.evaluate();
      assertSameState(before, session.state());
      assertSameMeasure(evaluation, session.evaluate());
    }
  }

  @ParameterizedTest
  @MethodSource("allRuns")
  void goingOnFromAStateIsGoingOn(String implementation, Run run) {
    Outcome whole = trained(implementation, run);
    Outcome resumed = new Outcome();
    TrainingState halfway;
    try (TrainingSession session = run.open(implementation)) {
      resumed.trainLosses.add(session.trainEpoch(run.input(1)).trainLoss());
      resumed.trainLosses.add(session.trainEpoch(run.input(2)).trainLoss());
      halfway = session.state();
    }
    float[] weights = halfway.parameters().values().clone();
    float[] moments = halfway.moments().clone();
    try (TrainingSession session = run.open(implementation, halfway)) {
      assertSameState(halfway, session.state());
      resumed.trainLosses.add(session.trainEpoch(run.input(3)).trainLoss());
      resumed.trainLosses.add(session.trainEpoch(run.input(4)).trainLoss());
      resumed.state = session.state();
    }
    whole.assertSame(resumed);
    // A state is a copy: training from it does not change it.
    assertSameBits("weights of the state", weights, halfway.parameters().values());
    assertSameBits("moments of the state", moments, halfway.moments());
  }

  @ParameterizedTest
  @MethodSource("runs")
  void aPredictorMeasuresAsTheSessionDoes(String implementation, Run run) {
    try (TrainingSession session = run.open(implementation)) {
      session.trainEpoch(run.input(1));
      Evaluation evaluation = session.evaluate();
      Parameters model = session.state().parameters();
      try (Predictor predictor = Implementations.backend(implementation).openPredictor(model)) {
        float[] logits = predictor.logits(run.valid());
        assertSameMeasure(evaluation, predictor.evaluate(run.valid(), run.loss()));
        assertSameBits("logits once more", logits, predictor.logits(run.valid()));
        assertAgree(run, evaluation, logits);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("runs")
  void aSessionsLogitsAreThePredictorsBitForBit(String implementation, Run run) {
    Backend backend = Implementations.backend(implementation);
    try (TrainingSession session = run.open(implementation)) {
      for (int epoch = 1; epoch <= 2; epoch++) {
        session.trainEpoch(run.input(epoch));
        TrainingState before = session.state();
        float[] logits = session.logits();
        try (Predictor predictor = backend.openPredictor(before.parameters())) {
          assertSameBits("logits", predictor.logits(run.valid()), logits);
        }
        assertAgree(run, session.evaluate(), logits);
        assertSameBits("logits once more", logits, session.logits());
        assertSameState(before, session.state());
      }
    }
  }

  /** Weights that are put back give the logits and the measure that they gave. */
  @ParameterizedTest
  @MethodSource("runs")
  void otherWeightsTakeThePlaceOfThePresentOnes(String implementation, Run run) {
    try (TrainingSession session = run.open(implementation)) {
      session.trainEpoch(run.input(1));
      Parameters early = session.state().parameters();
      float[] logits = session.logits();
      Evaluation evaluation = session.evaluate();
      session.trainEpoch(run.input(2));
      TrainingState late = session.state();
      session.setParameters(early);
      assertSameBits("logits", logits, session.logits());
      assertSameMeasure(evaluation, session.evaluate());
      assertSameState(new TrainingState(early, late.moments(), late.steps()), session.state());

      session.setParameters(late.parameters());
      session.trainEpoch(run.input(3));
      session.trainEpoch(run.input(4));
      assertSameState(trained(implementation, run).state, session.state());
    }
  }

  /** The logits, put into the formulas, give the session's count, and its loss but for rounding. */
  private static void assertAgree(Run run, Evaluation evaluation, float[] logits) {
    int outputs = run.architecture().outputs();
    assertEquals(VALID * outputs, logits.length);
    int[] targets = run.valid().targets();
    double sum = 0;
    double largest = 0;
    int correct = 0;
    for (int i = 0; i < VALID; i++) {
      double[] z = Closeness.widened(Arrays.copyOfRange(logits, i * outputs, (i + 1) * outputs));
      sum += DoubleFormulas.loss(run.loss(), z, targets[i]);
      largest = Math.max(largest, DoubleFormulas.lossLargestTerm(run.loss(), z, targets[i]));
      correct += DoubleFormulas.isRight(z, targets[i]) ? 1 : 0;
    }
    assertEquals(correct, evaluation.correct());
    assertEquals(sum / VALID, evaluation.loss(), tolerance(4, outputs, largest));
  }

  private static void assertSameMeasure(Evaluation expected, Evaluation actual) {
    assertEquals(expected.loss(), actual.loss());
    assertEquals(expected.correct(), actual.correct());
    assertEquals(expected.count(), actual.count());
  }

  // What is refused, and the small cases.

  static Stream<String> implementations() {
    return Implementations.names().stream();
  }

  private static Run plainRun() {
    return new Run(2, "mlp:9", Loss.BCE, new Optimizer(Kind.SGD, 0.9f, 0), 32);
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void aWrongEpochIsRefusedAndChangesNothing(String implementation) {
    Run run = plainRun();
    EpochInput right = run.input(1);
    try (TrainingSession session = run.open(implementation)) {
      TrainingState before = session.state();
      int steps = right.learningRates().length;
      for (int rates : new int[] {0, steps - 1, steps + 1}) {
        assertRefused(session, new EpochInput(right.order(), new float[rates]), rates + " ");
      }
      for (int image : new int[] {-1, TRAIN, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
        int[] order = right.order().clone();
        order[TRAIN / 2] = image;
        assertRefused(session, new EpochInput(order, right.learningRates()), "image " + image);
      }
      for (int length : new int[] {0, TRAIN - 1, TRAIN + 1}) {
        int[] order = Arrays.copyOf(right.order(), length);
        assertRefused(session, new EpochInput(order, right.learningRates()), "" + length);
        int[] shifts = new int[length];
        assertRefused(
            session,
            new EpochInput(right.order(), right.learningRates(), shifts),
            length + " shifts");
      }
      assertSameState(before, session.state());
    }
  }

  private static void assertRefused(TrainingSession session, EpochInput input, String named) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> session.trainEpoch(input)).getMessage();
    assertTrue(message.contains(named), message);
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void imagesOfAnotherSizeAreRefused(String implementation) {
    Run run = plainRun();
    Backend backend = Implementations.backend(implementation);
    TrainingState start = TrainingState.initial(run.start(), run.optimizer());
    for (int width : new int[] {WIDTH - 1, WIDTH + 1}) {
      ImageSet other = SmallImages.create(5, TRAIN, HEIGHT, width, 2);
      List.<Runnable>of(
              () -> backend.open(run.plan(), other, run.valid(), start).close(),
              () -> backend.open(run.plan(), run.train(), other, start).close(),
              () -> evaluated(backend, run.start(), other))
          .forEach(
              opening -> {
                String message =
                    assertThrows(IllegalArgumentException.class, opening::run).getMessage();
                assertTrue(message.contains(HEIGHT * width + " pixels"), message);
              });
    }
  }

  private static void evaluated(Backend backend, Parameters model, ImageSet images) {
    try (Predictor predictor = backend.openPredictor(model)) {
      assertThrows(IllegalArgumentException.class, () -> predictor.evaluate(images, Loss.BCE));
      predictor.logits(images);
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void weightsOfAnotherModelAreRefusedAndChangeNothing(String implementation) {
    Run run = plainRun();
    Architecture other = new Architecture(HEIGHT * WIDTH, List.of(8), 1);
    try (TrainingSession session = run.open(implementation)) {
      TrainingState before = session.state();
      Parameters weights = SmallImages.weights(3, other, 1);
      String message =
          assertThrows(IllegalArgumentException.class, () -> session.setParameters(weights))
              .getMessage();
      assertTrue(message.contains(other.toString()), message);
      assertSameState(before, session.state());
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void oneImageIsEnoughToTrainAndToMeasure(String implementation) {
    Run run = plainRun();
    ImageSet one = SmallImages.create(6, 1, HEIGHT, WIDTH, 2);
    TrainingState start = TrainingState.initial(run.start(), run.optimizer());
    DoubleReplay replay = new DoubleReplay(run.plan(), run.start());
    EpochInput input = new EpochInput(new int[1], new float[] {0.1f});
    try (TrainingSession session =
        Implementations.backend(implementation).open(run.plan(), one, one, start)) {
      double trainLoss = replay.trainEpoch(one, input).trainLoss();
      assertEquals(trainLoss, session.trainEpoch(input).trainLoss(), RELATIVE * trainLoss);
      double validLoss = replay.evaluate(one).loss();
      assertEquals(validLoss, session.evaluate().loss(), RELATIVE * validLoss);
      assertEquals(1, session.evaluate().count());
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void closingTwiceIsHarmless(String implementation) {
    Run run = plainRun();
    TrainingSession session = run.open(implementation);
    session.trainEpoch(run.input(1));
    session.close();
    session.close();
    Predictor predictor = Implementations.backend(implementation).openPredictor(run.start());
    predictor.close();
    predictor.close();
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void aBackendIsUsableHereAndSaysWhatItIs(String implementation) {
    Backend backend = Implementations.backend(implementation);
    assertTrue(implementation.startsWith(backend.name()), backend.name());
    Availability availability = backend.probe();
    assertTrue(availability.usable(), availability.detail());
    assertTrue(!availability.detail().isBlank() && availability.remedy().isEmpty());
  }

  private static double largest(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().getAsDouble();
  }
}
