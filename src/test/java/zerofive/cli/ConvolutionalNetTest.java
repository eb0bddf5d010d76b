package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.data.IdxFolder;
import zerofive.files.Sha256;
import zerofive.model.format.Safetensors;

/** A convolutional net through the commands, on small images that are not square. */
class ConvolutionalNetTest {
  @TempDir Path folder;
  private IdxFolder data;

  @BeforeEach
  void writeData() throws IOException {
    int[] train = new int[300];
    for (int i = 0; i < train.length; i++) {
      train[i] = i * 7 % 3;
    }
    data =
        new IdxFolder(Files.createDirectory(folder.resolve("data")), 14, 17)
            .train(train)
            .valid(2, 1, 0, 0, 1, 2, 0, 1);
  }

  private Path path(String name) {
    return folder.resolve(name);
  }

  private static Launcher.Result run(int code, String... arguments) {
    Launcher.Result result = InProcess.run(arguments);
    assertEquals(code, result.code(), result.err());
    return result;
  }

  private Launcher.Result train(String out, String... more) {
    return trainModel("cnn:5,6/1+7", out, more);
  }

  private Launcher.Result trainModel(String model, String out, String... more) {
    List<String> all = new ArrayList<>(List.of("train", "--data", data.name(), "--classes", "all"));
    all.addAll(List.of("--preset", "cnn", "--model", model, "--device", "cpu"));
    all.addAll(List.of("--out", path(out).toString()));
    all.addAll(List.of(more));
    return run(0, all.toArray(String[]::new));
  }

  private String model(String run) {
    return path(run).resolve("model.safetensors").toString();
  }

  private JsonObject evaluated(String model) {
    Launcher.Result result = run(0, "evaluate", "--json", "--data", data.name(), "--model", model);
    return JsonParser.parseString(result.out()).getAsJsonObject();
  }

  @Test
  void thePresetLearnsAndItsModelIsUsedByEveryCommand() {
    Launcher.Result trained = train("run", "--epochs", "8");
    String words = trained.err().replaceAll("\\s+", " ");
    assertTrue(words.contains("cnn:5,6/1+7 (14x17-5/2-6/1-7-3,"), words);
    assertTrue(words.contains("adam, lr 0.005 one-cycle, batch size 64, shuffled, shift:2"), words);
    assertTrue(words.contains("init he"), words);
    JsonObject figures = evaluated(model("run"));
    assertEquals(0, figures.get("errors").getAsInt(), figures.toString());
    String images = data.path().resolve(IdxFolder.VALID_IMAGES).toString();
    List<String> predicted =
        run(0, "predict", "--raw", "--model", model("run"), images).out().lines().toList();
    assertEquals(9, predicted.size());
    for (String format : List.of("onnx", "npz", "safetensors")) {
      String file = path("model." + format).toString();
      run(0, "export", "--format", format, "--model", model("run"), "--out", file);
    }
    assertEquals(figures.get("loss"), evaluated(path("model.safetensors").toString()).get("loss"));
    run(0, "verify", path("run").toString());
  }

  @Test
  void aResumedRunEndsWithTheBitsOfOneThatWasNeverStopped() throws IOException {
    train("whole", "--epochs", "3", "--schedule", "constant");
    train("parts", "--epochs", "1", "--schedule", "constant");
    run(0, "train", "--resume", path("parts").toString(), "--epochs", "3");
    assertEquals(Sha256.of(Path.of(model("whole"))), Sha256.of(Path.of(model("parts"))));
  }

  /** Two more epochs of a model whose file says nothing but its tensors, and images' size. */
  @Test
  void aFileOfPyTorchIsTrainedFurther() {
    trainModel("cnn:5,6+7", "run", "--epochs", "1");
    Safetensors ours = Safetensors.read(Path.of(model("run")));
    Map<String, Safetensors.Tensor> renamed = new LinkedHashMap<>();
    ours.tensors().forEach((name, tensor) -> renamed.put("net." + name, tensor));
    Path foreign = path("foreign.safetensors");
    new Safetensors(Map.of("height", "14", "width", "17"), renamed).write(foreign);
    assertEquals(evaluated(model("run")).get("loss"), evaluated(foreign.toString()).get("loss"));
    List<String> all = List.of("train", "--data", data.name(), "--classes", "all", "--epochs", "2");
    List<String> more = new ArrayList<>(all);
    more.addAll(List.of("--init-from", foreign.toString(), "--lr", "1e-30", "--device", "cpu"));
    more.addAll(List.of("--out", path("further").toString()));
    run(0, more.toArray(String[]::new));
    Safetensors further = Safetensors.read(Path.of(model("further")));
    ours.tensors()
        .forEach(
            (name, tensor) ->
                assertArrayEquals(tensor.values(), further.tensors().get(name).values(), name));
  }

  @Test
  void pairsLrFindAndBenchTakeIt() {
    String[] common = {"--data", data.name(), "--model", "cnn:4", "--device", "cpu"};
    List<String> pairs = new ArrayList<>(List.of("pairs", "--epochs", "1", "--out"));
    pairs.add(path("pairs").toString());
    pairs.addAll(List.of(common));
    run(0, pairs.toArray(String[]::new));
    run(0, "verify", path("pairs").toString());
    List<String> sweep = new ArrayList<>(List.of("lr-find", "--classes", "all", "--out"));
    sweep.add(path("lr").toString());
    sweep.addAll(List.of(common));
    run(0, sweep.toArray(String[]::new));
    List<String> bench = new ArrayList<>(List.of("bench", "--seconds", "1", "--classes", "all"));
    bench.addAll(List.of(common).subList(0, 4));
    run(0, bench.toArray(String[]::new));
  }

  @Test
  void imagesThatAreTooSmallAreRefusedInOneSentence() {
    Launcher.Result refused =
        run(2, "train", "--data", data.name(), "--classes", "all", "--model", "cnn:4,4,4,4");
    String words = refused.err().replaceAll("\\s+", " ");
    assertTrue(words.contains("--model cnn:4,4,4,4: images of 14 x 17"), words);
    assertTrue(words.contains("have shrunk to 1 x 1 before convolution 4"), words);
  }
}
