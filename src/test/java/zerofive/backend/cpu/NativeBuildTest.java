package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** native/build where the compiler is there and does not work. */
final class NativeBuildTest {
  @TempDir Path folder;

  private record Result(int code, String output) {}

  @BeforeEach
  void thereIsAShell() {
    assumeFalse(
        System.getProperty("os.name").startsWith("Windows"), "skipped: native/build needs a shell");
  }

  /** Builds with a compiler that is {@code script}; CI as given. */
  private Result build(String script, String ci) throws Exception {
    Path compiler = folder.resolve("c++");
    Files.writeString(compiler, "#!/bin/sh\n" + script + "\n");
    assertTrue(compiler.toFile().setExecutable(true));
    Path classes = Files.createDirectories(library().getParent().getParent());
    Files.createDirectories(library().getParent());
    Files.writeString(library(), "an older build's");
    Path compiled =
        Path.of(Native.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    Files.write(
        classes.resolve("Native.class"),
        Files.readAllBytes(compiled.resolve("zerofive/backend/cpu/Native.class")));
    ProcessBuilder builder =
        new ProcessBuilder(
                List.of(
                    Path.of("native/build").toAbsolutePath().toString(),
                    folder.resolve("classes").toString(),
                    System.getProperty("java.class.path"),
                    System.getProperty("java.home")))
            .redirectErrorStream(true);
    builder.environment().put("CXX", compiler.toString());
    builder.environment().put("CI", ci);
    builder.environment().put("CXXFLAGS", "-ffast-math");
    Process process = builder.start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    return new Result(process.waitFor(), output);
  }

  private Path library() {
    return folder
        .resolve("classes/zerofive/backend/cpu")
        .resolve(NativeLibrary.platform())
        .resolve(System.mapLibraryName("zerofive"));
  }

  private String sentence(String said) {
    return "zerofive: the C++ compiler "
        + folder.resolve("c++")
        + " does not work ("
        + said
        + "): built without native code, Java serves in its place";
  }

  @Test
  void aBrokenCompilerLeavesNativeCodeOut() throws Exception {
    assertEquals(new Result(0, sentence("it says nothing")), build("exit 1", ""));
    assertFalse(Files.exists(library()), "what an older build left");
  }

  @Test
  void aMissingHeaderLeavesNativeCodeOutAndFailsInCi() throws Exception {
    String trouble = "all.cpp:1: fatal error: stddef.h: No such file or directory";
    String script = "[ $1 = --version ] || { echo '" + trouble + "' >&2; exit 1; }";
    assertEquals(new Result(0, sentence(trouble)), build(script, ""));
    Result ci = build(script, "true");
    assertEquals(1, ci.code(), ci.output());
    assertTrue(ci.output().contains(trouble), ci.output());
  }

  /** Whatever the environment asks for: a fused multiply-add that is not written changes bits. */
  @Test
  void everyFileIsCompiledWithoutContraction() throws Exception {
    Path log = folder.resolve("log");
    String logAndTouch =
        "echo \"$*\" >>" + log + "; while [ $# -gt 0 ]; do [ $1 != -o ] || : >$2; shift; done";
    assertEquals(new Result(0, ""), build(logAndTouch, ""));
    List<String> commands = Files.readAllLines(log);
    for (String object : List.of("portable.o", "native.o", "team.o", "binding.o")) {
      assertTrue(commands.stream().anyMatch(line -> line.contains(object)), object);
    }
    for (String command : commands) {
      assertFalse(command.contains(" -ffast-math"), command);
      assertTrue(
          !command.contains(" -c ")
              || (command.contains(" -ffp-contract=off") && command.contains(" -fno-fast-math")),
          command);
    }
  }
}
