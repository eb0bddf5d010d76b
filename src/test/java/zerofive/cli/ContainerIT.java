package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher as an image starts it; scripts/test-images does so in real containers. */
class ContainerIT {
  @TempDir Path folder;

  @Test
  void devicesTellsHowACardComesInWhereNoneCanBeUsed() throws IOException {
    Files.writeString(folder.resolve("libcuda.so.1"), "no library");
    Map<String, String> variables =
        Map.of("ZEROFIVE_CONTAINER", "docker", "LD_LIBRARY_PATH", folder.toString());
    Launcher.Result table = Launcher.run(variables, folder, "devices", "--device", "cuda:999");
    assertEquals(0, table.code(), table.err());
    assertTrue(table.out().contains("  docker run --rm --gpus all --user"), table.out());
    assertTrue(table.out().contains("  sudo nvidia-ctk runtime configure"), table.out());
    Launcher.Result answer =
        Launcher.run(variables, folder, "devices", "--device", "cuda:999", "--json");
    JsonObject container =
        JsonParser.parseString(answer.out()).getAsJsonObject().getAsJsonObject("container");
    assertEquals("docker", container.get("engine").getAsString());
    assertEquals(2, container.getAsJsonArray("toolkit").size());
  }
}
