package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Loading, each time in a process of its own: it happens once in a life. */
final class NativeLibraryTest {
  @TempDir Path folder;

  @BeforeEach
  void thereIsALibrary() {
    assumeTrue(CpuForTests.isUsable(), "skipped: this build has no native library");
  }

  /** Prints what the probe says. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) {
      CpuBackend backend = new CpuBackend(1);
      System.out.println(backend.probe());
    }
  }

  private Process start(Map<String, String> environment, String... options) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), Probe.class.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static String output(Process process) throws IOException {
    return new String(
        process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
  }

  private String probe(Map<String, String> environment, String... options) throws IOException {
    return output(start(environment, options));
  }

  @Test
  void severalProcessesAtOnceMakeOneFile() throws IOException {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      processes.add(start(Map.of()));
    }
    for (Process process : processes) {
      String said = output(process);
      assertTrue(said.contains("usable=true"), said);
    }
    try (var files = Files.list(folder.resolve("cache/zerofive"))) {
      assertEquals(1, files.count());
    }
  }

  @Test
  void aDamagedFileIsMadeAnew() throws IOException {
    assertTrue(probe(Map.of()).contains("usable=true"));
    Path file;
    try (var files = Files.list(folder.resolve("cache/zerofive"))) {
      file = files.findFirst().orElseThrow();
    }
    byte[] whole = Files.readAllBytes(file);
    byte[] damaged = whole.clone();
    damaged[whole.length / 2] ^= 1;
    Files.write(file, damaged);
    String said = probe(Map.of());
    assertTrue(said.contains("usable=true"), said);
    assertEquals(-1, java.util.Arrays.mismatch(whole, Files.readAllBytes(file)));
  }

  @Test
  void withoutACacheATemporaryFolderServesAndIsRemoved() throws IOException {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    Path file = Files.writeString(folder.resolve("file"), "");
    String said = probe(Map.of("XDG_CACHE_HOME", file.toString()), "-Djava.io.tmpdir=" + temporary);
    assertTrue(said.contains("usable=true"), said);
    try (var files = Files.list(temporary)) {
      assertFalse(files.anyMatch(left -> left.getFileName().toString().startsWith("zerofive")));
    }
  }

  @Test
  void withNoFolderAtAllItSaysWhatToDo() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    String said = probe(Map.of("XDG_CACHE_HOME", file.toString()), "-Djava.io.tmpdir=" + file);
    assertTrue(said.contains("usable=false"), said);
    assertTrue(said.contains("XDG_CACHE_HOME"), said);
  }

  @Test
  void anUnknownPlatformAndUnknownInstructionsAreTold() throws IOException {
    String platform = probe(Map.of(), "-Dos.arch=abacus");
    assertTrue(platform.contains("usable=false"), platform);
    assertTrue(platform.contains("-abacus") && platform.contains("g++"), platform);
    String instructions = probe(Map.of(), "-D" + NativeLibrary.MOST + "=AVX-1024");
    assertTrue(instructions.contains("AVX-1024"), instructions);
    String lowered = probe(Map.of(), "-D" + NativeLibrary.MOST + "=portable");
    assertTrue(lowered.contains("portable"), lowered);
  }
}
