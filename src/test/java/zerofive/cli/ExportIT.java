package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.image.ImageShape;
import zerofive.files.Sha256;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;

/** {@code export} through the real launcher. */
class ExportIT {
  @TempDir Path folder;

  @Test
  void aModelIsWrittenBesideItselfOnce() {
    Parameters parameters = Initializer.PYTORCH.create(new Architecture(784, List.of(30), 1), 1);
    ModelFile model =
        new ModelFile(parameters, List.of("0", "5"), Loss.BCE, new ImageShape(28, 28));
    model.write(folder.resolve("model.safetensors"));
    Launcher.Result table = Launcher.run(folder, "export", "--model", "model.safetensors");
    assertEquals(0, table.code(), table.err());
    assertEquals("", table.err());
    Path onnx = folder.resolve("model.onnx");
    for (String said :
        List.of("784-30-1", "images uint8 [batch, 784]", "model.onnx", Sha256.of(onnx))) {
      assertTrue(table.out().contains(said), table.out());
    }
    assertTrue(table.outLines().stream().allMatch(line -> line.length() <= 96), table.out());

    Launcher.Result again = Launcher.run(folder, "export", "--model", "model.safetensors");
    assertEquals(6, again.code());
    assertEquals("", again.out());
    assertEquals(
        "zerofive: error: model.onnx exists; name another file with --out, or remove it\n",
        again.err());

    Launcher.Result json =
        Launcher.run(folder, "export", "--model", "model.safetensors", "--format", "npz", "--json");
    assertEquals(0, json.code(), json.err());
    JsonObject object = JsonParser.parseString(json.out()).getAsJsonObject();
    assertEquals("model.npz", object.get("out").getAsString());
    assertEquals(Sha256.of(folder.resolve("model.npz")), object.get("sha256").getAsString());
    assertTrue(Files.exists(onnx));
  }
}
