package zerofive.backend.ops;

import java.util.ArrayList;
import java.util.List;
import zerofive.model.Activation;
import zerofive.model.Architecture;
import zerofive.model.Layer;
import zerofive.model.Window;

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
      deltas.add(ForwardPass.allocate(ops, maxRows, layer.window().outputSize()));
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
      if (forward.window(l).isDense()) {
        ops.layerGradient(delta, input, weightGradients.get(l), biasGradients.get(l));
      } else {
        convolutionGradient(l, delta);
      }
      if (l > 0) {
        Matrix below = deltas.get(l - 1).firstRows(x.rows());
        Activation activation = forward.layer(l - 1).activation();
        if (forward.window(l).isDense()) {
          ops.layerDelta(activation, delta, forward.layer(l).weight(), input, below);
        } else {
          convolutionDelta(l, delta, below);
          ops.activationGradient(activation, input, below);
        }
      }
    }
  }

  private void convolutionGradient(int l, Matrix delta) {
    Window window = forward.window(l);
    Matrix covered = forward.patches(l, delta.rows());
    Matrix byPlace = delta.inRowsOf(window.outputs());
    ops.convolutionGradient(window, byPlace, covered, weightGradients.get(l), biasGradients.get(l));
  }

  /** Writes the gradients at the patches over these, which are not needed any more. */
  private void convolutionDelta(int l, Matrix delta, Matrix below) {
    Matrix covered = forward.patches(l, delta.rows());
    Matrix byPlace = delta.inRowsOf(forward.window(l).outputs());
    ops.gemm(false, false, byPlace, forward.layer(l).weight(), covered);
    ops.fold(forward.window(l), covered, below);
  }
}
