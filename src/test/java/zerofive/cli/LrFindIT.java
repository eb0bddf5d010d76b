package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code ./zerofive lr-find} through the real launcher. */
class LrFindIT {
  @TempDir Path folder;

  @Test
  void writesItsCurveAndALineToCopy() throws IOException {
    Launcher.Result result =
        Launcher.run(folder, "lr-find", "--classes", "3,7", "--threads", "1", "--out", "a");
    assertEquals(0, result.code(), result.err());
    assertTrue(
        result
            .out()
            .matches("(?s).*\ntry      \\S+ train --classes 3,7 --threads 1 --lr 0\\.\\d+\n.*"),
        result.out());
    assertTrue(result.out().lines().allMatch(line -> line.length() <= 96), result.out());
    assertTrue(result.err().contains("3 vs 7"), result.err());
    List<String> rows = Files.readAllLines(folder.resolve("a/lr-find.csv"));
    assertEquals("lr,loss,smoothed_loss", rows.get(0));
    assertTrue(rows.get(1).matches("1\\.00000000e-06,0\\.[67].*"), rows.get(1));
    String svg = Files.readString(folder.resolve("a/lr-find.svg"));
    assertTrue(svg.contains(">valley 0.") && svg.contains(">0.000001<"), svg);

    Launcher.Result json =
        Launcher.run(
            folder, "lr-find", "--classes", "3,7", "--threads", "2", "--json", "--out", "b");
    assertEquals(0, json.code(), json.err());
    JsonObject object = JsonParser.parseString(json.out()).getAsJsonObject();
    double suggestion = object.get("suggestion").getAsDouble();
    assertTrue(suggestion > 0.001 && suggestion < 10, json.out());
    assertEquals(rows.size() - 1, object.getAsJsonArray("points").size());
    assertEquals(rows, Files.readAllLines(folder.resolve("b/lr-find.csv")), "threads change bits");

    Launcher.Result again = Launcher.run(folder, "lr-find", "--out", "a");
    assertEquals(6, again.code(), again.err());
    Launcher.Result full =
        Launcher.shell(folder, "ulimit -f 4; \"$ZEROFIVE\" lr-find --classes 3,7 --out full");
    assertEquals(6, full.code(), full.err());
    assertTrue(full.err().contains("cannot be written"), full.err());
    assertFalse(Files.exists(folder.resolve("full")), "half of its files");
    Launcher.Result rate = Launcher.run(folder, "lr-find", "--lr", "1");
    assertEquals(2, rate.code(), rate.err());
  }
}
