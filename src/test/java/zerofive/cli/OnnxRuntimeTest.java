package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.Prediction;
import zerofive.backend.Predictor;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ImageSet;
import zerofive.data.remote.DataSetRegistry;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Normalisation;
import zerofive.model.format.Safetensors;

/** Exported models as ONNX Runtime computes them, beside ours, on every validation image. */
class OnnxRuntimeTest {
  private static final double TOLERANCE = 1e-5;

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "linear | 0,5 | byte",
        "mlp:30 | 0,5 | byte",
        "mlp:30 | 0,5 | float",
        "mlp:24,16 | 0,5,7 | byte",
        "cnn:4,6 | 0,5 | byte",
        "cnn:4/1,6,8+9 | 0,5,7 | float",
        "mlp:24,16 | 0,5,7 | float",
        "mlp:24,16 | 0,5,7 | byte --mean 0.1307 --std 0.3081",
        "mlp:24,16 | 0,5,7 | float --mean 0.1307 --std 0.3081",
      })
  void itsLogitsAreOurs(String name, String classes, String options) throws OrtException {
    OrtEnvironment environment = environment();
    String run = folder.resolve("run").toString();
    run("train", "--model", name, "--classes", classes, "--epochs", "3", "--quiet", "--out", run);
    Path file = folder.resolve("run/model.safetensors");
    String[] words = options.split(" ", -1);
    String input = words[0];
    if (words.length > 1) {
      forget(file);
    }
    run(("export --model " + file + " --input " + options).split(" ", -1));
    ModelFile model = ModelFile.read(file);
    if (words.length > 1) {
      float std = Float.parseFloat(words[4]);
      model = model.with(new Normalisation(Float.parseFloat(words[2]), std));
    }
    DataSet data = DataSets.load(DataSetRegistry.MNIST, ClassFilter.parse(classes));
    float[] ours = logits(model, data.valid());
    int outputs = model.parameters().architecture().outputs();
    try (OrtSession session =
        environment.createSession(folder.resolve("run/model.onnx").toString())) {
      assertEquals(Set.of("images"), session.getInputNames());
      assertEquals(List.of("logits", "probabilities"), List.copyOf(session.getOutputNames()));
      Map<String, String> metadata = session.getMetadata().getCustomMetadata();
      assertEquals("[\"" + classes.replace(",", "\",\"") + "\"]", metadata.get("classes"));
      assertEquals("zerofive", session.getMetadata().getProducerName());
      // The batch may have any size: one, some, all.
      for (int count : List.of(1, 7, data.valid().count())) {
        try (OnnxTensor images = images(environment, data.valid(), count, input);
            OrtSession.Result result = session.run(Map.of("images", images))) {
          float[][] logits = (float[][]) result.get("logits").orElseThrow().getValue();
          float[][] shares = (float[][]) result.get("probabilities").orElseThrow().getValue();
          assertEquals(count, logits.length);
          for (int i = 0; i < count; i++) {
            assertRow(Arrays.copyOfRange(ours, i * outputs, (i + 1) * outputs), logits[i], i);
            assertShares(logits[i], shares[i], data.classes().size(), i);
          }
        }
      }
    }
  }

  private static OrtEnvironment environment() {
    try {
      return OrtEnvironment.getEnvironment();
    } catch (LinkageError e) {
      return abort("ONNX Runtime has no native library for this machine: " + e);
    }
  }

  /** Leaves the file as one of another program, which does not say how pixels are normalised. */
  private static void forget(Path file) {
    Safetensors content = Safetensors.read(file);
    Map<String, String> metadata = new LinkedHashMap<>(content.metadata());
    metadata.remove("normalisation");
    new Safetensors(metadata, content.tensors()).write(file);
  }

  private static void run(String... arguments) {
    Launcher.Result result = InProcess.run(arguments);
    assertEquals(0, result.code(), result.err());
  }

  private static float[] logits(ModelFile model, ImageSet images) {
    Backends.Choice device = Backends.choose(new DeviceRequest("cpu", 1, Map.of()));
    try (Predictor predictor = device.backend().openPredictor(model.foldedParameters())) {
      return predictor.logits(images);
    }
  }

  private static OnnxTensor images(
      OrtEnvironment environment, ImageSet images, int count, String input) throws OrtException {
    long[] shape = {count, images.imageSize()};
    int length = count * images.imageSize();
    if (input.equals("byte")) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(length).put(images.pixels(), 0, length).flip();
      return OnnxTensor.createTensor(environment, bytes, shape, OnnxJavaType.UINT8);
    }
    float[] floats = new float[length];
    for (int i = 0; i < length; i++) {
      floats[i] = (images.pixels()[i] & 0xff) / 255f;
    }
    return OnnxTensor.createTensor(environment, FloatBuffer.wrap(floats), shape);
  }

  private static void assertRow(float[] ours, float[] theirs, int image) {
    assertEquals(ours.length, theirs.length);
    for (int j = 0; j < ours.length; j++) {
      double tolerance = TOLERANCE * Math.max(1, Math.abs(ours[j]));
      assertEquals(ours[j], theirs[j], tolerance, "image " + image + ", logit " + j);
    }
  }

  private static void assertShares(float[] logits, float[] shares, int classes, int image) {
    assertEquals(classes, shares.length);
    double sum = 0;
    double all = 0;
    for (int c = 0; c < classes; c++) {
      sum += shares[c];
      all += logits.length == 1 ? 0 : Math.exp(logits[c]);
    }
    assertEquals(1, sum, TOLERANCE);
    for (int c = 0; c < classes; c++) {
      double expected =
          logits.length == 1
              ? 1 / (1 + Math.exp(c == 0 ? -logits[0] : logits[0]))
              : Math.exp(logits[c]) / all;
      assertEquals(expected, shares[c], TOLERANCE, "image " + image + ", class " + c);
    }
    int predicted = Prediction.of(logits, 0, logits.length);
    for (float share : shares) {
      assertTrue(share <= shares[predicted], "image " + image);
    }
  }
}
