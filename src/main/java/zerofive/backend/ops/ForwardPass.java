package zerofive.backend.ops;

import java.util.ArrayList;
import java.util.List;
import zerofive.backend.DeviceException;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Layer;
import zerofive.model.Parameters;
import zerofive.model.Window;

/**
 * A model's layers one after the other, with the activations kept: the backward pass reads them.
 */
public final class ForwardPass {
  private static final int EVALUATION_ROWS = 256;
  private static final int EVALUATION_VALUES = 1 << 24;

  private final Ops ops;
  private final List<Dense> layers = new ArrayList<>();
  private final List<Window> windows = new ArrayList<>();
  private final List<Matrix> activations = new ArrayList<>();

  /** What a convolution's windows cover, [maxRows * positions, fan-in]; null of other layers. */
  private final List<Matrix> patches = new ArrayList<>();

  /** Allocates activations for batches of up to {@code maxRows}. */
  ForwardPass(Ops ops, Architecture architecture, Buffer parameters, int maxRows) {
    this.ops = ops;
    for (Layer layer : architecture.layers()) {
      layers.add(
          new Dense(
              layer.activation(),
              weight(parameters, layer),
              parameters.slice(layer.biasOffset(), layer.outputs())));
      Window window = layer.window();
      windows.add(window);
      activations.add(allocate(ops, maxRows, window.outputSize()));
      patches.add(
          window.isDense()
              ? null
              : allocate(ops, elements(maxRows, window.positions()), window.fanIn()));
    }
  }

  /** A layer's part [outputs, inputs] of what is laid out as the parameters are. */
  static Matrix weight(Buffer parameters, Layer layer) {
    return new Matrix(
        parameters.slice(layer.weightOffset(), layer.weightCount()),
        layer.outputs(),
        layer.inputs());
  }

  /** Runs the rows x [rows, inputs] and returns their logits [rows, outputs]. */
  Matrix run(Matrix x) {
    Matrix input = x;
    for (int l = 0; l < layers.size(); l++) {
      Matrix output = activations.get(l).firstRows(x.rows());
      Window window = windows.get(l);
      if (window.isDense()) {
        ops.layer(layers.get(l), input, output);
      } else {
        Matrix covered = patches(l, x.rows());
        ops.unfold(window, input, covered);
        ops.layer(layers.get(l), covered, output.inRowsOf(window.outputs()));
      }
      input = output;
    }
    return input;
  }

  /** Layer {@code l}, counted from 0. */
  Dense layer(int l) {
    return layers.get(l);
  }

  /** The window of layer {@code l}. */
  Window window(int l) {
    return windows.get(l);
  }

  /** What a convolution's windows covered in the last run, [rows * positions, fan-in]. */
  Matrix patches(int l, int rows) {
    return patches.get(l).firstRows(rows * windows.get(l).positions());
  }

  /** What layer {@code l} put out in the last run, in its first rows: [maxRows, output size]. */
  Matrix activation(int l) {
    return activations.get(l);
  }

  /** Throws IllegalArgumentException where weights are of another architecture. */
  public static void check(Architecture architecture, Parameters model) {
    if (!model.architecture().equals(architecture)) {
      throw new IllegalArgumentException(
          "weights of " + model.architecture() + " for a model of " + architecture);
    }
  }

  /** A new matrix; throws DeviceException where no buffer can be so long. */
  static Matrix allocate(Ops ops, int rows, int columns) {
    return new Matrix(ops.allocate(ElementType.F32, elements(rows, columns)), rows, columns);
  }

  /**
   * Images measured at once: 256, or fewer where 64 MiB hold no more of what a layer needs for
   * them.
   */
  static int evaluationRows(Architecture architecture) {
    int values = architecture.inputs();
    for (Window window : architecture.windows()) {
      if (!window.isDense()) {
        values = Math.max(values, window.positions() * window.fanIn());
      }
    }
    return Math.max(1, Math.min(EVALUATION_ROWS, EVALUATION_VALUES / values));
  }

  /** Throws IllegalArgumentException where images or their classes do not fit the model. */
  public static void check(Architecture architecture, ImageSet images) {
    if (images.imageSize() != architecture.inputs()) {
      throw new IllegalArgumentException(
          "images of "
              + images.imageSize()
              + " pixels for a model of "
              + architecture.inputs()
              + " inputs");
    }
    if (architecture.convolutions() > 0 && !images.shape().equals(architecture.imageShape())) {
      throw new IllegalArgumentException(
          "images of "
              + images.shape().describe()
              + " for a model of "
              + architecture.imageShape().describe());
    }
    int classes = Math.max(2, architecture.outputs());
    for (int target : images.targets()) {
      if (target < 0 || target >= classes) {
        throw new IllegalArgumentException(
            "an image of class " + target + " for a model of " + classes + " classes");
      }
    }
  }

  /** Length of a [rows, width] buffer; throws DeviceException where no buffer can be so long. */
  public static int elements(int rows, long width) {
    long elements = rows * width;
    if (elements > Integer.MAX_VALUE - 8) {
      throw new DeviceException(
          rows
              + " x "
              + width
              + " values are more than one buffer holds; choose a smaller --batch-size or --model");
    }
    return (int) elements;
  }
}
