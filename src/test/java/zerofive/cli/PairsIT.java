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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code pairs} through the real launcher. */
class PairsIT {
  private static final int SECONDS = 8;

  @TempDir Path folder;

  private List<String> rows(String run) throws IOException {
    Path csv = folder.resolve(run).resolve("pairs.csv");
    return Files.exists(csv) ? Files.readAllLines(csv) : List.of();
  }

  /** Stopped by Ctrl-C it goes on by the line that it prints, and keeps what it had. */
  @Tag("slow")
  @Test
  void whatIsStoppedGoesOn() throws Exception {
    String[] options = {
      "pairs",
      "--classes",
      "0,1,2,3,5",
      "--model",
      "linear",
      "--epochs",
      "400",
      "--threads",
      "1",
      "--out=a run"
    };
    Launcher.Running running = Launcher.start(folder, options);
    while (rows("a run").size() < 2 && running.process().isAlive()) {
      Thread.sleep(5);
    }
    running.signal("INT");
    Launcher.Result stopped = running.await();
    assertEquals(130, stopped.code(), stopped.err());
    assertEquals("", stopped.out());
    List<String> before = rows("a run");
    assertTrue(before.size() >= 2 && before.size() < 11, before.toString());
    assertTrue(
        stopped.err().contains("stopped after " + (before.size() - 1) + " of 10 trainings"),
        stopped.err());
    assertFalse(Files.exists(folder.resolve("a run/errors.svg")));
    String goOn = stopped.err().substring(stopped.err().indexOf("resume with: ") + 13).strip();
    Launcher.Result done = Launcher.shell(folder, goOn + " --threads 2 2>/dev/null");
    assertEquals(2, done.code(), "--threads is there already: " + done.out());
    done = Launcher.shell(folder, goOn);
    assertEquals(0, done.code(), done.err());
    assertTrue(done.out().contains("over 10 pairs"), done.out());
    assertTrue(done.outLines().stream().allMatch(line -> line.length() <= 96), done.out());
    List<String> after = rows("a run");
    assertEquals(11, after.size());
    assertTrue(after.containsAll(before), after.toString());
    for (String file : List.of("errors.svg", "receipt.json", "config.json")) {
      assertTrue(Files.isRegularFile(folder.resolve("a run").resolve(file)), file);
    }
  }

  /** The shell fills in a scheduler's variable; the shards together are the whole. */
  @Test
  void aSchedulersShardsAreJoined() throws IOException {
    for (int task = 1; task <= 2; task++) {
      Launcher.Result shard =
          Launcher.shell(
              folder,
              "SLURM_ARRAY_TASK_ID="
                  + task
                  + "; \"$ZEROFIVE\" pairs --classes 0,1,5 --model linear --epochs 2"
                  + " --shard $SLURM_ARRAY_TASK_ID/2 --out shard$SLURM_ARRAY_TASK_ID");
      assertEquals(0, shard.code(), shard.err());
      assertTrue(shard.err().contains("shard " + task + "/2"), shard.err());
    }
    Launcher.Result merged =
        Launcher.run(folder, "pairs", "--json", "--merge", "shard1", "shard2", "--out", "merged");
    assertEquals(0, merged.code(), merged.err());
    JsonObject json = JsonParser.parseString(merged.out()).getAsJsonObject();
    assertEquals(3, json.getAsJsonArray("pairs").size());
    double accuracy = 0;
    for (String row : rows("merged").subList(1, 4)) {
      String[] fields = row.split(",", -1);
      accuracy += Double.parseDouble(fields[5]) / 3;
      assertTrue(Double.parseDouble(fields[SECONDS]) > 0, row);
    }
    assertEquals(accuracy, json.get("accuracy").getAsDouble(), 1e-8);
    Launcher.Result again = Launcher.run(folder, "pairs", "--merge", "shard1", "--out", "part");
    assertEquals(3, again.code());
    assertEquals("", again.out());
    assertEquals(1, again.err().lines().count(), again.err());
    assertTrue(again.err().contains("pair 0,5 with seed 42 is in none"), again.err());
    assertFalse(Files.exists(folder.resolve("part")));
  }
}
