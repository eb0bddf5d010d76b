package zerofive.backend.ops;

import java.util.ArrayList;
import java.util.List;
import zerofive.model.Architecture;
import zerofive.model.Layer;

/**
 * From the gradients at the logits to the gradient of every weight and bias, last layer first.
 * Deltas: d(mean loss) / d(layer l before its activation), [rows, outputs of layer l].
 */
final class BackwardPass {
  private final Ops ops;
  private final ForwardPass forward;
  private final List<Matrix> deltas = new ArrayList<>();
  private final List<Matrix> weightGradients = new ArrayList<>();
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
    for (Layer layer : architecture.layers()) {
      weightGradients.add(ForwardPass.weight(gradient, layer));
      biasGradients.add(gradient.slice(layer.biasOffset(), layer.outputs()));
      deltas.add(ForwardPass.allocate(ops, maxRows, layer.outputs()));
    }
  }

  /** The mean loss's gradients at the logits [maxRows, outputs], to be written before each run. */
  Matrix dLogits() {
    return deltas.get(deltas.size() - 1);
  }

  /** Writes the gradient of the batch x [rows, inputs], which went forward last. */
  void run(Matrix x) {
    for (int l = deltas.size() - 1; l >= 0; l--) {
      Matrix delta = deltas.get(l).firstRows(x.rows());
      Matrix input = l == 0 ? x : forward.activation(l - 1).firstRows(x.rows());
      ops.layerGradient(delta, input, weightGradients.get(l), biasGradients.get(l));
      if (l > 0) {
        Matrix below = deltas.get(l - 1).firstRows(x.rows());
        ops.layerDelta(
            forward.layer(l - 1).activation(), delta, forward.layer(l).weight(), input, below);
      }
    }
  }
}
