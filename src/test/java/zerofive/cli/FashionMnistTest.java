package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A second real data set: Fashion-MNIST, as Debian's package dataset-fashion-mnist installs it. */
class FashionMnistTest {
  private static final Path DATA = Path.of("/usr/share/datasets/fashion-mnist");

  @TempDir Path folder;

  @Test
  void trousersAreToldFromTShirts() throws IOException {
    assumeTrue(
        Files.isDirectory(DATA),
        "skipped: install Debian's package dataset-fashion-mnist to test on a second data set");
    Path run = folder.resolve("run");
    Launcher.Result result =
        InProcess.run(
            "train",
            "--data",
            DATA.toString(),
            "--classes",
            "1,0",
            "--epochs",
            "3",
            "--out",
            run.toString());
    assertEquals(0, result.code(), result.err());
    assertTrue(result.err().contains("12,000 training and 2,000 validation images"), result.err());
    List<String> rows = Files.readAllLines(run.resolve("metrics.csv"));
    int errors = Integer.parseInt(rows.get(3).split(",", -1)[4]);
    assertTrue(errors < 60, errors + " errors of 2,000");
  }
}
