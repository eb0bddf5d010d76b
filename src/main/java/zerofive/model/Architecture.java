package zerofive.model;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import zerofive.data.image.ImageShape;
import zerofive.model.ModelSpec.Convolution;

/**
 * A model's layers, each a {@link Window}: convolutions, if any, then fully connected layers, with
 * ReLU between them. A single fully connected layer is the linear model.
 *
 * @param windows of the layers, in order; the last is fully connected
 */
public record Architecture(List<Window> windows) {
  /** 2^27 parameters are 512 MiB of float32, and as much again for gradients and each moment. */
  private static final long MAX_PARAMETERS = 1L << 27;

  /** Side of a convolution's window. */
  public static final int KERNEL = 3;

  /** Zeros around the images of the first convolution; the later ones have none. */
  private static final int BORDER = 2;

  /** What {@link #toString} writes of a net with convolutions. */
  private static final Pattern CONVOLUTIONAL =
      Pattern.compile("(\\d{1,5})x(\\d{1,5})((?:-\\d{1,3}/\\d)+)((?:-\\d{1,9})+)");

  /** Throws IllegalArgumentException where the layers make no model this program can hold. */
  public Architecture {
    windows = List.copyOf(windows);
    long parameters = 0;
    for (int i = 0; i < windows.size(); i++) {
      Window window = windows.get(i);
      if (i > 0 && window.inputSize() != windows.get(i - 1).outputSize()) {
        throw new IllegalArgumentException(
            window + " does not read what " + windows.get(i - 1) + " makes");
      }
      parameters += ((long) window.fanIn() + 1) * window.outputs();
      if (parameters > MAX_PARAMETERS) {
        throw new IllegalArgumentException(
            "the model would have over " + MAX_PARAMETERS + " parameters; choose smaller layers");
      }
    }
  }

  /**
   * A net of fully connected layers.
   *
   * @param inputs pixels of an image
   * @param hidden units of each hidden layer
   * @param outputs logits: one for two classes, else one for each class
   */
  public Architecture(int inputs, List<Integer> hidden, int outputs) {
    this(dense(inputs, hidden, outputs));
  }

  /**
   * A model for images of this shape.
   *
   * @param outputs logits: one for two classes, else one for each class
   * @throws IllegalArgumentException where the images are too small or the layers too large
   */
  public static Architecture of(ModelSpec spec, ImageShape images, int outputs) {
    if (spec.convolutions().isEmpty()) {
      return new Architecture(images.pixels(), spec.hidden(), outputs);
    }
    List<Window> windows = new ArrayList<>();
    int height = images.height();
    int width = images.width();
    int channels = 1;
    for (Convolution layer : spec.convolutions()) {
      int border = windows.isEmpty() ? BORDER : 0;
      if (Math.min(height, width) + 2 * border < KERNEL) {
        throw new IllegalArgumentException(
            "images of "
                + images.describe()
                + " have shrunk to "
                + height
                + " x "
                + width
                + " before convolution "
                + (windows.size() + 1)
                + ", whose window is "
                + KERNEL
                + " x "
                + KERNEL
                + "; choose fewer convolutions, or a stride of 1 as in cnn:16/1,32,64");
      }
      Window window =
          new Window(height, width, channels, layer.channels(), KERNEL, layer.stride(), border);
      windows.add(window);
      height = window.outputHeight();
      width = window.outputWidth();
      channels = window.outputs();
    }
    windows.addAll(dense(height * width * channels, spec.hidden(), outputs));
    return new Architecture(windows);
  }

  /** The model named {@code model}: {@link #of(ModelSpec, ImageShape, int)}. */
  public static Architecture of(String model, ImageShape images, int outputs) {
    return of(ModelSpec.parse(model), images, outputs);
  }

  private static List<Window> dense(int inputs, List<Integer> hidden, int outputs) {
    List<Window> windows = new ArrayList<>();
    int width = inputs;
    for (int units : new ModelSpec(List.of(), hidden).hidden()) {
      windows.add(Window.dense(width, units));
      width = units;
    }
    windows.add(Window.dense(width, outputs));
    return windows;
  }

  /** Whether a text is {@link #toString} of a net with convolutions, which {@link #parse} reads. */
  public static boolean isConvolutional(String layers) {
    return CONVOLUTIONAL.matcher(layers).matches();
  }

  /** The net with convolutions that {@link #toString} wrote; throws IllegalArgumentException. */
  public static Architecture parse(String layers) {
    Matcher matcher = CONVOLUTIONAL.matcher(layers);
    if (!matcher.matches()) {
      throw new IllegalArgumentException("'" + layers + "' is not 28x28-16/2-32/2-1 or the like");
    }
    List<Convolution> convolutions = new ArrayList<>();
    for (String layer : matcher.group(3).substring(1).split("-", -1)) {
      int slash = layer.indexOf('/');
      convolutions.add(
          new Convolution(
              Integer.parseInt(layer.substring(0, slash)),
              Integer.parseInt(layer.substring(slash + 1))));
    }
    List<Integer> widths = new ArrayList<>();
    for (String width : matcher.group(4).substring(1).split("-", -1)) {
      widths.add(Integer.parseInt(width));
    }
    int last = widths.size() - 1;
    return of(
        new ModelSpec(convolutions, widths.subList(0, last)),
        new ImageShape(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))),
        widths.get(last));
  }

  /** Pixels of an image. */
  public int inputs() {
    return windows.get(0).inputSize();
  }

  /** Logits: one for two classes, else one for each class. */
  public int outputs() {
    return windows.get(windows.size() - 1).outputs();
  }

  /** How many of the layers, the first ones, are convolutions. */
  public int convolutions() {
    return (int) windows.stream().filter(window -> !window.isDense()).count();
  }

  /** The shape of its images, where it has convolutions, which know it. */
  public ImageShape imageShape() {
    return new ImageShape(windows.get(0).height(), windows.get(0).width());
  }

  /** The same with another number of logits. */
  public Architecture withOutputs(int outputs) {
    List<Window> changed = new ArrayList<>(windows);
    Window last = changed.remove(changed.size() - 1);
    changed.add(Window.dense(last.channels(), outputs));
    return new Architecture(changed);
  }

  /** How the command line names this model: {@code linear}, {@code mlp:30}, {@code cnn:16,32}. */
  public String name() {
    List<Convolution> convolutions = new ArrayList<>();
    List<Integer> hidden = new ArrayList<>();
    for (Window window : windows.subList(0, windows.size() - 1)) {
      if (window.isDense()) {
        hidden.add(window.outputs());
      } else {
        convolutions.add(new Convolution(window.outputs(), window.stride()));
      }
    }
    return new ModelSpec(convolutions, hidden).toString();
  }

  /** The layers in order, with their places in the flat parameters. */
  public List<Layer> layers() {
    List<Layer> layers = new ArrayList<>();
    int offset = 0;
    for (int i = 0; i < windows.size(); i++) {
      Window window = windows.get(i);
      // An activation follows each layer, and nn.Flatten the last convolution's.
      int module = 2 * i + (window.isDense() && convolutions() > 0 ? 1 : 0);
      boolean last = i == windows.size() - 1;
      Layer layer =
          new Layer(
              windows.size() == 1 ? "" : module + ".",
              window,
              offset,
              last ? Activation.IDENTITY : Activation.RELU);
      layers.add(layer);
      offset = layer.biasOffset() + layer.outputs();
    }
    return layers;
  }

  /** Length of the flat parameter array. */
  public int parameterCount() {
    List<Layer> layers = layers();
    Layer last = layers.get(layers.size() - 1);
    return last.biasOffset() + last.outputs();
  }

  /**
   * The widths, {@code 784-30-1}; with convolutions the images' size, then each one's channels and
   * stride, then the widths: {@code 28x28-16/2-32/2-64/2-1}.
   */
  @Override
  public String toString() {
    Window first = windows.get(0);
    String images =
        first.isDense() ? String.valueOf(first.channels()) : first.height() + "x" + first.width();
    return windows.stream()
        .map(
            window ->
                window.isDense()
                    ? String.valueOf(window.outputs())
                    : window.outputs() + "/" + window.stride())
        .collect(Collectors.joining("-", images + "-", ""));
  }
}
