package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --json} of the commands that train: one object alone on standard output. */
class JsonTest {
  @TempDir Path folder;

  @Test
  void aTrainingTellsItsLastAndBestEpoch() throws IOException {
    String run = folder.resolve("run").toString();
    Launcher.Result result =
        InProcess.run("train", "--model", "linear", "--epochs", "3", "--json", "--out", run);
    assertEquals(0, result.code(), result.err());
    assertEquals(1, result.out().lines().count(), result.out());
    assertTrue(result.err().contains("train_loss"), result.err());
    JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
    List<String> rows = Files.readAllLines(folder.resolve("run/metrics.csv"));
    String[] last = rows.get(3).split(",", -1);
    JsonObject finalEpoch = json.getAsJsonObject("final");
    assertEquals(3, finalEpoch.get("epoch").getAsInt());
    assertEquals(last[4], finalEpoch.get("errors").getAsString());
    assertEquals(Double.parseDouble(last[2]), finalEpoch.get("valid_loss").getAsDouble(), 1e-9);
    int fewest =
        rows.stream()
            .skip(1)
            .mapToInt(row -> Integer.parseInt(row.split(",", -1)[4]))
            .min()
            .orElse(0);
    assertEquals(fewest, json.getAsJsonObject("best").get("errors").getAsInt());
    assertEquals("[\"0\",\"5\"]", json.get("classes").toString());
    assertTrue(Files.exists(Path.of(json.get("model").getAsString())));
    assertTrue(json.getAsJsonObject("seconds").get("training").getAsDouble() > 0);

    Launcher.Result again = InProcess.run("train", "--resume", run, "--json");
    assertEquals(0, again.code(), again.err());
    JsonObject finished = JsonParser.parseString(again.out()).getAsJsonObject();
    json.remove("seconds");
    assertEquals(json, finished);
    assertTrue(again.err().contains("is finished"), again.err());
  }

  @Test
  void quietLeavesTheObjectAlone() {
    Launcher.Result result =
        InProcess.run(
            "train",
            "--model",
            "linear",
            "--epochs",
            "1",
            "--json",
            "--quiet",
            "--out",
            folder.resolve("quiet").toString());
    assertEquals(0, result.code(), result.err());
    assertEquals("", result.err());
    assertEquals(1, result.out().lines().count(), result.out());
  }

  @Test
  void reproduceTellsThePublishedFiguresBesideOurs() {
    Launcher.Result result =
        InProcess.run("reproduce", "--json", "--quiet", "--out", folder.resolve("all").toString());
    assertEquals(0, result.code(), result.err());
    JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
    JsonObject scratch = json.getAsJsonArray("models").get(0).getAsJsonObject();
    JsonObject first = scratch.getAsJsonArray("epochs").get(0).getAsJsonObject();
    assertTrue(first.get("published_accuracy").isJsonNull(), result.out());
    JsonObject net = json.getAsJsonArray("models").get(2).getAsJsonObject();
    JsonObject last = net.getAsJsonArray("epochs").get(5).getAsJsonObject();
    assertEquals(40, last.get("epoch").getAsInt());
    assertEquals(39, last.get("notebook_epoch").getAsInt());
    assertEquals(0.988782, last.get("published_accuracy").getAsDouble());
    assertEquals(21, last.get("errors").getAsInt());
  }
}
