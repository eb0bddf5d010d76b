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
  private static final int LIMIT_SECONDS = 900;

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
    List<String> compile = new ArrayList<>(List.of(NATIVE.resolve("compile").toString()));
    compile.addAll(List.of(folder.toString(), "-O1", "-g", sanitize));
    if (!sanitizers.equals("thread")) {
      compile.add("-fno-sanitize-recover=all");
    }
    Result compiled = run(compile.toArray(String[]::new));
    assertEquals(0, compiled.code(), compiled.output());
    List<String> link = new ArrayList<>(List.of("g++", "-std=c++17", "-g", sanitize, "-pthread"));
    link.add(WRAP);
    link.add(NATIVE.resolveSibling("src/test/native/check.cpp").toString());
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

  private record Result(int code, String output) {}

  private Result run(String... command) throws InterruptedException, IOException {
    Path output = folder.resolve("output.txt");
    Process process;
    try {
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
      builder.environment().put("CXX", "g++");
      process = builder.start();
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
