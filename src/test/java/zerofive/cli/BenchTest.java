package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.data.IdxFolder;

/** {@code bench} on a few small images, without a process of its own. */
class BenchTest {
  @TempDir Path folder;

  private Launcher.Result bench(String... options) {
    int[] labels = {0, 5, 0, 5, 5, 0, 5, 0, 0, 5};
    String data = new IdxFolder(folder, 6, 5).train(labels).valid(labels).name();
    List<String> line = new ArrayList<>(List.of("bench", "--data", data, "--batch-size", "4"));
    line.addAll(List.of("--rounds", "1", "--seconds", "0.01", "--threads", "2"));
    line.addAll(List.of(options));
    return InProcess.run(line.toArray(String[]::new));
  }

  @Test
  void jsonHasAllFiguresAndTheyAgree() {
    Launcher.Result result =
        bench("--json", "--device", "cpu", "--model", "mlp:3", "--momentum", "0");
    assertEquals(0, result.code(), result.err());
    JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
    assertTrue(json.get("version").getAsString().startsWith("zerofive "));
    assertTrue(json.getAsJsonObject("machine").get("cores").getAsInt() > 0);
    JsonObject work = json.getAsJsonObject("work");
    // 30 x 3 weights twice, 3 x 1 three times, 4 biases twice; 97 parameters, three steps.
    assertEquals(10 * (4 * 90 + 6 * 3 + 2 * 4) + 3 * 2 * 97, work.get("operations").getAsDouble());
    assertEquals("mlp:3", work.get("model").getAsString());
    assertEquals(4, work.get("batch_size").getAsInt());
    JsonArray backends = json.getAsJsonArray("backends");
    JsonObject java = backends.get(0).getAsJsonObject();
    assertEquals("reference", java.get("name").getAsString());
    assertEquals(1, java.get("speed_up").getAsDouble());
    for (JsonElement element : backends) {
      JsonObject backend = element.getAsJsonObject();
      double median = backend.get("median_seconds").getAsDouble();
      assertTrue(median > 0, result.out());
      assertTrue(backend.getAsJsonArray("epoch_seconds").size() > 0, result.out());
      assertEquals(10 / median, backend.get("images_per_second").getAsDouble(), 1e-9 / median);
      assertEquals(
          java.get("median_seconds").getAsDouble() / median,
          backend.get("speed_up").getAsDouble(),
          1e-9);
      double loss = java.getAsJsonObject("first_epoch").get("train_loss").getAsDouble();
      assertEquals(
          loss,
          backend.getAsJsonObject("first_epoch").get("train_loss").getAsDouble(),
          1e-5 * loss);
      if (backend.has("peak_operations_per_second")) {
        assertEquals(
            backend.get("lit_operations_per_second").getAsDouble()
                / backend.get("peak_operations_per_second").getAsDouble(),
            backend.get("compute_share").getAsDouble(),
            1e-9);
      }
    }
    assertEquals(1, result.out().lines().count());
  }

  @Test
  void theFirstEpochIsThatOfTrain() throws IOException {
    String[] settings = {"--device", "reference", "--preset", "accurate", "--schedule", "constant"};
    Launcher.Result result =
        bench("--json", "--device", "reference", "--preset", "accurate", "--model", "mlp:3");
    assertEquals(0, result.code(), result.err());
    assertFalse(result.err().contains("one-cycle"), result.err());
    JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
    assertEquals("shift:2", json.getAsJsonObject("work").get("augment").getAsString());
    List<String> train = new ArrayList<>(List.of("train", "--data", folder.toString()));
    train.addAll(List.of(settings));
    train.addAll(List.of("--model", "mlp:3", "--batch-size", "4", "--epochs", "1"));
    Path run = folder.resolve("run");
    train.addAll(List.of("--out", run.toString()));
    assertEquals(0, InProcess.run(train.toArray(String[]::new)).code());
    String[] row = Files.readAllLines(run.resolve("metrics.csv")).get(1).split(",", -1);
    JsonObject first =
        json.getAsJsonArray("backends").get(0).getAsJsonObject().getAsJsonObject("first_epoch");
    assertEquals(Double.parseDouble(row[1]), first.get("train_loss").getAsDouble(), 1e-8);
    Launcher.Result farther = bench("--augment", "shift:5");
    assertEquals(2, farther.code(), farther.err());
    assertTrue(farther.err().contains("out of sight"), farther.err());
  }

  @Test
  void theTableAndTheHelpStayWithin96Columns() {
    Launcher.Result result = bench("--device", "reference", "--preset", "notebook");
    assertEquals(0, result.code(), result.err());
    List<String> lines = result.outLines();
    assertTrue(lines.get(0).endsWith("share of limit"), result.out());
    assertTrue(lines.get(1).startsWith("reference "), result.out());
    assertTrue(lines.get(2).isEmpty(), result.out());
    assertTrue(lines.stream().allMatch(line -> line.length() <= 96), result.out());
    assertTrue(
        result.err().contains("checked  after one epoch all have the reference's losses"),
        result.err());
    Launcher.Result help = InProcess.run("bench", "--help");
    assertTrue(help.out().contains("example: zerofive bench"), help.out());
    assertTrue(help.out().lines().allMatch(line -> line.length() <= 96), help.out());
    assertFalse(help.out().contains("--epochs"), help.out());
  }

  @ParameterizedTest
  @CsvSource({
    "2, --seconds, 0, --seconds 0 is not a float32 number above 0",
    "2, --seconds, soon, is not a number",
    "2, --rounds, 0, --rounds 0 is less than 1",
    "2, --epochs, 3, --epochs",
    "2, --device, gpu, unknown device 'gpu'",
    "4, --device, cuda:99, device cuda:99: ",
    "5, --lr, 3e38, training diverged in its first epoch"
  })
  void whatCannotBeIsOneSentence(int code, String option, String value, String said) {
    List<String> line = new ArrayList<>(List.of("bench", option, value));
    int[] labels = {0, 5, 0, 5, 5, 0};
    line.addAll(List.of("--data", new IdxFolder(folder, 6, 5).train(labels).valid(labels).name()));
    line.addAll(List.of("--model", "linear", "--batch-size", "1"));
    Launcher.Result result = InProcess.run(line.toArray(String[]::new));
    assertEquals(code, result.code(), result.err());
    assertEquals("", result.out());
    String last = result.err().lines().reduce((a, b) -> b).orElse("");
    assertTrue(last.startsWith("zerofive: error: "), result.err());
    assertTrue(last.contains(said), last);
  }
}
