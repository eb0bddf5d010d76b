package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.cpu.CpuForTests;

/**
 * One arithmetic: every implementation, with one thread and with several, gives the bits whose
 * digests golden.csv has. Who changes a sum on purpose raises {@code "arithmetic"} and puts the new
 * digests there.
 */
public final class GoldenDigestTest {
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
}
