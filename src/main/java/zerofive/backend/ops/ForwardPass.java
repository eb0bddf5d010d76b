package zerofive.backend.ops;

import java.util.ArrayList;
import java.util.List;
import zerofive.backend.DeviceException;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Layer;

/**
 * A model's layers one after the other, with the activations kept: the backward pass reads them.
 * Buffers: x [rows, inputs]; activation l [rows, outputs of layer l].
 */
public final class ForwardPass {
  private static final int EVALUATION_ROWS = 256;
  private static final int EVALUATION_VALUES = 1 << 24;

  private final Ops ops;
  private final List<Layer> layers;
  private final List<Buffer> weights = new ArrayList<>();
  private final List<Buffer> biases = new ArrayList<>();
  private final List<Buffer> activations = new ArrayList<>();

  /** Allocates activations for batches of up to {@code maxRows}. */
  ForwardPass(Ops ops, Architecture architecture, Buffer parameters, int maxRows) {
    this.ops = ops;
    this.layers = architecture.layers();
    for (Layer layer : layers) {
      weights.add(parameters.slice(layer.weightOffset(), layer.weightCount()));
      biases.add(parameters.slice(layer.biasOffset(), layer.outputs()));
      activations.add(ops.allocate(ElementType.F32, elements(maxRows, layer.outputs())));
    }
  }

  /** Runs the first {@code rows} rows of x and returns their logits [rows, outputs]. */
  Buffer run(Buffer x, int rows) {
    Buffer input = x;
    for (int l = 0; l < layers.size(); l++) {
      Layer layer = layers.get(l);
      Buffer output = activations.get(l);
      ops.layer(
          layer.activation(),
          rows,
          layer.inputs(),
          layer.outputs(),
          input,
          weights.get(l),
          biases.get(l),
          output);
      input = output;
    }
    return input;
  }

  /** W of layer {@code l}, [outputs, inputs]. */
  Buffer weight(int l) {
    return weights.get(l);
  }

  /** What layer {@code l} put out in the last run. */
  Buffer activation(int l) {
    return activations.get(l);
  }

  /** Images measured at once: 256, or fewer where they are so large that 64 MiB hold no more. */
  static int evaluationRows(int imageSize) {
    return Math.max(1, Math.min(EVALUATION_ROWS, EVALUATION_VALUES / imageSize));
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
    int classes = Math.max(2, architecture.outputs());
    for (int target : images.targets()) {
      if (target < 0 || target >= classes) {
        throw new IllegalArgumentException(
            "an image of class " + target + " for a model of " + classes + " classes");
      }
    }
  }

  /** Length of a [rows, width] buffer; throws DeviceException where no buffer can be so long. */
  static int elements(int rows, int width) {
    long elements = (long) rows * width;
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
