package zerofive.model.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.Refusal;
import zerofive.data.image.ImageShape;
import zerofive.files.InputException;
import zerofive.files.Sha256;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Layer;
import zerofive.model.Loss;
import zerofive.model.ModelSpec;
import zerofive.model.Parameters;

/** Models of ours and of PyTorch, and files that are neither. */
class ModelFileTest {
  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("model.safetensors");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "linear | 0,5 | mnist",
        "mlp:30 | 5,0 | bce",
        "mlp:3,2,7 | 0,1,2 | cross-entropy",
        "linear | 0,1,2,3,4,5,6,7,8,9 | cross-entropy",
        "mlp:4 | a \"b\",ü | bce",
        "cnn:5/1,3+4 | 0,1,2 | cross-entropy",
        "cnn:2 | 0,5 | bce"
      })
  void aModelComesBackAsItWasWritten(String model, String names, String loss) {
    List<String> classes = List.of(names.split(",", -1));
    Architecture architecture =
        Architecture.of(model, new ImageShape(3, 4), Loss.outputs(classes.size()));
    Parameters parameters = Initializer.NORMAL.create(architecture, 42);
    parameters.values()[0] = -0f;
    parameters.values()[1] = Float.MIN_VALUE;
    new ModelFile(parameters, classes, Loss.parse(loss), new ImageShape(3, 4)).write(file);
    ModelFile read = ModelFile.read(file);
    assertEquals(architecture, read.parameters().architecture());
    assertArrayEquals(bits(parameters), bits(read.parameters()));
    assertEquals(classes, read.classes());
    assertSame(Loss.parse(loss), read.loss());
    assertEquals(Optional.of(new ImageShape(3, 4)), read.shape());
    assertTrue(read.named());
  }

  @Test
  void theMetadataSaysAllThatIsNeededToUseTheModel() {
    Parameters parameters = Initializer.PYTORCH.create(new Architecture(784, List.of(30), 1), 1);
    new ModelFile(parameters, List.of("0", "5"), Loss.BCE, new ImageShape(28, 28)).write(file);
    Safetensors content = Safetensors.read(file);
    assertEquals(
        Map.of(
            "format", "zerofive",
            "classes", "[\"0\",\"5\"]",
            "loss", "bce",
            "layers", "784-30-1",
            "height", "28",
            "width", "28",
            "normalisation", "float32(byte) / 255"),
        content.metadata());
    assertEquals(
        List.of("0.weight", "0.bias", "2.weight", "2.bias"),
        List.copyOf(content.tensors().keySet()));
    assertEquals(List.of(30, 784), content.tensors().get("0.weight").shape());
  }

  /** Conv2d(1, 2, 3, 2, 2), ReLU, Conv2d(2, 3, 3, 2), ReLU, Flatten, Linear(inputs, outputs). */
  private static SafetensorsBytes convolutions(String metadata, int kernel, int inputs) {
    return new SafetensorsBytes()
        .metadata(metadata)
        .counting("0.weight", 0, 2, 1, kernel, kernel)
        .counting("0.bias", 0, 2)
        .counting("2.weight", 0, 3, 2, kernel, kernel)
        .counting("2.bias", 0, 3)
        .counting("5.weight", 0, 4, inputs)
        .counting("5.bias", 0, 4);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | 147 | 28x28-2/2-3/2-4",
        "{\"height\":\"5\",\"width\":\"7\"} | 6 | 5x7-2/2-3/2-4",
        "{\"layers\":\"6x5-2/1-3/2-4\"} | 27 | 6x5-2/1-3/2-4"
      })
  void convolutionsOfPyTorchAreReadByTheirShapesAndWhatMetadataSays(
      String metadata, int inputs, String layers) throws IOException {
    put(convolutions(metadata, 3, inputs));
    ModelFile read = ModelFile.read(file);
    assertEquals(layers, read.parameters().architecture().toString());
    assertEquals(Optional.of(read.parameters().architecture().imageShape()), read.shape());
    boolean saysLayers = metadata.contains("layers");
    assertEquals(saysLayers ? 0 : 1, read.notes().size());
    if (!saysLayers) {
      String note = read.notes().get(0);
      assertTrue(note.contains("stride 2, padding 2 of the first and none of the others"), note);
    }
    // [3, 2, 3, 3] in the file is [3, 3, 3, 2] here: what stood 9 places on now stands 1 on.
    Layer second = read.parameters().architecture().layers().get(1);
    assertEquals(9, read.parameters().values()[second.weightOffset() + 1]);
  }

  @Test
  void convolutionsThatAreNotOursAreRefused() throws IOException {
    put(convolutions("{}", 3, 148));
    refused().saying("148 inputs", "28x28-2/2-3/2-4 has 147", "28x28-16/2-32/2-64/2-1");
    put(convolutions("{}", 5, 147));
    refused().saying("0.weight [2, 1, 5, 5]", "3 x 3 convolutions");
    put(convolutions("{\"layers\":\"28x28-2/2-4/2-4\"}", 3, 147));
    refused().saying("has a layer of 147 inputs");
    put(convolutions("{\"layers\":\"28x28-2/2-3/3-4\"}", 3, 147));
    refused().saying("stride 1 or 2, not 3");
    put(convolutions("{\"layers\":\"99999x99999-2/1-3/1-4\"}", 3, 147));
    refused().saying("values for one image");
    put(convolutions("{\"mean\":\"0.1\",\"std\":\"0.3\"}", 3, 147));
    refused().saying("normalised by mean and std");
    put(convolutions("{\"layers\":\"5x7-2/2-3/2-4\",\"height\":\"7\",\"width\":\"5\"}", 3, 6));
    refused().saying("7 x 5", "5x7-2/2-3/2-4");
  }

  @Test
  void theSameModelIsTheSameBytes() throws IOException {
    Parameters parameters = Initializer.NORMAL.create(new Architecture(9, List.of(4), 1), 3);
    ModelFile model = new ModelFile(parameters, List.of("0", "5"), Loss.BCE, new ImageShape(3, 3));
    model.write(file);
    byte[] first = Files.readAllBytes(file);
    model.write(file);
    assertArrayEquals(first, Files.readAllBytes(file));
  }

  /** A checkpoint puts the model's tensors beside others. */
  @Test
  void tensorsCarryThePrefixAskedFor() {
    Parameters parameters = Initializer.NORMAL.create(new Architecture(3, List.of(), 1), 3);
    Map<String, Safetensors.Tensor> tensors = ModelFile.tensors(parameters, "model.");
    assertEquals(List.of("model.weight", "model.bias"), List.copyOf(tensors.keySet()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "784 | linear | 1",
        "784 | mlp:30 | 1",
        "784 | linear | 10",
        "784 | mlp:30 | 10",
        "6 | mlp:5,4,3,2 | 7",
        "1 | mlp:1,1,1,1,1,1,1,1,1,1,1 | 1",
        "2 | linear | 3"
      })
  void aFileOfPyTorchIsReadByItsNamesAndShapes(int inputs, String model, int outputs)
      throws IOException {
    Architecture architecture = new Architecture(inputs, ModelSpec.parse(model).hidden(), outputs);
    List<Parameters.View> views = new ArrayList<>(Parameters.views(architecture));
    for (int round = 0; round < 4; round++) {
      SafetensorsBytes bytes = new SafetensorsBytes();
      for (Parameters.View view : views) {
        bytes.counting(view.name(), view.offset(), view.shape().toArray(Integer[]::new));
      }
      put(bytes);
      ModelFile read = ModelFile.read(file);
      assertEquals(architecture, read.parameters().architecture());
      float[] values = read.parameters().values();
      for (int i = 0; i < values.length; i++) {
        assertEquals(i, values[i], "value " + i + " of order " + round);
      }
      assertFalse(read.named());
      Collections.shuffle(views, new Random(round));
    }
  }

  /** nn.Sequential(Flatten(), Linear(4, 3), ReLU(), Linear(3, 1)), and Sequential(Linear(4, 1)). */
  @Test
  void bytesAreReadAsTheirFileIs() throws IOException {
    Parameters parameters = Initializer.NORMAL.create(new Architecture(9, List.of(4), 1), 3);
    new ModelFile(parameters, List.of("0", "5"), Loss.BCE, new ImageShape(3, 3)).write(file);
    byte[] bytes = Files.readAllBytes(file);
    Path name = Path.of("elsewhere.safetensors");
    assertEquals(ModelFile.read(file).sha256(), ModelFile.read(name, bytes).sha256());
    for (int length : new int[] {0, 5, 8, 100, bytes.length - 1}) {
      byte[] cut = Arrays.copyOf(bytes, length);
      Files.write(file, cut);
      String ofFile = assertThrows(InputException.class, () -> ModelFile.read(file)).getMessage();
      String ofBytes =
          assertThrows(InputException.class, () -> ModelFile.read(name, cut)).getMessage();
      assertEquals(ofFile.replace(file.toString(), name.toString()), ofBytes);
    }
  }

  @Test
  void modulesWithoutTensorsMayTakeNumbers() throws IOException {
    put(
        new SafetensorsBytes()
            .counting("1.weight", 0, 3, 4)
            .counting("1.bias", 12, 3)
            .counting("3.weight", 15, 1, 3)
            .counting("3.bias", 18, 1));
    ModelFile read = ModelFile.read(file);
    assertEquals(new Architecture(4, List.of(3), 1), read.parameters().architecture());
    for (int i = 0; i < read.parameters().values().length; i++) {
      assertEquals(i, read.parameters().values()[i]);
    }
    put(new SafetensorsBytes().counting("0.weight", 0, 1, 4).counting("0.bias", 4, 1));
    assertEquals("4-1", ModelFile.read(file).parameters().architecture().toString());
  }

  /** Sequential, ModuleList, modules with names, modules in modules; numbers in names count. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "0,1,2",
        "0,3,6",
        "fc1,fc2,fc3",
        "fc1,fc2,out",
        "net.0,net.2,net.4",
        "module.layers.8,module.layers.9,module.layers.10",
        "l08,l9,l010",
        "99999999997,99999999998,99999999999",
        "weight,weight.1,weight.2",
      })
  void layersMayHaveAnyNamesWhoseOrderIsTheirs(String names) throws IOException {
    List<String> layers = List.of(names.split(",", -1));
    List<Integer> widths = List.of(4, 3, 2, 1);
    for (List<Integer> order : List.of(List.of(0, 1, 2), List.of(2, 0, 1))) {
      SafetensorsBytes bytes = new SafetensorsBytes();
      for (int layer : order) {
        bytes
            .counting(layers.get(layer) + ".bias", 10 * layer, widths.get(layer + 1))
            .counting(
                layers.get(layer) + ".weight",
                100 * layer,
                widths.get(layer + 1),
                widths.get(layer));
      }
      put(bytes);
      ModelFile read = ModelFile.read(file);
      Parameters parameters = read.parameters();
      assertEquals(new Architecture(4, List.of(3, 2), 1), parameters.architecture());
      for (int layer = 0; layer < 3; layer++) {
        Layer at = parameters.architecture().layers().get(layer);
        assertEquals(100 * layer, parameters.values()[at.weightOffset()]);
        assertEquals(10 * layer, parameters.values()[at.biasOffset()]);
      }
      assertEquals(1, read.notes().size());
      assertTrue(
          read.notes().get(0).contains(String.join(".weight, ", layers) + ".weight"),
          read.notes().get(0));
    }
  }

  /** The file's own names and shapes, not ours, tell a user which layer it is. */
  @Test
  void aRefusalNamesTheTensorsAsTheFileDoes() throws IOException {
    put(
        new SafetensorsBytes()
            .counting("fc1.weight", 0, 3, 4)
            .counting("fc1.bias", 0, 3)
            .counting("fc2.weight", 0, 1, 4)
            .counting("fc2.bias", 0, 1));
    refused().saying("fc1.weight [3, 4]", "fc2.weight [1, 4]");
  }

  @Test
  void manyThousandTensorsAreRefusedInTime() throws IOException {
    SafetensorsBytes bytes = new SafetensorsBytes();
    for (int i = 0; i < 50_000; i++) {
      bytes.tensor(i + ".weight", List.of(0));
    }
    put(bytes);
    assertTimeoutPreemptively(Duration.ofSeconds(20), () -> refused().saying("expected"));
  }

  /** What our own files and a linear model say is all there is. */
  @Test
  void onlyWhatTheFileDoesNotTellIsNoted() throws IOException {
    put(linear("{}"));
    assertEquals(List.of(), ModelFile.read(file).notes());
    Parameters parameters = Initializer.NORMAL.create(new Architecture(3, List.of(2), 1), 3);
    ModelFile ours = new ModelFile(parameters, List.of("0", "5"), Loss.BCE, new ImageShape(1, 3));
    ours.write(file);
    assertEquals(List.of(), ModelFile.read(file).notes());
    assertEquals(Sha256.of(file), ours.sha256());
  }

  @Test
  void oneLogitWithoutNamesTellsOneFromZero() throws IOException {
    put(new SafetensorsBytes().counting("weight", 0, 1, 4).counting("bias", 4, 1));
    ModelFile read = ModelFile.read(file);
    assertEquals(List.of("1", "0"), read.classes());
    assertSame(Loss.BCE, read.loss());
  }

  @Test
  void moreLogitsWithoutNamesAreNumbered() throws IOException {
    put(new SafetensorsBytes().counting("weight", 0, 10, 4).counting("bias", 4, 10));
    ModelFile read = ModelFile.read(file);
    assertEquals(IntStream.range(0, 10).mapToObj(String::valueOf).toList(), read.classes());
    assertSame(Loss.CROSS_ENTROPY, read.loss());
  }

  /** PyTorch's own metadata says nothing about classes. */
  @Test
  void metadataOfAnotherProgramNamesNoClasses() throws IOException {
    put(
        new SafetensorsBytes()
            .metadata("{\"format\":\"pt\"}")
            .counting("weight", 0, 1, 4)
            .counting("bias", 4, 1));
    assertFalse(ModelFile.read(file).named());
  }

  /** softmax(a, b) of the first class is sigmoid(a - b). */
  @Test
  void twoLogitsAreReadAsTheirDifference() throws IOException {
    for (String metadata : List.of("{}", "{\"classes\":\"[\\\"cat\\\",\\\"dog\\\"]\"}")) {
      put(
          new SafetensorsBytes()
              .metadata(metadata)
              .counting("0.weight", 0, 3, 4)
              .counting("0.bias", 0, 3)
              .tensor("2.weight", List.of(2, 3), 1, 2, 3, 10, 30, 50)
              .tensor("2.bias", List.of(2), 5, 7));
      ModelFile read = ModelFile.read(file);
      assertEquals("4-3-1", read.parameters().architecture().toString());
      float[] values = read.parameters().values();
      assertArrayEquals(new float[] {-9, -28, -47, -2}, Arrays.copyOfRange(values, 15, 19));
      assertEquals(
          metadata.equals("{}") ? List.of("0", "1") : List.of("cat", "dog"), read.classes());
      assertSame(Loss.BCE, read.loss());
      assertTrue(
          read.notes().get(1).contains("has two logits; their difference"), read.notes().get(1));
    }
    put(
        new SafetensorsBytes()
            .tensor("weight", List.of(2, 1), Float.MAX_VALUE, -Float.MAX_VALUE)
            .counting("bias", 0, 2));
    refused().saying("two logits whose difference is more than float32 holds");
  }

  @Test
  void layersWhoseShapesChainInSeveralOrdersButNotByNameAreRefused() throws IOException {
    put(
        new SafetensorsBytes()
            .counting("stem.weight", 0, 3, 4)
            .counting("left.weight", 0, 3, 3)
            .counting("right.weight", 0, 3, 3)
            .counting("head.weight", 0, 1, 3));
    refused().saying("more than one order, but not by their names", "after stem.weight may come");
    refused().saying("left.weight or right.weight; rename the tensors");
    put(
        new SafetensorsBytes()
            .counting("a.weight", 0, 2, 3)
            .counting("b.weight", 0, 4, 1)
            .counting("c.weight", 0, 1, 2)
            .counting("d.weight", 0, 3, 4));
    refused().saying("first may come a.weight or b.weight or c.weight or d.weight");
  }

  /** Names and shapes of layers in their true order, which is not that of their names. */
  @ParameterizedTest
  @CsvSource({
    "'features,classifier', '4,3,5'",
    "'linear1,fc', '4,3,1'",
    "'input,hidden,output', '4,3,3,5'",
    "'d,c,a,b', '2,3,2,4,1'",
  })
  void layersWhoseNamesRunAgainstTheirOrderAreTakenByTheirShapes(String names, String widths)
      throws IOException {
    List<String> layers = List.of(names.split(",", -1));
    int[] sizes = Arrays.stream(widths.split(",", -1)).mapToInt(Integer::parseInt).toArray();
    SafetensorsBytes bytes = new SafetensorsBytes();
    for (int i = layers.size() - 1; i >= 0; i--) {
      bytes
          .counting(layers.get(i) + ".weight", 100 * i, sizes[i + 1], sizes[i])
          .counting(layers.get(i) + ".bias", 0, sizes[i + 1]);
    }
    put(bytes);
    ModelFile read = ModelFile.read(file);
    for (Layer layer : read.parameters().architecture().layers()) {
      float first = read.parameters().values()[layer.weightOffset()];
      assertEquals(100 * read.parameters().architecture().layers().indexOf(layer), first);
    }
    String order =
        String.join(".weight, ", layers) + ".weight are taken in this order, the only one";
    assertTrue(read.notes().get(0).contains(order), read.notes().get(0));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "weights,biases",
        "0.Weight,0.bias,2.Weight,2.bias",
        "0.weight,0.b,2.weight,2.bias",
        "0.weight.weight,bias",
        "0weight,0bias",
        "fc1.weight,fc2.bias",
        "fc1.weight,fc1.bias,fc2.weight,fc3.bias",
      })
  void foreignTensorNamesAreRefused(String names) throws IOException {
    SafetensorsBytes bytes = new SafetensorsBytes();
    for (String name : names.split(",", -1)) {
      if (name.toLowerCase(Locale.ROOT).endsWith("weight")) {
        bytes.counting(name, 1, 3, 3);
      } else {
        bytes.counting(name, 1, 3);
      }
    }
    put(bytes);
    refused().saying("expected");
  }

  @Test
  void aFileWithoutTensorsIsRefused() throws IOException {
    put(new SafetensorsBytes());
    refused().saying("no tensors", "expected weight and bias");
  }

  @Test
  void aMissingBiasOrWeightIsRefused() throws IOException {
    put(new SafetensorsBytes().counting("weight", 0, 1, 4));
    refused().saying("weight", "expected");
    put(new SafetensorsBytes().counting("bias", 0, 1));
    refused().saying("bias", "expected");
    put(net().without("0.bias"));
    refused().saying("2.bias", "expected");
    put(net().without("2.weight"));
    refused().saying("2.bias", "expected");
  }

  @Test
  void anExtraTensorIsRefused() throws IOException {
    for (String name : List.of("weight", "bias", "4.bias", "step", "0.weight_g")) {
      put(net().bytes().counting(name, 1, 1));
      refused().saying(name, "expected");
    }
    put(
        new SafetensorsBytes()
            .counting("weight", 0, 1, 4)
            .counting("bias", 0, 1)
            .counting("0.weight", 0, 1, 4)
            .counting("0.bias", 0, 1));
    refused().saying("expected");
  }

  @Test
  void shapesThatDoNotChainAreRefused() throws IOException {
    put(
        new SafetensorsBytes()
            .counting("0.weight", 0, 3, 4)
            .counting("0.bias", 0, 3)
            .counting("2.weight", 0, 1, 4)
            .counting("2.bias", 0, 1));
    refused().saying("2.weight", "expected");
  }

  @Test
  void aBiasOfAnotherShapeIsRefusedWithTheShapeExpected() throws IOException {
    put(new SafetensorsBytes().counting("weight", 0, 1, 4).counting("bias", 0, 2));
    refused().saying("[2]", "bias", "expected shape [1]", "4-1");
    put(new SafetensorsBytes().counting("weight", 0, 1, 4).counting("bias", 0, 1, 1));
    refused().saying("[1, 1]", "bias", "expected shape [1]");
    put(new SafetensorsBytes().counting("weight", 0, 1, 4).tensor("bias", List.of(), 1));
    refused().saying("[]", "bias", "expected shape [1]");
  }

  @Test
  void aWeightThatIsNoMatrixIsRefused() throws IOException {
    put(new SafetensorsBytes().counting("weight", 0, 4).counting("bias", 0, 1));
    refused().saying("weight", "expected");
    put(new SafetensorsBytes().counting("weight", 0, 1, 4, 1).counting("bias", 0, 1));
    refused().saying("weight", "expected");
    put(new SafetensorsBytes().tensor("weight", List.of(), 1).counting("bias", 0, 1));
    refused().saying("weight", "expected");
  }

  @Test
  void anEmptyLayerIsRefused() throws IOException {
    put(new SafetensorsBytes().counting("weight", 0, 0, 4).counting("bias", 0, 0));
    refused().saying("at least one");
    put(new SafetensorsBytes().counting("weight", 0, 1, 0).counting("bias", 0, 1));
    refused().saying("at least one");
  }

  @Test
  void moreLayersThanAllowedAreRefused() throws IOException {
    SafetensorsBytes bytes = new SafetensorsBytes();
    for (int i = 0; i < 65; i++) {
      bytes.counting(2 * i + ".weight", 1, 1, 1).counting(2 * i + ".bias", 1, 1);
    }
    put(bytes);
    refused().saying("64 hidden layers");
  }

  @Test
  void aLayerListThatContradictsTheTensorsIsRefused() throws IOException {
    put(linear("{\"classes\":\"[\\\"0\\\",\\\"5\\\"]\",\"layers\":\"784-30-1\"}"));
    refused().saying("784-30-1", "4-1");
  }

  @ParameterizedTest
  @CsvSource({
    "'\"height\":\"2\",\"width\":\"3\"', height 2 and width 3",
    "'\"height\":\"4\"', height 4 and width (none)",
    "'\"height\":\"-2\",\"width\":\"-2\"', height -2 and width -2",
    "'\"height\":\"two\",\"width\":\"2\"', height two and width 2",
    "'\"height\":\"65536\",\"width\":\"65536\"', height 65536",
  })
  void aSizeThatIsNotThatOfThePixelsIsRefused(String metadata, String said) throws IOException {
    put(linear("{" + metadata + "}"));
    refused().saying(said, "its tensors take 4 pixels");
  }

  @Test
  void meanAndStdAreKeptAndFoldedIntoTheFirstLayer() throws IOException {
    put(net().bytes());
    ModelFile foreign = ModelFile.read(file);
    assertEquals(Optional.empty(), foreign.normalisation());
    assertSame(foreign.parameters(), foreign.foldedParameters());
    foreign.with(new Normalisation(0.25f, 0.5f)).write(file);
    Map<String, String> metadata = Safetensors.read(file).metadata();
    assertEquals("(float32(byte) / 255 - mean) / std", metadata.get("normalisation"));
    assertEquals("0.25 0.5", metadata.get("mean") + " " + metadata.get("std"));
    ModelFile read = ModelFile.read(file);
    assertArrayEquals(bits(foreign.parameters()), bits(read.parameters()));
    // The first of three rows is 1, 2, 3, 4, its bias 1.
    float[] folded = read.foldedParameters().values();
    assertArrayEquals(new float[] {2, 4, 6, 8}, Arrays.copyOf(folded, 4));
    assertEquals(1 - 0.5f * 10, folded[12]);
    assertEquals(foreign.parameters().values()[15], folded[15], "a weight of the second layer");
  }

  @ParameterizedTest
  @CsvSource({
    "'\"mean\":\"0.1\"', mean 0.1 and std (none)",
    "'\"mean\":\"0.1\",\"std\":\"0\"', mean 0.1 and std 0",
    "'\"mean\":\"NaN\",\"std\":\"1\"', mean NaN and std 1",
    "'\"mean\":\"[0.4, 0.5]\",\"std\":\"1\"', 'mean [0.4, 0.5] and std 1'",
  })
  void aMeanOrStdThatIsNoneIsRefused(String metadata, String said) throws IOException {
    put(linear("{" + metadata + "}"));
    refused().saying(said, "expected a number and one above 0");
  }

  /** Earlier versions and PyTorch do not write it. */
  @Test
  void withoutASizeAnyImageOfAsManyPixelsIsTaken() throws IOException {
    put(linear("{}"));
    ModelFile read = ModelFile.read(file);
    assertEquals(Optional.empty(), read.shape());
    assertTrue(read.takes(new ImageShape(1, 4)) && read.takes(new ImageShape(2, 2)));
    put(linear("{\"height\":\"4\",\"width\":\"1\"}"));
    read = ModelFile.read(file);
    assertEquals("4 x 1 pixels (height x width)", read.images());
    assertFalse(read.takes(new ImageShape(1, 4)) || read.takes(new ImageShape(2, 2)));
  }

  @Test
  void moreClassesThanTheLogitsTellApartAreRefused() throws IOException {
    put(linear("{\"classes\":\"[\\\"0\\\",\\\"5\\\",\\\"7\\\"]\"}"));
    refused().saying("3 classes", "3 logits, but has 1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"hinge", "", "BCE", "cross-entropy"})
  void aLossThatIsUnknownOrNotForSoManyClassesIsRefused(String loss) throws IOException {
    put(linear("{\"classes\":\"[\\\"0\\\",\\\"5\\\"]\",\"loss\":\"" + loss + "\"}"));
    refused().saying(loss);
  }

  @Test
  void withoutALossTheDefaultForTheClassesIsTaken() throws IOException {
    put(linear("{\"classes\":\"[\\\"0\\\",\\\"5\\\"]\"}"));
    assertSame(Loss.BCE, ModelFile.read(file).loss());
    assertTrue(ModelFile.read(file).named());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "0,5",
        "null",
        "17",
        "{}",
        "[",
        "[]",
        "['0']",
        "['0','0']",
        "['0','5','0']",
        "[0,5]",
        "[a,b]",
        "[null,'5']",
        "[true,false]",
        "[['0'],'5']",
        "[{},{}]",
        "['0','5'],",
        "['0','5'] x",
        "['0','5'",
        "['0';'5']",
      })
  void classesThatAreNotAListOfDifferentTextsAreRefused(String classes) throws IOException {
    put(linear("{\"classes\":\"" + classes.replace("'", "\\\"") + "\"}"));
    refused().saying("classes");
  }

  @Test
  void deeplyNestedClassesAreRefused() throws IOException {
    put(linear("{\"classes\":\"" + "[".repeat(100_000) + "\"}"));
    refused().saying("classes");
  }

  @Test
  void assemblingForAnotherArchitectureSaysWhatIsMissing() throws IOException {
    put(net().bytes());
    Map<String, Safetensors.Tensor> tensors = Safetensors.read(file).tensors();
    Refusal.of(() -> ModelFile.assemble(file, tensors, new Architecture(4, List.of(3, 2), 1)))
        .saying(file.toString(), "2.weight", "expected shape [2, 3]", "4-3-2-1");
    Refusal.of(() -> ModelFile.assemble(file, tensors, new Architecture(4, List.of(), 1)))
        .saying(file.toString(), "no tensor weight", "expected shape [1, 4]");
  }

  /** The tensors of a net 4-3-1, some of which may be left out. */
  private record Net(List<String> names) {
    Net without(String name) {
      return new Net(names.stream().filter(other -> !other.equals(name)).toList());
    }

    SafetensorsBytes bytes() {
      Map<String, Integer[]> shapes =
          Map.of(
              "0.weight", new Integer[] {3, 4},
              "0.bias", new Integer[] {3},
              "2.weight", new Integer[] {1, 3},
              "2.bias", new Integer[] {1});
      SafetensorsBytes bytes = new SafetensorsBytes();
      names.forEach(name -> bytes.counting(name, 1, shapes.get(name)));
      return bytes;
    }
  }

  private static Net net() {
    return new Net(List.of("0.weight", "0.bias", "2.weight", "2.bias"));
  }

  private static SafetensorsBytes linear(String metadata) {
    return new SafetensorsBytes()
        .metadata(metadata)
        .counting("weight", 0, 1, 4)
        .counting("bias", 4, 1);
  }

  private void put(Net net) throws IOException {
    put(net.bytes());
  }

  private void put(SafetensorsBytes bytes) throws IOException {
    Files.write(file, bytes.file());
  }

  private Refusal refused() {
    return Refusal.of(() -> ModelFile.read(file)).saying(file.toString());
  }

  private static int[] bits(Parameters parameters) {
    return IntStream.range(0, parameters.values().length)
        .map(i -> Float.floatToRawIntBits(parameters.values()[i]))
        .toArray();
  }
}
