package zerofive;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The tree of sources, and its files that are not Java: shellcheck and clang-format accept them.
 */
final class LintTest {
  /** Another version formats some lines otherwise. */
  private static final String CLANG_FORMAT = "clang-format version 14.";

  private record Result(int code, String output) {}

  @Test
  void shellcheckAcceptsEveryShellScript() throws Exception {
    assumeTrue(output("shellcheck", "--version").code() == 0, "skipped: there is no shellcheck");
    assertAccepted(
        List.of("shellcheck"),
        files(LintTest::isShell, "zerofive", "scripts", "docker", ".ci", "native"),
        7);
  }

  @Test
  void clangFormatChangesNothing() throws Exception {
    assumeTrue(
        output("clang-format", "--version").output().contains(CLANG_FORMAT),
        "skipped: there is no " + CLANG_FORMAT + "x; Debian 12 has it");
    assertAccepted(
        List.of("clang-format", "--dry-run", "-Werror"),
        files(
            file -> file.toString().matches(".*\\.(?:cpp|h|cu|cuh)"),
            "native",
            "kernels",
            "src/test/native",
            "src/test/cuda-sim",
            "src/bench/native"),
        40);
  }

  /** Formatters keep this width for code alone, and in Java for comments too. */
  @Test
  void noLineOfDocumentsAndNativeSourcesHasMoreThan120Columns() throws IOException {
    List<String> files =
        files(
            file -> file.toString().matches(".*\\.(?:md|cpp|h|cu|cuh)"),
            "README.md",
            "CONTRIBUTING.md",
            "docs",
            "native",
            "kernels",
            "src/test/native",
            "src/test/cuda-sim");
    assertTrue(files.size() > 60, "found only " + files);
    List<String> tooLong = new ArrayList<>();
    for (String file : files) {
      List<String> lines = Files.readAllLines(Path.of(file));
      for (int i = 0; i < lines.size(); i++) {
        if (lines.get(i).length() > 120) {
          tooLong.add(file + ":" + (i + 1));
        }
      }
    }
    assertEquals(List.of(), tooLong);
  }

  /** Enough for one look; backend/cuda and cli/command, alike file by file, may hold more. */
  @Test
  void noFolderHoldsMoreThanFifteenSources() throws IOException {
    Map<Path, Long> sizes;
    try (Stream<Path> all = Files.walk(Path.of("src/main/java"))) {
      sizes =
          all.filter(file -> file.toString().endsWith(".java"))
              .collect(Collectors.groupingBy(Path::getParent, TreeMap::new, Collectors.counting()));
    }
    assertTrue(sizes.size() > 20, sizes.toString());
    sizes.keySet().removeIf(folder -> folder.endsWith("cuda") || folder.endsWith("command"));
    sizes.values().removeIf(size -> size <= 15);
    assertEquals(Map.of(), sizes);
  }

  /** Fails where a file is refused, or where fewer than {@code expected} are found at all. */
  private static void assertAccepted(List<String> linter, List<String> files, int expected)
      throws Exception {
    assertTrue(files.size() >= expected, "found only " + files);
    List<String> command = new ArrayList<>(linter);
    command.addAll(files);
    Result result = output(command.toArray(String[]::new));
    assertEquals(0, result.code(), result.output());
  }

  private static List<String> files(Predicate<Path> accepted, String... roots) throws IOException {
    List<String> files = new ArrayList<>();
    for (String root : roots) {
      try (Stream<Path> all = Files.walk(Path.of(root))) {
        all.filter(Files::isRegularFile).filter(accepted).map(Path::toString).forEach(files::add);
      }
    }
    return files;
  }

  private static boolean isShell(Path file) {
    try (Stream<String> lines = Files.lines(file, StandardCharsets.ISO_8859_1)) {
      return lines.findFirst().filter(first -> first.matches("#!.*\\b(?:ba)?sh")).isPresent();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What a program prints, and its exit code; 127 where it is not installed. */
  private static Result output(String... command) throws InterruptedException, IOException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      return new Result(127, e.getMessage());
    }
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }
}
