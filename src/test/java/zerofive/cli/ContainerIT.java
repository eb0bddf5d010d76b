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
  void devicesSaysWhatLetsAGpuIn() throws IOException {
    Files.writeString(folder.resolve("libcuda.so.1"), "no library");
    Map<String, String> variables =
        Map.of("ZEROFIVE_CONTAINER", "docker", "LD_LIBRARY_PATH", folder.toString());
    Launcher.Result table = Launcher.run(variables, folder, "devices", "--device", "cuda:999");
    assertEquals(0, table.code(), table.err());
    String remedy = "start the container with --gpus all";
    assertTrue(table.out().replaceAll("\\s+", " ").contains(remedy), table.out());
    Launcher.Result answer =
        Launcher.run(variables, folder, "devices", "--device", "cuda:999", "--json");
    JsonObject cuda =
        JsonParser.parseString(answer.out())
            .getAsJsonObject()
            .getAsJsonArray("devices")
            .get(0)
            .getAsJsonObject();
    assertTrue(cuda.get("remedy").getAsString().contains(remedy), answer.out());
  }
}
