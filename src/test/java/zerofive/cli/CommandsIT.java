package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The other commands through the real launcher. */
class CommandsIT {
  @TempDir Path folder;

  @Test
  void evaluateRepeatsTheRunsLastFigures() throws IOException {
    Launcher.Result trained =
        Launcher.run(folder, "train", "--epochs", "2", "--classes", "3,7", "--out", "run");
    assertEquals(0, trained.code(), trained.err());
    Launcher.Result result =
        Launcher.run(folder, "evaluate", "--json", "--model", "run/model.safetensors");
    assertEquals(0, result.code(), result.err());
    JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
    List<String> rows = Files.readAllLines(folder.resolve("run/metrics.csv"));
    String[] last = rows.get(2).split(",", -1);
    assertEquals(Double.parseDouble(last[2]), json.get("loss").getAsDouble(), 1e-9);
    assertEquals(last[4], json.get("errors").getAsString());
    assertEquals(2038, json.get("images").getAsInt());
    assertEquals("[\"3\",\"7\"]", json.get("classes").toString());
    List<String> confusion = Files.readAllLines(folder.resolve("run/confusion.csv"));
    assertEquals(
        "[[" + confusion.get(1).substring(2) + "],[" + confusion.get(2).substring(2) + "]]",
        json.get("confusion").toString());
    Launcher.Result table = Launcher.run(folder, "evaluate", "--model", "run/model.safetensors");
    assertTrue(table.out().contains("errors    " + last[4] + " of 2,038"), table.out());
  }

  @Test
  void reproducePrintsThePublishedFiguresBesideOurs() throws IOException {
    Launcher.Result result =
        Launcher.run(folder, "reproduce", "--seed", "1", "--precision", "fp32", "--out", "all");
    assertEquals(0, result.code(), result.err());
    String config = Files.readString(folder.resolve("all/net/config.json"));
    assertTrue(config.contains("\"precision\": \"fp32\""), config);
    for (String published :
        List.of("0.497408", "0.014815", "0.988782", "0.023471", "0.984509", "0.977000")) {
      assertTrue(result.out().contains(published), result.out());
    }
    for (String file :
        List.of(
            "accuracy.svg",
            "net/model.safetensors",
            "linear/metrics.csv",
            "scratch/receipt.json")) {
      assertTrue(Files.exists(folder.resolve("all").resolve(file)), file);
    }
    assertTrue(result.out().lines().allMatch(line -> line.length() <= 96), result.out());
  }

  @Test
  void devicesTellsCauseAndRemedy() {
    Launcher.Result result = Launcher.run(folder, "devices");
    assertEquals(0, result.code());
    assertTrue(result.out().contains("Java in double precision, 1 thread"), result.out());
    assertTrue(result.out().lines().allMatch(line -> line.length() <= 96), result.out());
    Launcher.Result json = Launcher.run(folder, "devices", "--json");
    JsonObject object = JsonParser.parseString(json.out()).getAsJsonObject();
    String first =
        StreamSupport.stream(object.getAsJsonArray("devices").spliterator(), false)
            .map(JsonElement::getAsJsonObject)
            .filter(device -> device.get("usable").getAsBoolean())
            .findFirst()
            .orElseThrow()
            .get("name")
            .getAsString();
    assertEquals(first, object.get("auto").getAsString());
    assertFalse(
        object
            .getAsJsonArray("devices")
            .get(0)
            .getAsJsonObject()
            .get("remedy")
            .getAsString()
            .isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"train", "reproduce", "lr-find", "evaluate", "devices"})
  void everyCommandHasHelpWithAnExampleWithin96Columns(String command) {
    Launcher.Result result = Launcher.run(folder, command, "--help");
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().contains("example: zerofive " + command), result.out());
    assertTrue(result.out().lines().allMatch(line -> line.length() <= 96), result.out());
  }

  @Test
  void versionAndHelpWork() {
    assertTrue(Launcher.run(folder, "--version").out().startsWith("zerofive 0.1.0 ("));
    assertTrue(Launcher.run(folder, "--help").out().contains("reproduce"));
    assertEquals(2, Launcher.run(folder).code());
  }

  @Test
  void completionPrintsAScriptAndRefusesOtherShells() {
    Launcher.Result script = Launcher.run(folder, "completion", "zsh");
    assertEquals(0, script.code(), script.err());
    assertEquals("", script.err());
    assertTrue(script.out().startsWith("#compdef zerofive\n"), script.out());
    Launcher.Result refused = Launcher.run(folder, "completion", "fish");
    assertEquals(2, refused.code());
    assertEquals("", refused.out());
    assertEquals(1, refused.err().lines().count(), refused.err());
    assertTrue(refused.err().contains("bash or zsh"), refused.err());
  }
}
