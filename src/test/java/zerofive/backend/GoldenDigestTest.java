package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
  /** What a simulated device trains in about a second; together they have nearly all there is. */
  private static final Set<String> QUICK = Set.of("linear-momentum-shifts", "mlp-momentum-batch-1");

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

  static Stream<GoldenSetting> quick() {
    return GoldenSetting.all().stream().filter(setting -> QUICK.contains(setting.name()));
  }

  static Stream<GoldenSetting> others() {
    return GoldenSetting.all().stream().filter(setting -> !QUICK.contains(setting.name()));
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
  void theExactEngineOfCudaHasThem(GoldenSetting setting) {
    assumeTrue(CudaUnderTest.missing().isEmpty(), "skipped: " + CudaUnderTest.missing());
    itsBitsAreTheGoldenOnes(setting, CudaUnderTest.backends().get(CudaUnderTest.EXACT));
  }

  @Tag("slow")
  @ParameterizedTest
  @MethodSource("others")
  void theExactEngineOfCudaHasTheOthersToo(GoldenSetting setting) {
    theExactEngineOfCudaHasThem(setting);
  }
}
