package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The native library's own test program (src/test/native/check.cpp) under the compiler's
 * sanitizers: no byte outside, no undefined behaviour, no race between threads.
 */
@Tag("slow")
final class SanitizersTest {
  private static final Path NATIVE = Path.of("native").toAbsolutePath();
  private static final int LIMIT_SECONDS = 300;

  /** Has the test program's own function in the place of calloc. */
  private static final String WRAP = "-Wl,--wrap=calloc";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"address,undefined", "thread"})
  void theTestProgramIsClean(String sanitizers) throws Exception {
    String sanitize = "-fsanitize=" + sanitizers;
    Path empty = Files.writeString(folder.resolve("empty.cpp"), "int main() { return 0; }");
    String program = folder.resolve("empty").toString();
    assumeTrue(
        run("g++", sanitize, WRAP, "-o", program, empty.toString()).code() == 0
            && run(program).code() == 0,
        "skipped: there is no g++ here with its sanitizer libraries for " + sanitizers);
    List<Integer> codes = new ArrayList<>();
    if (System.getProperty("os.arch").equals("amd64")) {
      codes.add(compile(sanitize, "avx2", "-mavx2", "-mfma"));
      codes.add(
          compile(
              sanitize, "avx512", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"));
    }
    codes.add(compile(sanitize, "portable"));
    assertEquals(0, codes.stream().mapToInt(Integer::intValue).max().getAsInt());
    List<String> link = new ArrayList<>(List.of("g++", "-std=c++17", "-g", sanitize, "-pthread"));
    link.add(WRAP);
    link.add(NATIVE.resolveSibling("src/test/native/check.cpp").toString());
    link.add(NATIVE.resolve("native.cpp").toString());
    link.add(NATIVE.resolve("team.cpp").toString());
    try (var objects = Files.newDirectoryStream(folder, "*.o")) {
      objects.forEach(object -> link.add(object.toString()));
    }
    String check = folder.resolve("check").toString();
    link.addAll(List.of("-o", check));
    Result linked = run(link.toArray(String[]::new));
    assertEquals(0, linked.code(), linked.output());
    Result result = run(check);
    assertEquals(0, result.code(), result.output());
    assertTrue(result.output().endsWith("0 failures\n"), result.output());
  }

  private int compile(String sanitize, String set, String... flags) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of("g++", "-std=c++17", "-O1", "-g", "-Wno-psabi", sanitize, "-ffp-contract=off"));
    command.addAll(List.of("-fno-math-errno", "-fno-trapping-math"));
    if (!sanitize.endsWith("thread")) {
      command.add("-fno-sanitize-recover=all");
    }
    command.addAll(List.of(flags));
    command.addAll(List.of("-DINSTRUCTION_SET=" + set, "-c", "-o"));
    command.add(folder.resolve(set + ".o").toString());
    command.add(NATIVE.resolve("all.cpp").toString());
    return run(command.toArray(String[]::new)).code();
  }

  private record Result(int code, String output) {}

  private Result run(String... command) throws InterruptedException, IOException {
    Path output = folder.resolve("output.txt");
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
    } catch (IOException e) {
      return new Result(-1, e.getMessage());
    }
    if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
      process.destroyForcibly();
      return new Result(-1, String.join(" ", command) + " takes too long");
    }
    return new Result(process.exitValue(), Files.readString(output));
  }
}
