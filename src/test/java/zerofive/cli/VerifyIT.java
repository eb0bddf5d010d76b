package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code verify} as a process. */
class VerifyIT {
  @TempDir Path folder;

  /** A run that says it stopped early may have had any number of epochs to come. */
  @Test
  void aSignalEndsItWithoutAnAnswer() throws Exception {
    Path run = folder.resolve("run");
    Launcher.Result trained =
        Launcher.run(
            folder,
            "train",
            "--model",
            "linear",
            "--epochs",
            "1",
            "--schedule",
            "constant",
            "--out",
            "run");
    assertEquals(0, trained.code(), trained.err());
    replace(run.resolve("config.json"), "\"epochs\": 1", "\"epochs\": 1000000");
    replace(run.resolve("receipt.json"), "\"stopped_early\": false", "\"stopped_early\": true");
    Launcher.Running running = Launcher.start(folder, "verify", "run");
    while (running.process().isAlive() && !Files.readString(running.err()).contains("device ")) {
      Thread.sleep(5);
    }
    running.signal("TERM");
    Launcher.Result result = running.await();
    assertEquals(143, result.code(), result.err());
    assertEquals("", result.out());
    assertTrue(result.err().contains("; run is not verified"), result.err());
  }

  private static void replace(Path file, String old, String by) throws IOException {
    String text = Files.readString(file);
    assertTrue(text.contains(old), text);
    Files.writeString(file, text.replace(old, by));
  }
}
