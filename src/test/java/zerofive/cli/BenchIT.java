package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.backend.cuda.SimulatedDevice;

/** {@code bench} through the real launcher, with the simulated device where that can be had. */
class BenchIT {
  @TempDir Path folder;

  @Test
  void everyBackendOfThisMachineHasItsRow() {
    boolean gpu = SimulatedDevice.missing().isEmpty();
    Launcher.Result result =
        Launcher.run(
            gpu ? SimulatedDevice.variables("") : Map.of(),
            folder,
            "bench",
            "--model",
            "linear",
            "--threads",
            "2",
            "--rounds",
            "1",
            "--seconds",
            "0.05");
    assertEquals(0, result.code(), result.err());
    List<String> rows = result.outLines().stream().takeWhile(line -> !line.isEmpty()).toList();
    List<String> names = rows.stream().skip(1).map(row -> row.split("  ", -1)[0]).toList();
    assertEquals("reference", names.get(0), result.out());
    assertEquals(gpu, names.contains("cuda"), result.out());
    if (result.out().contains("without  cpu")) {
      assertEquals(gpu ? 2 : 1, names.size(), result.out());
    } else {
      assertEquals(List.of("cpu, 1 thread", "cpu, 2 threads"), names.subList(1, 3));
      assertTrue(
          rows.stream().skip(1).allMatch(row -> row.matches(".* % (compute|memory)")),
          result.out());
    }
    for (String label : List.of("machine  ", "peaks    ", "work     ", "share    ")) {
      assertEquals(
          1, result.out().lines().filter(line -> line.startsWith(label)).count(), result.out());
    }
    assertTrue(
        Stream.concat(result.out().lines(), result.err().lines())
            .allMatch(line -> line.length() <= 96),
        result.out() + result.err());
    assertTrue(result.err().contains("checked  after one epoch all have"), result.err());
    assertArrayEquals(new String[0], folder.toFile().list(), "a benchmark leaves no file");
  }
}
