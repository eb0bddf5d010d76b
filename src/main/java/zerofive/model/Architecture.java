package zerofive.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A multi-layer perceptron by its widths: Linear, ReLU, Linear, ReLU, ..., Linear. Without hidden
 * layers it is the linear model.
 *
 * @param inputs pixels of an image
 * @param hidden units of each hidden layer
 * @param outputs logits: one for two classes, else one for each class
 */
public record Architecture(int inputs, List<Integer> hidden, int outputs) {
  /** 2^27 parameters are 512 MiB of float32, and as much again for gradients and each moment. */
  private static final long MAX_PARAMETERS = 1L << 27;

  private static final int MAX_LAYERS = 64;

  /** Throws IllegalArgumentException where the widths make no model this program can hold. */
  public Architecture {
    hidden = List.copyOf(hidden);
    if (hidden.size() >= MAX_LAYERS) {
      throw new IllegalArgumentException(
          hidden.size() + " hidden layers are more than the " + (MAX_LAYERS - 1) + " allowed");
    }
    long parameters = 0;
    long width = inputs;
    for (int i = 0; i <= hidden.size(); i++) {
      long next = i < hidden.size() ? hidden.get(i) : outputs;
      if (width < 1 || next < 1) {
        throw new IllegalArgumentException("a layer needs at least one input and one output");
      }
      parameters += (width + 1) * next;
      if (parameters > MAX_PARAMETERS) {
        throw new IllegalArgumentException(
            "the model would have over " + MAX_PARAMETERS + " parameters; choose smaller layers");
      }
      width = next;
    }
  }

  /**
   * The hidden widths named by {@code linear}, {@code mlp:30}, {@code mlp:128,64}; throws
   * IllegalArgumentException for anything else.
   */
  public static List<Integer> parseHidden(String text) {
    if (text.equals("linear")) {
      return List.of();
    }
    if (!text.startsWith("mlp:")) {
      throw new IllegalArgumentException(
          "unknown model '" + text + "'; known are linear, mlp:30, mlp:128,64 and so on");
    }
    List<Integer> widths = new ArrayList<>();
    for (String width : text.substring("mlp:".length()).split(",", -1)) {
      try {
        int units = Integer.parseInt(width.strip());
        if (units < 1) {
          throw new IllegalArgumentException("'" + text + "' has a layer of " + units + " units");
        }
        widths.add(units);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "'" + width + "' in '" + text + "' is not a number of units; mlp:30 is an example", e);
      }
    }
    return widths;
  }

  /** How the command line names this model: {@code linear} or {@code mlp:30}. */
  public String name() {
    return hidden.isEmpty()
        ? "linear"
        : "mlp:" + hidden.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** The layers in order, with their places in the flat parameters. */
  public List<Layer> layers() {
    List<Layer> layers = new ArrayList<>();
    int offset = 0;
    int width = inputs;
    for (int i = 0; i <= hidden.size(); i++) {
      boolean last = i == hidden.size();
      Layer layer =
          new Layer(
              hidden.isEmpty() ? "" : 2 * i + ".",
              width,
              last ? outputs : hidden.get(i),
              offset,
              last ? Activation.IDENTITY : Activation.RELU);
      layers.add(layer);
      offset = layer.biasOffset() + layer.outputs();
      width = layer.outputs();
    }
    return layers;
  }

  /** Length of the flat parameter array. */
  public int parameterCount() {
    List<Layer> layers = layers();
    Layer last = layers.get(layers.size() - 1);
    return last.biasOffset() + last.outputs();
  }

  /** The widths: {@code 784-30-1}. */
  @Override
  public String toString() {
    StringBuilder widths = new StringBuilder().append(inputs);
    hidden.forEach(width -> widths.append('-').append(width));
    return widths.append('-').append(outputs).toString();
  }
}
