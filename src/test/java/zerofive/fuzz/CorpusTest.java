package zerofive.fuzz;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every input that is kept of a parser's fuzzing is read or refused in a sentence, within the
 * limits of time and memory: {@code seed-*} are read, {@code refused-*} are refused.
 */
class CorpusTest {
  private static final Path CORPUS = Path.of("src", "test", "resources", "zerofive", "fuzz");

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void everyInputIsReadOrRefused(FuzzTarget target) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(CORPUS.resolve(target.toString()))) {
      files = all.sorted().toList();
    }
    assertTrue(files.size() > 2, "too few inputs: " + files);
    Probe probe = new Probe(target, folder);
    for (Path file : files) {
      String name = file.getFileName().toString();
      try {
        byte[] input = Files.readAllBytes(file);
        assertTrue(target.isCheap(input), "is too large to be fuzzed");
        String refusal = probe.run(input);
        assertTrue(refusal.isEmpty() || !name.startsWith("seed-"), "is refused: " + refusal);
        assertTrue(!refusal.isEmpty() || !name.startsWith("refused-"), "is read");
      } catch (Exception | Error e) {
        throw new AssertionError(file + ": " + e, e);
      }
    }
  }
}
