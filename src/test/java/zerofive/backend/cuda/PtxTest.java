package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.data.Sha256;

/**
 * The committed PTX: made from these sources, loadable by old drivers, assembled for every
 * architecture we name.
 */
final class PtxTest {
  private static final Path KERNELS = Path.of("kernels");
  private static final List<String> HEADERS = List.of("element_math.h", "launch.cuh");
  private static final List<String> ARCHITECTURES =
      List.of("sm_75", "sm_80", "sm_86", "sm_89", "sm_90");
  private static final String COMPILER = "libJNvPTXCompiler-12.6.0-linux-x86_64.so";

  private static final Pattern ENTRY = Pattern.compile("\\.visible \\.entry (\\w+)\\(");
  private static final Pattern ASSEMBLED =
      Pattern.compile(
          "entry function '(\\w+)'.*?(\\d+) bytes spill stores, (\\d+) bytes spill loads.*?Used (\\d+) registers",
          Pattern.DOTALL);

  static Stream<String> files() {
    return Kernels.FILES.keySet().stream();
  }

  private static String ptx(String file) {
    return Kernels.ptx(file);
  }

  @Test
  void everySourceHasItsPtxAndEveryKernelItsName() throws IOException {
    TreeSet<String> sources = new TreeSet<>();
    try (Stream<Path> all = Files.list(KERNELS)) {
      all.map(path -> path.getFileName().toString())
          .filter(name -> name.endsWith(".cu"))
          .forEach(name -> sources.add(name.substring(0, name.length() - 3)));
    }
    assertEquals(new TreeSet<>(Kernels.FILES.keySet()), sources);
    for (String file : sources) {
      TreeSet<String> entries = new TreeSet<>();
      Matcher matcher = ENTRY.matcher(ptx(file));
      while (matcher.find()) {
        entries.add(matcher.group(1));
      }
      assertEquals(new TreeSet<>(Kernels.FILES.get(file)), entries, file);
    }
  }

  /**
   * Who changes a source and not its PTX is told so here; {@code make -C kernels} is the remedy.
   */
  @ParameterizedTest
  @MethodSource("files")
  void thePtxIsMadeFromTheseSources(String file) throws IOException {
    ByteArrayOutputStream sources = new ByteArrayOutputStream();
    sources.write(Files.readAllBytes(KERNELS.resolve(file + ".cu")));
    for (String header : HEADERS) {
      sources.write(Files.readAllBytes(KERNELS.resolve(header)));
    }
    String stamp = "// sources " + Sha256.of(sources.toByteArray());
    assertTrue(
        ptx(file).lines().anyMatch(stamp::equals),
        file + ".ptx is not made from kernels/" + file + ".cu as it is now; run make -C kernels");
  }

  @ParameterizedTest
  @MethodSource("files")
  void driversFrom525OnReadIt(String file) {
    List<String> lines = ptx(file).lines().toList();
    assertTrue(lines.contains(".version 8.0"), file);
    assertTrue(lines.contains(".target sm_75"), file);
  }

  /**
   * NVIDIA's own assembler, as the driver has it; a spilled register would cost more than any
   * branch here.
   */
  @Test
  void everyArchitectureAssemblesItWithoutSpills(@TempDir Path folder) throws Exception {
    assumeTrue(
        Environment.here().isLinuxX86(), "skipped: JCuda's PTX compiler is for Linux x86-64 alone");
    loadCompiler(folder);
    List<String> table = new ArrayList<>();
    for (String architecture : ARCHITECTURES) {
      StringBuilder row = new StringBuilder(String.format(Locale.ROOT, "%-6s", architecture));
      int kernels = 0;
      for (String file : Kernels.FILES.keySet()) {
        Matcher matcher = ASSEMBLED.matcher(assembled(file, architecture));
        while (matcher.find()) {
          kernels++;
          assertEquals("0", matcher.group(2), matcher.group(1) + " spills on " + architecture);
          assertEquals("0", matcher.group(3), matcher.group(1) + " spills on " + architecture);
          row.append("  ").append(matcher.group(1)).append(' ').append(matcher.group(4));
        }
      }
      assertEquals(
          Kernels.FILES.values().stream().mapToInt(List::size).sum(), kernels, architecture);
      table.add(row.toString());
    }
    System.out.println("registers a thread, no spills:\n" + String.join("\n", table));
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
  private static String assembled(String file, String architecture) {
    byte[] text = ptx(file).getBytes(StandardCharsets.US_ASCII);
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
          file + " on " + architecture + ": " + new String(errors, StandardCharsets.UTF_8));
      JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(compiler, size);
      byte[] log = new byte[(int) size[0] + 1];
      JNvPTXCompiler.nvPTXCompilerGetInfoLog(compiler, log);
      return new String(log, StandardCharsets.UTF_8);
    } finally {
      JNvPTXCompiler.nvPTXCompilerDestroy(compiler);
    }
  }

  /** The same nvcc makes the same bytes; another one need not. */
  @Test
  void theNvccOfTheStampMakesTheSameBytes(@TempDir Path folder) throws Exception {
    Optional<String> release = nvccRelease();
    assumeTrue(release.isPresent(), "skipped: there is no nvcc on the PATH");
    String stamp = "// nvcc " + release.get();
    assumeTrue(
        ptx("gather").lines().anyMatch(stamp::equals),
        "skipped: the PTX is made by another nvcc than " + release.get());
    Files.copy(KERNELS.resolve("Makefile"), folder.resolve("Makefile"));
    for (String header : HEADERS) {
      Files.copy(KERNELS.resolve(header), folder.resolve(header));
    }
    for (String file : Kernels.FILES.keySet()) {
      Files.copy(KERNELS.resolve(file + ".cu"), folder.resolve(file + ".cu"));
    }
    Process make =
        new ProcessBuilder("make", "-j2", "-C", folder.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(make.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(make.waitFor(2, TimeUnit.MINUTES), output);
    assertEquals(0, make.exitValue(), output);
    for (String file : Kernels.FILES.keySet()) {
      assertEquals(ptx(file), Files.readString(folder.resolve("ptx").resolve(file + ".ptx")), file);
    }
  }

  private static Optional<String> nvccRelease() {
    try {
      Process nvcc = new ProcessBuilder("nvcc", "--version").redirectErrorStream(true).start();
      String output = new String(nvcc.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      nvcc.waitFor();
      Matcher release = Pattern.compile("release [^,]*, V(\\S+)").matcher(output);
      return release.find() ? Optional.of(release.group(1)) : Optional.empty();
    } catch (IOException | InterruptedException e) {
      return Optional.empty();
    }
  }
}
