package zerofive.backend.ops;

import java.util.ArrayList;
import java.util.List;
import zerofive.model.Architecture;
import zerofive.model.Layer;

/**
 * From the gradients at the logits to the gradient of every weight and bias, last layer first.
 * Deltas: d(mean loss) / d(output of layer l), [rows, outputs of layer l].
 */
final class BackwardPass {
  private final Ops ops;
  private final ForwardPass forward;
  private final List<Layer> layers;
  private final List<Buffer> deltas = new ArrayList<>();
  private final List<Buffer> weightGradients = new ArrayList<>();
  private final List<Buffer> biasGradients = new ArrayList<>();

  /**
   * Allocates deltas for batches of up to {@code maxRows}.
   *
   * @param forward whose activations are read
   * @param gradient F32 [parameters], laid out as these, written by {@link #run}
   */
  BackwardPass(
      Ops ops, Architecture architecture, ForwardPass forward, Buffer gradient, int maxRows) {
    this.ops = ops;
    this.forward = forward;
    this.layers = architecture.layers();
    for (Layer layer : layers) {
      weightGradients.add(gradient.slice(layer.weightOffset(), layer.weightCount()));
      biasGradients.add(gradient.slice(layer.biasOffset(), layer.outputs()));
      deltas.add(ops.allocate(ElementType.F32, ForwardPass.elements(maxRows, layer.outputs())));
    }
  }

  /** The mean loss's gradients at the logits [rows, outputs], to be written before each run. */
  Buffer dLogits() {
    return deltas.get(deltas.size() - 1);
  }

  /** Writes the gradient of the batch that went forward last, the first {@code rows} rows of x. */
  void run(Buffer x, int rows) {
    for (int l = layers.size() - 1; l >= 0; l--) {
      Layer layer = layers.get(l);
      Buffer delta = deltas.get(l);
      Buffer input = l == 0 ? x : forward.activation(l - 1);
      ops.layerGradient(
          rows,
          layer.inputs(),
          layer.outputs(),
          delta,
          input,
          weightGradients.get(l),
          biasGradients.get(l));
      if (l > 0) {
        ops.layerDelta(
            layers.get(l - 1).activation(),
            rows,
            layer.inputs(),
            layer.outputs(),
            delta,
            forward.weight(l),
            input,
            deltas.get(l - 1));
      }
    }
  }
}
