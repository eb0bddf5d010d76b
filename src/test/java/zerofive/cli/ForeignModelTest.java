package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.data.IdxFolder;
import zerofive.files.Sha256;
import zerofive.model.format.Safetensors;

/** Models that another program trained, by the command line. */
class ForeignModelTest {
  private static final float MEAN = 0.1307f;
  private static final float STD = 0.3081f;

  @TempDir Path folder;
  private IdxFolder data;
  private Path file;
  private final Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();

  @BeforeEach
  void writeDataAndModel() throws IOException {
    Path files = Files.createDirectory(folder.resolve("data"));
    data = new IdxFolder(files, 3, 4).train(0, 1, 2, 0, 1, 2).valid(2, 0, 1, 1, 0, 2, 0);
    file = folder.resolve("foreign.safetensors");
    SplittableRandom random = new SplittableRandom(1);
    put("fc1.weight", random, 5, 12);
    put("fc1.bias", random, 5);
    put("fc2.weight", random, 3, 5);
    put("fc2.bias", random, 3);
    new Safetensors(Map.of("format", "pt"), tensors).write(file);
  }

  private void put(String name, SplittableRandom random, Integer... shape) {
    float[] values = new float[Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) (random.nextDouble() - 0.5);
    }
    tensors.put(name, new Safetensors.Tensor(List.of(shape), values));
  }

  /** The same model for pixels that are divided by 255, as one would write it by hand. */
  private Path folded() {
    float[] weight = tensors.get("fc1.weight").values().clone();
    float[] bias = tensors.get("fc1.bias").values().clone();
    for (int unit = 0; unit < bias.length; unit++) {
      double shift = 0;
      for (int i = 12 * unit; i < 12 * unit + 12; i++) {
        shift += weight[i] * (MEAN / (double) STD);
        weight[i] = (float) (weight[i] / (double) STD);
      }
      bias[unit] = (float) (bias[unit] - shift);
    }
    Map<String, Safetensors.Tensor> all = new LinkedHashMap<>(tensors);
    all.put("fc1.weight", new Safetensors.Tensor(List.of(5, 12), weight));
    all.put("fc1.bias", new Safetensors.Tensor(List.of(5), bias));
    Path other = folder.resolve("folded.safetensors");
    new Safetensors(Map.of(), all).write(other);
    return other;
  }

  private static Launcher.Result run(String... arguments) {
    Launcher.Result result = InProcess.run(arguments);
    assertEquals(0, result.code(), result.err());
    return result;
  }

  private Launcher.Result evaluate(Path model, String... options) {
    List<String> all = new ArrayList<>(List.of("evaluate", "--json", "--data", data.name()));
    all.addAll(List.of("--model", model.toString()));
    all.addAll(List.of(options));
    return run(all.toArray(String[]::new));
  }

  private static double loss(Launcher.Result evaluated) {
    return JsonParser.parseString(evaluated.out()).getAsJsonObject().get("loss").getAsDouble();
  }

  private static String words(Launcher.Result result) {
    return result.err().replaceAll("\\s+", " ");
  }

  @Test
  void aNormalisationThatNobodyNamesIsNoted() {
    String note = "does not say how the pixels it was trained on were normalised";
    Launcher.Result silent = evaluate(file);
    assertTrue(words(silent).contains(file + " " + note), silent.err());
    Launcher.Result named = evaluate(file, "--mean", "0.1307", "--std", "0.3081");
    assertFalse(words(named).contains(note), named.err());
    assertTrue(words(named).contains("12-5-3 of (pixel / 255 - 0.1307) / 0.3081"), named.err());
    assertTrue(Math.abs(loss(silent) - loss(named)) > 0.01, named.out());
    Launcher.Result byHand = evaluate(folded());
    assertEquals(loss(byHand), loss(named), 1e-5 * loss(byHand));
    String images = data.path().resolve(IdxFolder.VALID_IMAGES).toString();
    String[] predict = {"predict", "--raw", "--model", file.toString(), images};
    assertTrue(words(run(predict)).contains(note));
    String[] with = Arrays.copyOf(predict, 9);
    System.arraycopy(new String[] {"--mean", "0.1307", "--std", "0.3081"}, 0, with, 5, 4);
    assertFalse(run(with).out().equals(run(predict).out()));
  }

  @Test
  void meanAndStdStayWithAModelThatIsExported() throws IOException {
    String[] export = {"export", "--model", file.toString(), "--mean", "0.1307", "--std", "0.3081"};
    Path ours = folder.resolve("ours.safetensors");
    List<String> all = new ArrayList<>(List.of(export));
    all.addAll(List.of("--json", "--format", "safetensors", "--out", ours.toString()));
    JsonObject json =
        JsonParser.parseString(run(all.toArray(String[]::new)).out()).getAsJsonObject();
    assertEquals("0.1307 0.3081", json.get("mean") + " " + json.get("std"));
    Launcher.Result again = evaluate(ours);
    assertFalse(again.err().contains("normalised"), again.err());
    assertEquals(loss(evaluate(file, "--mean", "0.1307", "--std", "0.3081")), loss(again));
    Launcher.Result onnx = run(export);
    assertFalse(onnx.err().contains("normalised"), onnx.err());
    OnnxMl.ModelProto model =
        OnnxMl.ModelProto.parseFrom(Files.readAllBytes(folder.resolve("foreign.onnx")));
    assertEquals(
        List.of("Cast", "Div", "Sub", "Div", "Gemm"),
        model.getGraph().getNodeList().stream().limit(5).map(OnnxMl.NodeProto::getOpType).toList());
    Map<String, String> metadata = new LinkedHashMap<>();
    model.getMetadataPropsList().forEach(one -> metadata.put(one.getKey(), one.getValue()));
    assertEquals("(float32(byte) / 255 - mean) / std", metadata.get("normalisation"));
    assertEquals("0.1307 0.3081", metadata.get("mean") + " " + metadata.get("std"));
  }

  /** What is not known stays so: else the next command would have no note. */
  @Test
  void aNormalisationThatIsNotKnownIsNotMadeUpByExport() {
    Path ours = folder.resolve("ours.safetensors");
    run("export", "--model", file.toString(), "--format", "safetensors", "--out", ours.toString());
    assertFalse(Safetensors.read(ours).metadata().containsKey("normalisation"));
    assertTrue(words(evaluate(ours)).contains("does not say how the pixels"));
  }

  private Path train(String name, Path start, String... options) {
    Path run = folder.resolve(name);
    List<String> all = new ArrayList<>(List.of("train", "--data", data.name(), "--classes", "all"));
    all.addAll(List.of("--epochs", "2", "--device", "reference", "--out", run.toString()));
    all.addAll(List.of("--init-from", start.toString()));
    all.addAll(List.of(options));
    Launcher.Result result = run(all.toArray(String[]::new));
    boolean folded = words(result).contains("/ 0.3081 is folded into its first layer");
    assertEquals(options.length > 0, folded, result.err());
    return run.resolve("model.safetensors");
  }

  @Test
  void aTrainingThatStartsFromItGoesOnWithPixelsDividedBy255() throws IOException {
    Path trained = train("named", file, "--mean", "0.1307", "--std", "0.3081");
    Map<String, String> metadata = Safetensors.read(trained).metadata();
    assertEquals("float32(byte) / 255", metadata.get("normalisation"));
    assertEquals("3 4", metadata.get("height") + " " + metadata.get("width"));
    Path ours = folder.resolve("ours.safetensors");
    String[] format = {"--format", "safetensors", "--out", ours.toString()};
    String[] export = {"export", "--model", file.toString(), "--mean", "0.1307", "--std", "0.3081"};
    List<String> all = new ArrayList<>(List.of(export));
    all.addAll(List.of(format));
    run(all.toArray(String[]::new));
    assertEquals(Sha256.of(trained), Sha256.of(train("kept", ours, "--verbose")));
    JsonObject config =
        JsonParser.parseString(Files.readString(folder.resolve("named/config.json")))
            .getAsJsonObject();
    assertEquals("0.1307 0.3081", config.get("mean") + " " + config.get("std"));
    run("train", "--resume", folder.resolve("named").toString(), "--epochs", "3");
  }

  @Test
  void anExportedOnnxFileIsNoModelToEvaluateAndTheWayBackIsPrinted() {
    run("export", "--model", file.toString());
    String onnx = folder.resolve("foreign.onnx").toString();
    for (String option :
        List.of("evaluate --model ", "predict x.png --model ", "train --init-from ")) {
      Launcher.Result result = InProcess.run((option + onnx).split(" ", -1));
      assertEquals(3, result.code(), result.err());
      List<String> lines = result.err().lines().toList();
      assertEquals(3, lines.size(), result.err());
      assertTrue(
          lines.get(0).startsWith("zerofive: error: " + onnx + " is not a safetensors file"));
      assertTrue(lines.get(1).startsWith("    import onnx"), lines.get(1));
      assertTrue(lines.get(2).startsWith("    save_file("), lines.get(2));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "evaluate --model FILE --mean 0.5 | --mean and --std belong together; name --std too",
        "predict --model FILE --std 0.5 x.png | belong together; name --mean too",
        "evaluate --model FILE --mean 33 --std 0.5 | --mean 33 is not in [0, 1]",
        "evaluate --model FILE --mean 0 --std 0 | --std 0 is not in (0, 1]",
        "train --mean 0.5 --std 0.5 | --mean and --std belong to --init-from",
        "export --model OURS --mean 0.5 --std 0.5 | says itself that it takes pixel / 255;",
        "lr-find --init-from OURS --mean 0.5 --std 0.5 | leave out --mean and --std",
      })
  void whatContradictsItselfOrTheFileIsRefused(String command, String said) throws IOException {
    Path ours = folder.resolve("ours.safetensors");
    new Safetensors(Map.of("normalisation", "float32(byte) / 255"), tensors).write(ours);
    String[] arguments =
        command.replace("FILE", file.toString()).replace("OURS", ours.toString()).split(" ", -1);
    Launcher.Result result = InProcess.run(arguments);
    assertEquals(2, result.code(), result.err());
    assertTrue(result.err().contains(said), result.err());
    assertEquals(1, result.err().lines().count(), result.err());
  }
}
