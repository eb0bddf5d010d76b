package zerofive.backend.jvm;

import zerofive.backend.Optimizer;

/**
 * A layer's weights, the optimiser's moments of them, and their gradient, as rows in arrays of
 * their own: those of the first layer of a net and of the hidden ones are the weights of one input,
 * [inputs][outputs]; those of the last of several layers and of a linear model with one logit the
 * weights of one output, [outputs][inputs].
 */
final class Layer {
  final int inputs;
  final int outputs;

  /** Whether a row has the weights of one input. */
  final boolean isByInput;

  /** Weights and moments, [1 + moments][rows][row]; behind the last row of weights one of zeros. */
  final float[][][] values;

  /** The bias and its moments, [1 + moments][outputs]. */
  final float[][] biases;

  /** [rows][row] */
  final float[][] gradient;

  final float[] biasGradient;

  /** Weights as the backward pass reads them, [outputs][inputs]; null where nothing is below. */
  final float[][] transposed;

  private final int offset;

  /**
   * A layer without values yet.
   *
   * @param place in the model, whose parameters begin there
   * @param isFirst whether nothing is below it
   * @param isLast whether nothing is above it
   * @param moments kinds of values that the optimiser keeps; -1 where it is not to be trained
   */
  Layer(zerofive.model.Layer place, boolean isFirst, boolean isLast, int moments) {
    inputs = place.inputs();
    outputs = place.outputs();
    offset = place.weightOffset();
    isByInput = !isLast || (isFirst && outputs > 1);
    int rows = isByInput ? inputs : outputs;
    int width = isByInput ? outputs : inputs;
    values = new float[1 + Math.max(0, moments)][][];
    biases = new float[values.length][outputs];
    for (int kind = 0; kind < values.length; kind++) {
      values[kind] = new float[kind == 0 ? rows + 1 : rows][width];
    }
    gradient = moments < 0 ? null : new float[rows][width];
    biasGradient = new float[outputs];
    transposed = isFirst || moments < 0 ? null : isByInput ? new float[outputs][inputs] : values[0];
  }

  /** Weights [rows + 1][row]. */
  float[][] weights() {
    return values[0];
  }

  /** [outputs] */
  float[] bias() {
    return biases[0];
  }

  /** Rows of weights, without the one of zeros. */
  int rows() {
    return isByInput ? inputs : outputs;
  }

  /** Takes values of one kind from an array in the order of the model file. */
  void set(int kind, float[] from, int start) {
    int at = start + offset;
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < inputs; i++) {
        row(kind, o, i)[isByInput ? o : i] = from[at++];
      }
    }
    System.arraycopy(from, at, biases[kind], 0, outputs);
    if (kind == 0) {
      transpose(0, inputs);
    }
  }

  /** Writes values of one kind into an array in the order of the model file. */
  void get(int kind, float[] to, int start) {
    int at = start + offset;
    for (int o = 0; o < outputs; o++) {
      for (int i = 0; i < inputs; i++) {
        to[at++] = row(kind, o, i)[isByInput ? o : i];
      }
    }
    System.arraycopy(biases[kind], 0, to, at, outputs);
  }

  private float[] row(int kind, int output, int input) {
    return values[kind][isByInput ? input : output];
  }

  /** Renews the weights of the inputs [i0, i1) that the backward pass reads. */
  void transpose(int i0, int i1) {
    if (transposed == null || !isByInput) {
      return;
    }
    for (int i = i0; i < i1; i++) {
      float[] row = values[0][i];
      for (int o = 0; o < outputs; o++) {
        transposed[o][i] = row[o];
      }
    }
  }

  /** Takes an optimiser's step along the gradient of one row of weights. */
  void updateRow(Optimizer optimizer, int row, float[] stepParameters, int step) {
    OptimizerStep.take(
        optimizer,
        values[0][row],
        gradient[row],
        values.length > 1 ? values[1][row] : null,
        values.length > 2 ? values[2][row] : null,
        stepParameters,
        step);
  }

  /** Takes an optimiser's step along the gradient of the bias. */
  void updateBias(Optimizer optimizer, float[] stepParameters, int step) {
    OptimizerStep.take(
        optimizer,
        biases[0],
        biasGradient,
        biases.length > 1 ? biases[1] : null,
        biases.length > 2 ? biases[2] : null,
        stepParameters,
        step);
  }
}
