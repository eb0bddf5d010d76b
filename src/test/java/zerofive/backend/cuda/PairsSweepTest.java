package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.EARLY_STOP;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.LEARNING_RATE;
import static zerofive.train.Settings.MODEL;
import static zerofive.train.Settings.SEED;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.Backend;
import zerofive.backend.JniCheck;
import zerofive.backend.cpu.CpuBackend;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ImageSet;
import zerofive.data.remote.DataSetRegistry;
import zerofive.study.Pair;
import zerofive.study.PairResult;
import zerofive.study.PairsTrainer;
import zerofive.train.Recipe;
import zerofive.train.StopSignal;

/** Pairs of digits, side by side on the simulated device: each has what the CPU comes to. */
@Tag("jni")
@ExtendWith({FreshDevice.class, JniCheck.class})
final class PairsSweepTest {
  private static final Recipe DEFAULTS =
      Recipe.DEFAULTS.with(CLASSES, new ClassFilter(List.of("0", "1"))).with(EPOCHS, 1);

  private static final DataSet MNIST = DataSets.load(DataSetRegistry.MNIST, ClassFilter.ALL);

  /** The first images of each digit. */
  private static DataSet digits(int train, int valid) {
    return new DataSet(
        "first digits",
        MNIST.classes(),
        first(MNIST.train(), train),
        first(MNIST.valid(), valid),
        Collections.unmodifiableSortedMap(new TreeMap<>()));
  }

  private static ImageSet first(ImageSet images, int each) {
    int[] seen = new int[10];
    int[] chosen =
        IntStream.range(0, images.count())
            .filter(image -> seen[images.targets()[image]]++ < each)
            .toArray();
    int size = images.imageSize();
    byte[] pixels = new byte[chosen.length * size];
    for (int i = 0; i < chosen.length; i++) {
      System.arraycopy(images.pixels(), chosen[i] * size, pixels, i * size, size);
    }
    int[] targets = Arrays.stream(chosen).map(image -> images.targets()[image]).toArray();
    return new ImageSet(pixels, targets, images.height(), images.width());
  }

  /** The results by pair, without what a clock said. */
  private static List<PairResult> trained(
      Recipe recipe, DataSet data, List<Pair> pairs, Backend... backends) {
    List<PairResult> results = new ArrayList<>();
    try (StopSignal stop = StopSignal.install(() -> {}, () -> {})) {
      List<String> diverged =
          new PairsTrainer(recipe, data, Optional.empty(), List.of(backends), 2, stop)
              .train(pairs, results::add);
      assertEquals(List.of(), diverged);
    }
    return results.stream()
        .sorted(Comparator.comparing(result -> result.pair().toString()))
        .map(PairsSweepTest::untimed)
        .toList();
  }

  private static PairResult untimed(PairResult result) {
    return new PairResult(
        result.pair(),
        result.errors(),
        result.images(),
        result.trainLoss(),
        result.validLoss(),
        0,
        result.modelSha256());
  }

  private static CudaBackend gpu(int number) {
    return CudaUnderTest.backend(
        new CudaOptions(
            number, Optional.empty(), Precision.FP32, CudaOptions.Engine.EXACT, SessionKind.GRAPH));
  }

  private static void assertNothingLeft() {
    assertEquals(List.of(), SimulatedDevice.liveObjects());
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  private static final List<Pair> FOUR =
      List.of(
          new Pair("0", "5", 1),
          new Pair("0", "5", 2),
          new Pair("4", "9", 1),
          new Pair("7", "2", 3));

  /** One multiprocessor trains two at a time, so these are two waves. */
  @ParameterizedTest
  @CsvSource({"mlp:30, 1", "mlp:30, 2", "linear, 1", "linear, 7"})
  void fourPairsAreThoseOfTheCpu(String model, int multiprocessors) {
    DataSet data = digits(64, 32);
    Recipe recipe = DEFAULTS.with(MODEL, model);
    SimulatedDevice.configure("multiprocessors=" + multiprocessors);
    try (CudaBackend gpu = gpu(0)) {
      assertEquals(
          trained(recipe, data, FOUR, new CpuBackend(1)), trained(recipe, data, FOUR, gpu));
    }
    assertNothingLeft();
  }

  /** Each GPU has two of four, although either would hold all. */
  @Test
  void severalGpusShareTheTrainings() {
    DataSet data = digits(64, 32);
    SimulatedDevice.configure("devices=2,multiprocessors=2");
    long before = SimulatedDevice.calls("cuLaunchKernel");
    try (CudaBackend first = gpu(0);
        CudaBackend second = gpu(1)) {
      assertEquals(
          trained(DEFAULTS, data, FOUR, new CpuBackend(1)),
          trained(DEFAULTS, data, FOUR, first, second));
    }
    assertEquals(4, SimulatedDevice.calls("cuLaunchKernel") - before);
    assertNothingLeft();
  }

  /** Trainings end at different epochs, and keep the weights of an earlier one. */
  @Test
  void eachStopsEarlyByItself() {
    DataSet data = digits(32, 16);
    Recipe recipe = DEFAULTS.with(EPOCHS, 8).with(EARLY_STOP, 1).with(MODEL, "linear");
    try (CudaBackend gpu = gpu(0)) {
      assertEquals(
          trained(recipe, data, FOUR, new CpuBackend(1)), trained(recipe, data, FOUR, gpu));
    }
  }

  /** One that diverges is told by the sentence of the CPU, and the others go on. */
  @Test
  void oneThatDivergesStopsNoOther() {
    DataSet digits = digits(16, 8);
    // White images of two classes make an infinite loss at an absurd rate.
    byte[] pixels = digits.train().pixels().clone();
    int size = digits.train().imageSize();
    for (int image = 0; image < digits.train().count(); image++) {
      if (digits.train().targets()[image] <= 1) {
        Arrays.fill(pixels, image * size, (image + 1) * size, (byte) 255);
      }
    }
    ImageSet white = new ImageSet(pixels, digits.train().targets(), 28, 28);
    DataSet data =
        new DataSet(digits.name(), digits.classes(), white, digits.valid(), digits.sha256());
    Recipe recipe = DEFAULTS.with(MODEL, "linear").with(EPOCHS, 2).with(LEARNING_RATE, 3e38f);
    List<Pair> pairs = List.of(new Pair("0", "1", 1), new Pair("4", "9", 1));
    List<List<String>> told = new ArrayList<>();
    List<Integer> done = new ArrayList<>();
    try (CudaBackend gpu = gpu(0);
        StopSignal stop = StopSignal.install(() -> {}, () -> {})) {
      for (Backend backend : List.of(new CpuBackend(1), gpu)) {
        List<PairResult> results = new ArrayList<>();
        told.add(
            new PairsTrainer(recipe, data, Optional.empty(), List.of(backend), 1, stop)
                .train(pairs, results::add));
        done.add(results.size());
      }
    }
    assertTrue(told.get(0).get(0).contains("pair 0,1 with seed 1: training diverged"));
    assertEquals(told.get(0), told.get(1));
    assertEquals(done.get(0), done.get(1));
  }

  /** A stop that is requested ends them between two epochs. */
  @Test
  void aStopLeavesThemUndone() {
    DataSet data = digits(16, 8);
    Recipe recipe = DEFAULTS.with(EPOCHS, 1000);
    try (CudaBackend gpu = gpu(0);
        StopSignal stop = StopSignal.install(() -> {}, () -> {})) {
      Thread request =
          new Thread(
              () -> {
                while (SimulatedDevice.calls("cuLaunchKernel") < 4) {
                  Thread.onSpinWait();
                }
                stop.request();
              });
      request.start();
      List<PairResult> results = new ArrayList<>();
      new PairsTrainer(recipe, data, Optional.empty(), List.of(gpu), 1, stop)
          .train(FOUR, results::add);
      assertEquals(List.of(), results);
      assertTrue(SimulatedDevice.calls("cuLaunchKernel") < 1000);
    }
    assertNothingLeft();
  }

  /** All pairs of digits, on the first 512 images of each. */
  @Tag("slow")
  @Test
  void ninetyTrainingsAreThoseOfTheCpu() {
    DataSet data = digits(512, 64);
    List<Pair> pairs = new ArrayList<>();
    LongStream.of(42, 43)
        .forEach(
            seed ->
                IntStream.range(0, 100)
                    .filter(i -> i / 10 < i % 10)
                    .mapToObj(i -> new Pair(String.valueOf(i / 10), String.valueOf(i % 10), seed))
                    .forEach(pairs::add));
    SimulatedDevice.configure("multiprocessors=16");
    Recipe recipe = DEFAULTS.with(SEED, 42L);
    try (CudaBackend gpu = gpu(0)) {
      List<PairResult> results = trained(recipe, data, pairs, gpu);
      assertEquals(90, results.size());
      assertEquals(trained(recipe, data, pairs, new CpuBackend(1)), results);
    }
    assertNothingLeft();
  }
}
