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

class ArchitectureTest {
  @Test
  void linearHasNoHiddenLayer() {
    assertEquals(List.of(), Architecture.parseHidden("linear"));
  }

  @Test
  void widthsAreParsedInOrder() {
    assertEquals(List.of(30), Architecture.parseHidden("mlp:30"));
    assertEquals(List.of(512, 256, 1), Architecture.parseHidden("mlp:512,256,1"));
    assertEquals(List.of(128, 64), Architecture.parseHidden("mlp:128, 64"));
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
        "cnn",
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
        assertThrows(IllegalArgumentException.class, () -> Architecture.parseHidden(text))
            .getMessage();
    assertTrue(message.contains("'" + text + "'"), message);
  }

  @Test
  void theLayersFollowEachOtherInTheFlatParameters() {
    assertEquals(
        List.of(
            new Layer("0.", 5, 3, 0, Activation.RELU),
            new Layer("2.", 3, 2, 18, Activation.RELU),
            new Layer("4.", 2, 4, 26, Activation.IDENTITY)),
        new Architecture(5, List.of(3, 2), 4).layers());
  }

  @Test
  void theLinearModelIsOneLayerNamedWithoutANumber() {
    List<Layer> layers = new Architecture(784, List.of(), 1).layers();
    assertEquals(List.of(new Layer("", 784, 1, 0, Activation.IDENTITY)), layers);
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
    Architecture architecture = new Architecture(784, Architecture.parseHidden(name), outputs);
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
    assertEquals(List.of(30), architecture.hidden());
  }

  private static void refused(int inputs, List<Integer> hidden, int outputs, String reason) {
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> new Architecture(inputs, hidden, outputs))
            .getMessage();
    assertTrue(message.contains(reason), message);
  }
}
