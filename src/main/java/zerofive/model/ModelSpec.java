package zerofive.model;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A model as the command line names it, for images of any size and any number of classes: {@code
 * linear}, {@code mlp:128,64}, {@code cnn:16,32/1,64+128}.
 *
 * @param convolutions in order
 * @param hidden units of each hidden fully connected layer
 */
public record ModelSpec(List<Convolution> convolutions, List<Integer> hidden) {
  private static final String LINEAR = "linear";
  private static final String MLP = "mlp:";
  private static final String CNN = "cnn";

  /** What {@code cnn} alone stands for. */
  private static final List<Convolution> DEFAULT_CONVOLUTIONS =
      List.of(new Convolution(16, 2), new Convolution(32, 2), new Convolution(64, 2));

  private static final int MAX_CONVOLUTIONS = 8;
  private static final int MAX_HIDDEN = 63;

  /**
   * A convolutional layer.
   *
   * @param channels it makes
   * @param stride of its window, 1 or 2
   */
  public record Convolution(int channels, int stride) {
    private static final int MAX_CHANNELS = 512;
    private static final int DEFAULT_STRIDE = 2;

    /** Throws IllegalArgumentException. */
    public Convolution {
      if (channels < 1 || channels > MAX_CHANNELS) {
        throw new IllegalArgumentException(
            "a convolution has 1 to " + MAX_CHANNELS + " channels, not " + channels);
      }
      if (stride < 1 || stride > 2) {
        throw new IllegalArgumentException("a convolution has stride 1 or 2, not " + stride);
      }
    }

    @Override
    public String toString() {
      return stride == DEFAULT_STRIDE ? String.valueOf(channels) : channels + "/" + stride;
    }
  }

  /** Throws IllegalArgumentException where there are too many layers. */
  public ModelSpec {
    convolutions = List.copyOf(convolutions);
    hidden = List.copyOf(hidden);
    if (convolutions.size() > MAX_CONVOLUTIONS) {
      throw new IllegalArgumentException(
          convolutions.size() + " convolutions are more than the " + MAX_CONVOLUTIONS + " allowed");
    }
    if (hidden.size() > MAX_HIDDEN) {
      throw new IllegalArgumentException(
          hidden.size() + " hidden layers are more than the " + MAX_HIDDEN + " allowed");
    }
  }

  /** Parses a model's name; throws IllegalArgumentException. */
  public static ModelSpec parse(String text) {
    if (text.equals(LINEAR)) {
      return new ModelSpec(List.of(), List.of());
    }
    if (text.startsWith(MLP)) {
      return new ModelSpec(List.of(), widths(text, text.substring(MLP.length())));
    }
    if (isConvolutional(text)) {
      int plus = text.indexOf('+');
      String layers = text.substring(CNN.length(), plus < 0 ? text.length() : plus);
      return new ModelSpec(
          layers.isEmpty() ? DEFAULT_CONVOLUTIONS : convolutions(text, layers.substring(1)),
          plus < 0 ? List.of() : widths(text, text.substring(plus + 1)));
    }
    throw new IllegalArgumentException(
        "unknown model '"
            + text
            + "'; known are linear, mlp:30, mlp:128,64, cnn, cnn:16,32,64 and so on");
  }

  /** Whether a name is that of a convolutional net. */
  public static boolean isConvolutional(String name) {
    return name.equals(CNN) || name.startsWith(CNN + ":") || name.startsWith(CNN + "+");
  }

  private static List<Convolution> convolutions(String model, String text) {
    List<Convolution> convolutions = new ArrayList<>();
    for (String layer : text.split(",", -1)) {
      int slash = layer.indexOf('/');
      int channels = number(model, slash < 0 ? layer : layer.substring(0, slash), "channels");
      int stride =
          slash < 0
              ? Convolution.DEFAULT_STRIDE
              : number(model, layer.substring(slash + 1), "pixels for a stride");
      convolutions.add(new Convolution(channels, stride));
    }
    return convolutions;
  }

  private static List<Integer> widths(String model, String text) {
    List<Integer> widths = new ArrayList<>();
    for (String width : text.split(",", -1)) {
      int units = number(model, width, "units");
      if (units < 1) {
        throw new IllegalArgumentException("'" + model + "' has a layer of " + units + " units");
      }
      widths.add(units);
    }
    return widths;
  }

  private static int number(String model, String text, String what) {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      String example = isConvolutional(model) ? "cnn:16,32/1+128" : "mlp:30";
      throw new IllegalArgumentException(
          "'"
              + text
              + "' in '"
              + model
              + "' is not a number of "
              + what
              + "; "
              + example
              + " is an example",
          e);
    }
  }

  /** The name that {@link #parse} reads. */
  @Override
  public String toString() {
    String widths = hidden.stream().map(String::valueOf).collect(Collectors.joining(","));
    if (!convolutions.isEmpty()) {
      String layers =
          convolutions.stream().map(Convolution::toString).collect(Collectors.joining(","));
      return CNN + ":" + layers + (widths.isEmpty() ? "" : "+" + widths);
    }
    return widths.isEmpty() ? LINEAR : MLP + widths;
  }
}
