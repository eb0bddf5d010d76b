package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.cpu.CpuForTests;
import zerofive.backend.cuda.CudaUnderTest;

/**
 * One arithmetic: every implementation, with one thread and with several, gives the bits whose
 * digests golden.csv has. Who changes a sum on purpose raises {@code "arithmetic"} and puts the new
 * digests there.
 */
public final class GoldenDigestTest {
  /** What a simulated device takes more than three seconds for. */
  private static final Set<String> LARGE =
      Set.of("wide-momentum-decay-batch-1000", "cnn-sgd", "cnn-strides-resumed");

  /** Simulated devices on which no bit may depend. */
  private static final List<String> DEVICES =
      List.of(
          "multiprocessors=1,schedule=lazy,order=descending",
          "multiprocessors=2,schedule=random:1,order=random",
          "multiprocessors=7,schedule=random:2,order=random");

  /** An implementation that promises these bits adds a line here. */
  public static List<Backend> backends(int threads) {
    List<Backend> backends = new ArrayList<>(CpuForTests.instructionSets(threads));
    backends.add(CpuForTests.java(threads));
    return backends;
  }

  static Stream<Arguments> trainings() {
    return Stream.of(1, 3)
        .flatMap(threads -> backends(threads).stream())
        .flatMap(
            backend -> GoldenSetting.all().stream().map(setting -> Arguments.of(setting, backend)));
  }

  /** Each setting but the largest on one of the devices; on a real GPU all of them. */
  static Stream<Arguments> quick() {
    return GoldenSetting.all().stream()
        .filter(setting -> CudaUnderTest.FAST || !LARGE.contains(setting.name()))
        .map(setting -> Arguments.of(setting, deviceOf(setting)));
  }

  /** The other settings and devices. */
  static Stream<Arguments> others() {
    return GoldenSetting.all().stream()
        .flatMap(
            setting ->
                DEVICES.stream()
                    .filter(
                        device ->
                            LARGE.contains(setting.name()) || !device.equals(deviceOf(setting)))
                    .map(device -> Arguments.of(setting, device)));
  }

  private static String deviceOf(GoldenSetting setting) {
    return DEVICES.get(GoldenSetting.all().indexOf(setting) % DEVICES.size());
  }

  @AfterEach
  void takeTheBestInstructionsAgain() {
    CpuForTests.takeBestInstructions();
  }

  @ParameterizedTest(name = "{0}, {1}")
  @MethodSource("trainings")
  void itsBitsAreTheGoldenOnes(GoldenSetting setting, Backend backend) {
    assertEquals(
        setting.sha256(),
        setting.digest(backend),
        () -> "setting " + setting + " in golden.csv, computed by " + backend.name());
  }

  @ParameterizedTest
  @MethodSource("quick")
  void theExactEngineOfCudaHasThem(GoldenSetting setting, String device) {
    assumeTrue(CudaUnderTest.missing().isEmpty(), "skipped: " + CudaUnderTest.missing());
    try {
      CudaUnderTest.configure(device);
      itsBitsAreTheGoldenOnes(setting, CudaUnderTest.backends().get(CudaUnderTest.EXACT));
    } finally {
      CudaUnderTest.configure("multiprocessors=4,schedule=eager,order=ascending");
    }
  }

  @Tag("slow")
  @ParameterizedTest
  @MethodSource("others")
  void theExactEngineOfCudaHasThemOnEveryDevice(GoldenSetting setting, String device) {
    assumeFalse(CudaUnderTest.REAL, "skipped: a real GPU is one device");
    theExactEngineOfCudaHasThem(setting, device);
  }
}
