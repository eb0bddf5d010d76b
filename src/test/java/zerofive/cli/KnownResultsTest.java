package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The results this project began with, on real MNIST: the notebook's tables (github
 * AbeRodz/Cyberlabs-MNIST-Challenge, epochs counted from 0 there), and the defaults' own promise.
 */
class KnownResultsTest {
  @TempDir Path folder;

  /** Validation loss and errors of one epoch. */
  private record Row(double validLoss, int errors) {}

  /** Trains by the command line and returns the rows of metrics.csv, epoch 1 first. */
  private List<Row> train(String... options) throws IOException {
    Path run = folder.resolve("run" + Arrays.hashCode(options));
    Launcher.Result result =
        InProcess.run(
            Stream.concat(Stream.of("train", "--out", run.toString()), Stream.of(options))
                .toArray(String[]::new));
    assertEquals(0, result.code(), result.err());
    return Files.readAllLines(run.resolve("metrics.csv")).stream()
        .skip(1)
        .map(line -> line.split(",", -1))
        .map(fields -> new Row(Double.parseDouble(fields[2]), Integer.parseInt(fields[4])))
        .toList();
  }

  private static void assertNear(double published, double tolerance, List<Row> rows, int epoch) {
    assertEquals(published, rows.get(epoch - 1).validLoss(), tolerance, "epoch " + epoch);
  }

  private static void assertErrors(int least, int most, List<Row> rows) {
    int errors = rows.get(rows.size() - 1).errors();
    assertTrue(errors >= least && errors <= most, errors + " errors");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2", "3", "4", "5"})
  void theNotebooksNet(String seed) throws IOException {
    List<Row> rows = train("--preset", "notebook", "--model", "mlp:30", "--seed", seed);
    assertEquals(40, rows.size());
    assertErrors(19, 23, rows);
    assertNear(0.043186, 0.01, rows, 11);
    assertNear(0.022421, 0.001, rows, 21);
    assertNear(0.017073, 0.001, rows, 31);
    assertNear(0.014815, 0.001, rows, 40);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "2", "3", "4", "5"})
  void theNotebooksLinearModel(String seed) throws IOException {
    List<Row> rows = train("--preset", "notebook", "--model", "linear", "--seed", seed);
    assertErrors(27, 31, rows);
    assertNear(0.054124, 0.01, rows, 11);
    assertNear(0.032799, 0.001, rows, 21);
    assertNear(0.026422, 0.001, rows, 31);
    assertNear(0.023471, 0.001, rows, 40);
  }

  /** The fast.ai book's own 3 against 7: 0.982826, 35 errors of 2,038. */
  @Test
  void theBooksThreeAgainstSeven() throws IOException {
    assertErrors(32, 38, train("--preset", "notebook", "--classes", "3,7"));
  }

  @Tag("slow")
  @Test
  void theDefaultsOverTenSeeds() throws IOException {
    int[] errors = new int[10];
    for (int seed = 1; seed <= errors.length; seed++) {
      List<Row> rows = train("--seed", String.valueOf(seed));
      errors[seed - 1] = rows.get(rows.size() - 1).errors();
    }
    String all = Arrays.toString(errors);
    assertTrue(IntStream.of(errors).average().orElseThrow() <= 6.5, all);
    assertTrue(IntStream.of(errors).max().orElseThrow() <= 10, all);
  }

  @Tag("slow")
  @Test
  void allTenDigits() throws IOException {
    List<Row> rows = train("--classes", "all", "--model", "mlp:128", "--epochs", "20");
    assertErrors(0, 250, rows);
  }
}
