package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.files.Sha256;

/**
 * The committed PTX: made from these sources, loadable by old drivers, assembled for every
 * architecture we name.
 */
final class PtxTest {
  private static final Path KERNELS = Path.of("kernels");

  /** What JCuda's PTX compiler, that of CUDA 12.6, is asked for. */
  private static final List<String> ARCHITECTURES =
      List.of("sm_75", "sm_80", "sm_86", "sm_89", "sm_90");

  private static final String COMPILER = "libJNvPTXCompiler-12.6.0-linux-x86_64.so";

  private static final Pattern ENTRY =
      Pattern.compile("^\\.visible \\.entry (\\w+)\\(.*?^\\}", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern SOURCE_ENTRY =
      Pattern.compile("__global__ __launch_bounds__\\(.*?\\) void (\\w+)\\(");

  /** An instruction that computes a float or a double from others. */
  private static final Pattern ARITHMETIC =
      Pattern.compile(
          "(?<=\\s)(?!ld|st|mov|cvt|setp|selp|shfl|neg|abs)[a-z]\\w*(?:\\.\\w+)*\\.f(?:32|64)\\b");

  private static final Pattern ROUNDED =
      Pattern.compile("(?:add|sub|mul|fma|div|sqrt)\\.rn\\.f(?:32|64)");
  private static final Pattern LABEL = Pattern.compile("(\\$\\w+):");
  private static final Pattern BRANCH = Pattern.compile("\\bbra(?:\\.uni)?\\s+(\\$\\w+)");
  private static final Pattern ASSEMBLED =
      Pattern.compile(
          "entry function '(\\w+)'.*?(\\d+) bytes spill stores, (\\d+) bytes spill loads.*?Used (\\d+) registers",
          Pattern.DOTALL);

  /** The text of each entry, by its name. */
  private static Map<String, String> entries() {
    Map<String, String> entries = new TreeMap<>();
    Matcher matcher = ENTRY.matcher(Kernels.ptx());
    while (matcher.find()) {
      entries.put(matcher.group(1), matcher.group());
    }
    return entries;
  }

  /** Everything that the PTX is made from, by name. */
  private static List<Path> sources() throws IOException {
    try (Stream<Path> all = Files.list(KERNELS)) {
      return all.filter(path -> path.toString().matches(".*\\.(cu|cuh|h)")).sorted().toList();
    }
  }

  @Test
  void everyKernelOfTheSourcesIsInTheModule() throws IOException {
    TreeSet<String> written = new TreeSet<>();
    for (Path source : sources()) {
      Matcher matcher = SOURCE_ENTRY.matcher(Files.readString(source));
      while (matcher.find()) {
        written.add(matcher.group(1));
      }
    }
    assertEquals(written, new TreeSet<>(Kernels.NAMES));
    assertEquals(written, entries().keySet());
  }

  /**
   * Who changes a source and not the PTX is told so here; {@code make -C kernels} is the remedy.
   */
  @Test
  void thePtxIsMadeFromTheseSources() throws IOException {
    ByteArrayOutputStream sources = new ByteArrayOutputStream();
    for (Path source : sources()) {
      sources.write(Files.readAllBytes(source));
    }
    String stamp = "// sources " + Sha256.of(sources.toByteArray());
    assertTrue(
        Kernels.ptx().lines().anyMatch(stamp::equals),
        "kernels/all.ptx is not made from the sources beside it as they are now; run make -C"
            + " kernels");
  }

  @Test
  void driversFrom525OnReadIt() {
    List<String> lines = Kernels.ptx().lines().toList();
    assertTrue(lines.contains(".version 8.0"));
    assertTrue(lines.contains(".target sm_75"));
  }

  /**
   * What a kernel waits for, told from its instructions: barriers that are passed at most once, and
   * those in loops. A product has two for each slice, and two for what its last block does; loss
   * and evaluate have one, and those two.
   */
  @Test
  void noKernelHasMoreBarriersThanItNeeds() {
    Map<String, String> expected = new TreeMap<>();
    Kernels.NAMES.forEach(name -> expected.put(name, "0, 0 in loops"));
    expected.put(Kernels.GEMM_32, "2, 2 in loops");
    expected.put(Kernels.GEMM_64, "2, 2 in loops");
    expected.put(Kernels.LOSS, "3, 0 in loops");
    expected.put(Kernels.EVALUATE, "3, 0 in loops");
    expected.put(Kernels.BIAS_GRADIENT, "1, 0 in loops");
    expected.put(Kernels.EXACT_FORWARD_BACKWARD, "0, 8 in loops");
    expected.put(Kernels.EXACT_UPDATE, "0, 6 in loops");
    expected.put(Kernels.EXACT_LINEAR_UPDATE, "0, 2 in loops");
    expected.put(Kernels.EXACT_SWEEP, "0, 9 in loops");
    expected.put(Kernels.EXACT_LINEAR_SWEEP, "0, 2 in loops");
    expected.put(Kernels.EXACT_SWEEP_MEASURE, "1, 0 in loops");
    expected.put(Kernels.EXACT_LINEAR_SWEEP_MEASURE, "1, 0 in loops");
    Map<String, String> found = new TreeMap<>();
    entries().forEach((name, text) -> found.put(name, barriers(text)));
    assertEquals(expected, found);
  }

  /**
   * Nothing that another assembler may fuse, flush to zero or approximate, and no maximum, which
   * turns NaN into a number.
   */
  @Test
  void everyFloatingPointInstructionIsCorrectlyRounded() {
    TreeMap<String, Integer> instructions = new TreeMap<>();
    Matcher matcher = ARITHMETIC.matcher(Kernels.ptx());
    while (matcher.find()) {
      instructions.merge(matcher.group(), 1, Integer::sum);
    }
    assertTrue(instructions.containsKey("fma.rn.f32"), instructions.toString());
    assertFalse(Kernels.ptx().contains(".ftz") || Kernels.ptx().contains(".approx"));
    instructions.keySet().removeIf(name -> ROUNDED.matcher(name).matches());
    assertEquals(Map.of(), instructions);
  }

  /** Two values a load, whose number is a half or a quarter of the multiply-adds'. */
  @Test
  void productsReadSharedMemoryByPairs() {
    Map.of(Kernels.GEMM_32, 2, Kernels.GEMM_64, 4)
        .forEach(
            (kernel, perLoad) -> {
              String text = entries().get(kernel);
              long multiplyAdds = count(text, "fma.rn.f32");
              assertTrue(multiplyAdds > 0, kernel);
              assertEquals(multiplyAdds, perLoad * count(text, "ld.shared.v2.f32"), kernel);
            });
  }

  private static long count(String text, String instruction) {
    return text.lines().filter(line -> line.contains(instruction)).count();
  }

  private static String barriers(String entry) {
    List<String> lines = entry.lines().toList();
    Map<String, Integer> labels = new HashMap<>();
    boolean[] repeated = new boolean[lines.size()];
    for (int i = 0; i < lines.size(); i++) {
      Matcher label = LABEL.matcher(lines.get(i));
      if (label.lookingAt()) {
        labels.put(label.group(1), i);
      }
      Matcher branch = BRANCH.matcher(lines.get(i));
      if (branch.find() && labels.containsKey(branch.group(1))) {
        Arrays.fill(repeated, labels.get(branch.group(1)), i, true);
      }
    }
    int once = 0;
    int inLoops = 0;
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).contains("bar.sync") || lines.get(i).contains("barrier.")) {
        once += repeated[i] ? 0 : 1;
        inLoops += repeated[i] ? 1 : 0;
      }
    }
    return once + ", " + inLoops + " in loops";
  }

  /**
   * NVIDIA's own assembler, as the driver has it; a spilled register would cost more than any
   * branch here.
   */
  @Tag("slow")
  @Test
  void everyArchitectureAssemblesItWithoutSpills(@TempDir Path folder) throws Exception {
    assumeTrue(
        Environment.here().isLinuxX86(), "skipped: JCuda's PTX compiler is for Linux x86-64 alone");
    loadCompiler(folder);
    List<String> table = new ArrayList<>();
    for (String architecture : ARCHITECTURES) {
      table.add(registers(architecture, assembled(architecture)));
    }
    System.out.println("registers a thread, no spills:\n" + String.join("\n", table));
  }

  /** A toolkit's assembler knows architectures that came after JCuda's compiler. */
  @Tag("slow")
  @Test
  void theAssemblerOfThisMachineDoesSoForNewerArchitectures(@TempDir Path folder) throws Exception {
    List<String> newer = newerArchitectures();
    assumeTrue(!newer.isEmpty(), "skipped: no ptxas on the PATH knows an architecture after sm_90");
    Path ptx = Files.writeString(folder.resolve("all.ptx"), Kernels.ptx());
    String cubin = folder.resolve("all.cubin").toString();
    List<String> table = new ArrayList<>();
    for (String architecture : newer) {
      String log = output("ptxas", "-v", "-arch=" + architecture, ptx.toString(), "-o", cubin);
      table.add(registers(architecture, log));
    }
    System.out.println("registers a thread, no spills:\n" + String.join("\n", table));
  }

  /** A line for the table; fails where a kernel is missing or spills. */
  private static String registers(String architecture, String log) {
    StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-6s", architecture));
    TreeSet<String> kernels = new TreeSet<>();
    Matcher matcher = ASSEMBLED.matcher(log);
    while (matcher.find()) {
      kernels.add(matcher.group(1));
      assertEquals("0", matcher.group(2), matcher.group(1) + " spills on " + architecture);
      assertEquals("0", matcher.group(3), matcher.group(1) + " spills on " + architecture);
      row.append("  ").append(matcher.group(1)).append(' ').append(matcher.group(4));
    }
    assertEquals(new TreeSet<>(Kernels.NAMES), kernels, architecture + ": " + log);
    return row.toString();
  }

  /** Those after sm_90 of the ptxas on the PATH; empty where there is none. */
  private static List<String> newerArchitectures() throws InterruptedException {
    try {
      return Pattern.compile("'(sm_\\d{3,})'")
          .matcher(output("ptxas", "--help"))
          .results()
          .map(found -> found.group(1))
          .distinct()
          .toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** What a program says; fails where it fails. */
  private static String output(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(2, TimeUnit.MINUTES), output);
    assertEquals(0, process.exitValue(), output);
    return output;
  }

  private static void loadCompiler(Path folder) throws Exception {
    try (InputStream in = PtxTest.class.getResourceAsStream("/lib/" + COMPILER)) {
      Files.copy(in, folder.resolve(COMPILER));
    }
    String before = System.getProperty("java.io.tmpdir");
    System.setProperty("java.io.tmpdir", folder.toString());
    try {
      Class.forName("jcuda.nvptxcompiler.JNvPTXCompiler");
    } finally {
      System.setProperty("java.io.tmpdir", before);
    }
  }

  /** The assembler's log; fails where it refuses. */
  private static String assembled(String architecture) {
    byte[] text = Kernels.ptx().getBytes(StandardCharsets.US_ASCII);
    nvPTXCompilerHandle compiler = new nvPTXCompilerHandle();
    assertEquals(
        nvPTXCompileResult.NVPTXCOMPILE_SUCCESS,
        JNvPTXCompiler.nvPTXCompilerCreate(compiler, text.length, text));
    try {
      int result =
          JNvPTXCompiler.nvPTXCompilerCompile(
              compiler, 2, new String[] {"--gpu-name=" + architecture, "--verbose"});
      long[] size = new long[1];
      JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(compiler, size);
      byte[] errors = new byte[(int) size[0] + 1];
      JNvPTXCompiler.nvPTXCompilerGetErrorLog(compiler, errors);
      assertEquals(
          nvPTXCompileResult.NVPTXCOMPILE_SUCCESS,
          result,
          architecture + ": " + new String(errors, StandardCharsets.UTF_8));
      JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, size);
      byte[] log = new byte[(int) size[0] + 1];
      JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, log);
      return new String(log, StandardCharsets.UTF_8);
    } finally {
      JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
    }
  }

  /** The same nvcc makes the same bytes; another one need not. */
  @Tag("slow")
  @Test
  void theNvccOfTheStampMakesTheSameBytes(@TempDir Path folder) throws Exception {
    Optional<String> release = nvccRelease();
    assumeTrue(release.isPresent(), "skipped: there is no nvcc on the PATH");
    String stamp = "// nvcc " + release.get();
    assumeTrue(
        Kernels.ptx().lines().anyMatch(stamp::equals),
        "skipped: the PTX is made by another nvcc than " + release.get());
    Files.copy(KERNELS.resolve("Makefile"), folder.resolve("Makefile"));
    for (Path source : sources()) {
      Files.copy(source, folder.resolve(source.getFileName()));
    }
    output("make", "-C", folder.toString());
    assertEquals(Kernels.ptx(), Files.readString(folder.resolve("all.ptx")));
  }

  private static Optional<String> nvccRelease() throws InterruptedException {
    try {
      Matcher release =
          Pattern.compile("release [^,]*, V(\\S+)").matcher(output("nvcc", "--version"));
      return release.find() ? Optional.of(release.group(1)) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
