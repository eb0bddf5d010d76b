package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The committed PTX, run by {@code src/test/cuda-sim} at awkward sizes: every kernel against loops
 * in double, and proof that faults planted in its text are found, each by a sentence that names the
 * instruction.
 */
final class PtxFaultsTest {
  private static final Pattern FINDING =
      Pattern.compile(
          "kernel (\\w+), PTX line (\\d+), block \\(\\d+, \\d+, \\d+\\), warp \\d+, lane \\d+: (.*)");

  private record Run(int status, String output) {}

  @TempDir private Path folder;

  @BeforeEach
  void skipWhereNothingCanBeBuilt() {
    assumeTrue(SimulatedDevice.missing().isEmpty(), "skipped: " + SimulatedDevice.missing());
  }

  @Test
  void everyKernelAgreesWithLoopsInDouble() throws Exception {
    Run run = run(Kernels.ptx());
    assertEquals(0, run.status(), run.output());
    assertTrue(run.output().endsWith("elements agree"), run.output());
  }

  /**
   * @param occurrence of the text in the kernel, from 1
   * @param replacement of the text; empty takes the instruction away
   */
  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      emptyValue = "",
      value = {
        "wrong register | bias_activation | mul.wide.u32 %rd7, %r8, 4 | 1 | mul.wide.u32 %rd7, %r1, 4 "
            + "| ld.global.nc.f32 %f1, [%rd8]: reads 4 bytes past a device allocation",
        "missing barrier | gemm_32 | bar.sync 0; | 1 | '' "
            + "| ld.shared.v2.f32 {%f380, %f381}, [%r80]: reads what nothing has written",
        "missing barrier at the end of a loop | gemm_64 | bar.sync 0; | 2 | '' "
            + "| ld.shared.v2.f32 {%f572, %f573}, [%r741]: reads what warp 0 has written, with no barrier between",
        "off-by-one index | update_sgd | [%rd10], %f14 | 1 | [%rd10+4], %f14 "
            + "| st.global.f32 [%rd10+4], %f14: writes 4 bytes past a device allocation",
        "missing fence of those that write | gemm_32 | membar.gl; | 1 | '' "
            + "| ld.global.cg.v2.f32 {%f467,%f468}, [%rd176]: reads what block (0, 0, 0) has written"
            + ", with no fence and atomic between",
        "missing fence of the one that reads | loss | membar.gl; | 2 | '' "
            + "| ld.global.cg.f64 %fd41, [%rd39]: reads what block (0, 0, 0) has written"
            + ", with no fence and atomic between",
        "load through .nc of written memory | evaluate | ld.global.cg.f64 | 1 | ld.global.nc.f64 "
            + "| ld.global.nc.f64 %fd79, [%rd33]: loads through .nc what this launch writes",
        "uninitialised read | bias_gradient | st.shared.f32 | 1 | //  "
            + "| ld.shared.f32 %f20, [%r27+128]: reads what nothing has written",
        "wrong shared offset | evaluate | [%r179+2048] | 1 | [%r179+2056] "
            + "| st.shared.f64 [%r179+2056], %fd109: writes outside every shared variable",
        "missing bounds predicate | update_adam | @%p1 bra | 1 | //  "
            + "| ld.global.f32 %f28, [%rd2]: reads 4 bytes past a device allocation",
        "swapped branch | activation_gradient | @%p1 bra | 1 | @!%p1 bra "
            + "| ld.global.nc.f32 %f1, [%rd6]: reads 4 bytes past a device allocation",
        "wrong stride | gather | mul.wide.s32 %rd36, %r24, 4 | 1 | mul.wide.s32 %rd36, %r24, 8 "
            + "| ld.global.nc.u32 %r25, [%rd37]: reads 4 bytes past a device allocation",
        "barrier that one lane does not reach | loss | bar.sync 0; | 2 | @%p74 bar.sync 0; "
            + "| bar.sync 0: diverged barrier: this lane does not come here",
        "barrier that some warps do not reach | loss | bar.sync 0; | 2 | @!%p62 bar.sync 0; "
            + "| bar.sync 0: diverged barrier: others wait at line",
        "blocks that write the same element | loss | mov.u32 %r287, %ctaid.x | 1 | mov.u32 %r287, 0 "
            + "| st.global.f64 [%rd37], %fd59: writes what block (0, 0, 0) has written, with no fence",
        "misaligned address | gather | [%rd73], {%f18 | 1 | [%rd73+4], {%f18 "
            + "| st.global.v4.f32 [%rd73+4], {%f18, %f17, %f16, %f15}: an address that is no multiple of 16",
        "unwritten register | loss | setp.ne.s32 %p74 | 1 | setp.ne.s32 %p1, %r285, 0; setp.eq.s32 %p74 "
            + "| st.global.f64 [%rd37], %fd59: reads register %fd59, which nothing has written",
        "missing barrier before other pixels | exact_sweep | bar.sync 0; | 2 | '' "
            + "| ld.shared.u8 %rs41, [%r1067]: reads what warp 0 has written, with no barrier between",
        "missing barrier before the next step | exact_sweep | bar.sync 0; | 9 | '' "
            + "| ld.global.f32 %f52, [%rd446]: reads what warp 0 of the same block has written"
            + ", with no barrier between",
        "shuffle that lanes do not reach | evaluate | setp.gt.u32 %p97, %r301, 31 | 1 "
            + "| setp.gt.u32 %p97, %r301, 15 "
            + "| shfl.sync.down.b32 %r183",
      })
  void aPlantedFaultIsFound(
      String fault, String kernel, String text, int occurrence, String replacement, String expected)
      throws Exception {
    String planted = planted(kernel, text, occurrence, replacement);
    Run run = run(planted);
    assertEquals(1, run.status(), run.output());
    Matcher finding = FINDING.matcher(run.output());
    assertTrue(finding.matches(), run.output());
    assertEquals(kernel, finding.group(1));
    String found = finding.group(3);
    assertTrue(found.startsWith(expected), found);
    String line = planted.lines().toList().get(Integer.parseInt(finding.group(2)) - 1);
    String named = found.substring(0, found.indexOf(": "));
    assertTrue(spaced(line).contains(named + ";"), line);
  }

  /** The PTX with a fault; blanks between words are one each. */
  private static String planted(String kernel, String text, int occurrence, String replacement) {
    List<String> lines = Kernels.ptx().lines().map(PtxFaultsTest::spaced).toList();
    StringBuilder planted = new StringBuilder();
    boolean within = false;
    int seen = 0;
    for (String line : lines) {
      within = line.startsWith(".visible .entry") ? line.contains(" " + kernel + "(") : within;
      if (within && line.contains(text) && ++seen == occurrence) {
        line = line.replace(text, replacement);
      }
      planted.append(line).append('\n');
    }
    assertTrue(seen >= occurrence, "the PTX of " + kernel + " has no such " + text);
    return planted.toString();
  }

  private static String spaced(String line) {
    return line.strip().replaceAll("\\s+", " ");
  }

  private Run run(String ptx) throws IOException, InterruptedException {
    Path file = Files.writeString(folder.resolve("kernels.ptx"), ptx);
    Process process =
        new ProcessBuilder(
                SimulatedDevice.folder().resolve("kernel_check").toString(), file.toString())
            .redirectErrorStream(true)
            .start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertTrue(process.waitFor(1, TimeUnit.MINUTES), "it hangs");
    return new Run(process.exitValue(), output);
  }
}
