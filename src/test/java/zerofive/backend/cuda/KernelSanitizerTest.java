package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The kernels' sources on the CPU under the compiler's sanitizers: every kernel at awkward sizes
 * against loops in double ({@code kernel_check.cpp}), and proof that planted faults are found.
 */
@Tag("slow")
final class KernelSanitizerTest {
  /** A sanitizer's report must end the program: TSan by itself goes on. */
  private static final String HALT = "halt_on_error=1";

  /** What a sanitizer's run-time library says on a kernel whose address space it cannot lay out. */
  private static final String NO_LAYOUT = "unexpected memory mapping";

  private record Run(int status, String output) {}

  @BeforeEach
  void skipWhereNothingCanBeBuilt() {
    assumeTrue(SimulatorBuild.missing().isEmpty(), "skipped: " + SimulatorBuild.missing());
  }

  @Test
  void kernelsHaveNoDataRaceUnderThreadSanitizer() throws Exception {
    assertPasses("thread");
  }

  @Test
  void kernelsStayInTheirBuffersUnderAddressSanitizer() throws Exception {
    assertPasses("address");
  }

  @Test
  void kernelsHaveNoUndefinedBehaviourUnderUbsan() throws Exception {
    assertPasses("undefined");
  }

  @Test
  void aMissingBarrierIsReported() throws Exception {
    assertReports("thread", "missing_barrier", "WARNING: ThreadSanitizer: data race");
  }

  @Test
  void aReadThatTheNextBarrierWouldHideIsReported() throws Exception {
    assertReports("thread", "late_read", "WARNING: ThreadSanitizer: data race");
  }

  @Test
  void blocksThatRaceAreReported() throws Exception {
    assertReports("thread", "racing_blocks", "WARNING: ThreadSanitizer: data race");
  }

  @Test
  void aWriteOutOfBoundsIsReported() throws Exception {
    assertReports("address", "out_of_bounds", "AddressSanitizer: heap-buffer-overflow");
  }

  @Test
  void aWriteOutOfASharedArrayIsReported() throws Exception {
    assertReports("address", "out_of_shared", "AddressSanitizer: global-buffer-overflow");
  }

  @Test
  void anOverflowIsReported() throws Exception {
    assertReports("undefined", "overflow", "signed integer overflow");
  }

  @Test
  void aBarrierThatSomeThreadsNeverReachEndsTheLaunch() throws Exception {
    Run run = run(planted("undefined", "divergence"));
    assertEquals(3, run.status(), run.output());
    assertTrue(
        run.output()
            .contains("barrier divergence, 128 of 256 threads returned, 128 wait in __syncthreads"),
        run.output());
  }

  @Test
  void shufflesAtomicsAndBarriersWork() throws Exception {
    for (String sanitizer : List.of("thread", "address")) {
      Run run = run(planted(sanitizer, "warp_sum"));
      assertEquals(0, run.status(), run.output());
    }
  }

  private static void assertPasses(String sanitizer) throws Exception {
    Run run =
        run(SimulatorBuild.checked(sanitizer, "kernel_check.cpp", SimulatorBuild.ALL_KERNELS));
    assertEquals(0, run.status(), run.output());
    assertTrue(run.output().endsWith("elements agree"), run.output());
  }

  private static void assertReports(String sanitizer, String kernel, String report)
      throws Exception {
    Run run = run(planted(sanitizer, kernel));
    assertTrue(run.output().contains(report), run.output());
  }

  private static Path planted(String sanitizer, String kernel) {
    return SimulatorBuild.checked(sanitizer, "planted_check.cpp", SimulatorBuild.planted(kernel));
  }

  /**
   * Some kernels lay out memory as older sanitizers do not expect; without randomisation they do.
   */
  private static Run run(Path program) throws IOException, InterruptedException {
    Run run = run(List.of(program.toString()));
    if (!run.output().contains(NO_LAYOUT)) {
      return run;
    }
    run = run(List.of("setarch", "-R", program.toString()));
    assumeTrue(
        run.status() == 0 || run.output().contains("Sanitizer: "),
        "skipped: this system's memory layout is too new for the compiler's sanitizer");
    return run;
  }

  private static Run run(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command)).redirectErrorStream(true);
    builder.environment().put("TSAN_OPTIONS", HALT);
    Process process = builder.start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertTrue(process.waitFor(1, TimeUnit.MINUTES), "it hangs");
    return new Run(process.exitValue(), output);
  }
}
