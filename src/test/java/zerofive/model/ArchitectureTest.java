package zerofive.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.image.ImageShape;

class ArchitectureTest {
  private static final ImageShape MNIST = new ImageShape(28, 28);

  @Test
  void linearHasNoHiddenLayer() {
    assertEquals(List.of(), ModelSpec.parse("linear").hidden());
  }

  @Test
  void widthsAreParsedInOrder() {
    assertEquals(List.of(30), ModelSpec.parse("mlp:30").hidden());
    assertEquals(List.of(512, 256, 1), ModelSpec.parse("mlp:512,256,1").hidden());
    assertEquals(List.of(128, 64), ModelSpec.parse("mlp:128, 64").hidden());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "mlp",
        "mlp30",
        "MLP:30",
        "Linear",
        " linear",
        "linear:30",
        "cnn16",
        "cnn:0a",
        "cnn:16,",
        "cnn:16/",
        "cnn:16+",
        "cnn:16+0",
        "cnn:+30",
        "CNN",
        "mlp:",
        "mlp:0",
        "mlp:-3",
        "mlp:30,",
        "mlp:,30",
        "mlp:30,,10",
        "mlp:1e3",
        "mlp:30.0",
        "mlp:0x1e",
        "mlp:thirty",
        "mlp:30;10",
        "mlp:2147483648",
        "mlp:99999999999999999999",
        "mlp:30,0"
      })
  void anythingElseIsRefusedInItsOwnWords(String text) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ModelSpec.parse(text)).getMessage();
    assertTrue(message.contains("'" + text + "'"), message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cnn:0 | 1 to 512 channels, not 0",
        "cnn:513 | 1 to 512 channels, not 513",
        "cnn:16/3 | stride 1 or 2, not 3",
        "cnn:16/0 | stride 1 or 2, not 0",
        "cnn:1,1,1,1,1,1,1,1,1 | 9 convolutions are more than the 8 allowed"
      })
  void aConvolutionHasLimits(String text, String reason) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> ModelSpec.parse(text)).getMessage();
    assertTrue(message.contains(reason), message);
  }

  /** The widths of the images: 28 + 2 * 2 = 32, 15, 7, 3. */
  @Test
  void aConvolutionalNetEndsInFullyConnectedLayers() {
    Architecture net = Architecture.of("cnn", MNIST, 1);
    assertEquals(
        List.of(
            new Layer("0.", new Window(28, 28, 1, 16, 3, 2, 2), 0, Activation.RELU),
            new Layer("2.", new Window(15, 15, 16, 32, 3, 2, 0), 160, Activation.RELU),
            new Layer("4.", new Window(7, 7, 32, 64, 3, 2, 0), 4800, Activation.RELU),
            new Layer("7.", Window.dense(576, 1), 23_296, Activation.IDENTITY)),
        net.layers());
    assertEquals(3, net.convolutions());
    assertEquals(784, net.inputs());
    assertEquals(MNIST, net.imageShape());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cnn | cnn:16,32,64 | 28x28-16/2-32/2-64/2-1",
        "cnn:8/1,9,7+30,20 | cnn:8/1,9,7+30,20 | 28x28-8/1-9/2-7/2-30-20-1",
        "cnn+128 | cnn:16,32,64+128 | 28x28-16/2-32/2-64/2-128-1"
      })
  void aConvolutionalNetIsReadFromItsNameAndFromItsLayers(
      String model, String name, String layers) {
    Architecture net = Architecture.of(model, MNIST, 1);
    assertEquals(name, net.name());
    assertEquals(layers, net.toString());
    assertTrue(Architecture.isConvolutional(layers));
    assertEquals(net, Architecture.parse(layers));
    assertEquals(net, Architecture.of(net.name(), MNIST, 1));
  }

  @Test
  void imagesThatAreTooSmallOrTooLargeForConvolutionsAreRefused() {
    refused("cnn:4,4,4", new ImageShape(5, 40), "1 x 10 before convolution 3");
    refused("cnn:4", new ImageShape(20_000, 20_000), "values for one image");
    assertEquals(4, Architecture.of("cnn:4", new ImageShape(1, 1), 1).windows().get(0).positions());
  }

  private static void refused(String model, ImageShape images, String reason) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> Architecture.of(model, images, 1))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }

  @Test
  void theLayersFollowEachOtherInTheFlatParameters() {
    assertEquals(
        List.of(
            new Layer("0.", Window.dense(5, 3), 0, Activation.RELU),
            new Layer("2.", Window.dense(3, 2), 18, Activation.RELU),
            new Layer("4.", Window.dense(2, 4), 26, Activation.IDENTITY)),
        new Architecture(5, List.of(3, 2), 4).layers());
  }

  @Test
  void theLinearModelIsOneLayerNamedWithoutANumber() {
    List<Layer> layers = new Architecture(784, List.of(), 1).layers();
    assertEquals(List.of(new Layer("", Window.dense(784, 1), 0, Activation.IDENTITY)), layers);
    assertEquals("weight", layers.get(0).weightName());
    assertEquals("bias", layers.get(0).biasName());
  }

  @Test
  void aLayerNamesItsTensorsAndPlacesItsBiasBehindItsWeight() {
    Layer layer = new Architecture(784, List.of(30), 1).layers().get(1);
    assertEquals("2.weight", layer.weightName());
    assertEquals("2.bias", layer.biasName());
    assertEquals(30, layer.weightCount());
    assertEquals(784 * 30 + 30, layer.weightOffset());
    assertEquals(784 * 30 + 30 + 30, layer.biasOffset());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "linear | 1 | 785 | 784-1",
        "linear | 10 | 7850 | 784-10",
        "mlp:30 | 1 | 23581 | 784-30-1",
        "mlp:128,64 | 10 | 109386 | 784-128-64-10",
        "mlp:1 | 1 | 787 | 784-1-1"
      })
  void aModelKnowsItsNameItsWidthsAndItsSize(
      String name, int outputs, int parameters, String widths) {
    Architecture architecture = Architecture.of(name, MNIST, outputs);
    assertEquals(name, architecture.name());
    assertEquals(widths, architecture.toString());
    assertEquals(parameters, architecture.parameterCount());
  }

  @Test
  void sixtyFourLayersAreTheMost() {
    Architecture deepest = new Architecture(2, Collections.nCopies(63, 1), 1);
    assertEquals(64, deepest.layers().size());
    assertEquals(3 + 63 * 2, deepest.parameterCount());
    refused(2, Collections.nCopies(64, 1), 1, "64 hidden layers");
    refused(2, Collections.nCopies(100_000, 1), 1, "100000 hidden layers");
  }

  @Test
  void twoToTheTwentySevenParametersAreTheMost() {
    assertEquals(1 << 27, new Architecture((1 << 27) - 1, List.of(), 1).parameterCount());
    refused(1 << 27, List.of(), 1, "parameters");
    refused(784, List.of(1 << 20), 1, "parameters");
    refused(784, List.of(Integer.MAX_VALUE), 1, "parameters");
    refused(
        Integer.MAX_VALUE,
        List.of(Integer.MAX_VALUE, Integer.MAX_VALUE),
        Integer.MAX_VALUE,
        "parameters");
  }

  @Test
  void noLayerIsEmpty() {
    refused(0, List.of(), 1, "at least one");
    refused(784, List.of(), 0, "at least one");
    refused(784, List.of(30, 0), 1, "at least one");
    refused(784, List.of(-30), 1, "at least one");
    refused(-1, List.of(-1), 1, "at least one");
  }

  @Test
  void theWidthsCannotBeChangedFromOutside() {
    List<Integer> hidden = new ArrayList<>(List.of(30));
    Architecture architecture = new Architecture(784, hidden, 1);
    hidden.set(0, 0);
    assertEquals("784-30-1", architecture.toString());
  }

  private static void refused(int inputs, List<Integer> hidden, int outputs, String reason) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> new Architecture(inputs, hidden, outputs))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }
}
