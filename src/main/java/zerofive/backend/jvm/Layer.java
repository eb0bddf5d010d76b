package zerofive.backend.jvm;

import static zerofive.backend.jvm.ElementMath.addWeightDecay;

import zerofive.backend.Optimizer;
import zerofive.backend.Optimizer.Kind;
import zerofive.backend.ops.Ops;

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

  /** [rows][row] */
  final float[][] weights;

  /** Each row's weights and moments: [rows][1 + moments][row]. */
  private final float[][][] values;

  /** The bias and its moments, [1 + moments][outputs]. */
  private final float[][] biases;

  /** [rows][row] */
  final float[][] gradient;

  final float[] biasGradient;

  /**
   * Weights as the backward pass reads them, [pixels of the window][outputs][channels], so [1] of a
   * fully connected layer; null where nothing is below.
   */
  final float[][][] transposed;

  private final int channels;

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
    channels = place.window().channels();
    offset = place.weightOffset();
    isByInput = !isLast || (isFirst && outputs > 1);
    int rows = isByInput ? inputs : outputs;
    int width = isByInput ? outputs : inputs;
    values = new float[rows][1 + Math.max(0, moments)][width];
    biases = new float[1 + Math.max(0, moments)][outputs];
    weights = new float[rows][];
    for (int row = 0; row < rows; row++) {
      weights[row] = values[row][0];
    }
    gradient = moments < 0 ? null : new float[rows][width];
    biasGradient = new float[outputs];
    if (isFirst || moments < 0) {
      transposed = null;
    } else {
      transposed =
          isByInput ? new float[inputs / channels][outputs][channels] : new float[][][] {weights};
    }
  }

  /** [outputs] */
  float[] bias() {
    return biases[0];
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
    return values[isByInput ? input : output][kind];
  }

  /** Renews the weights of the inputs [i0, i1) that the backward pass reads. */
  void transpose(int i0, int i1) {
    if (transposed == null || !isByInput) {
      return;
    }
    for (int i = i0; i < i1; i++) {
      float[] row = weights[i];
      float[][] to = transposed[i / channels];
      for (int o = 0; o < outputs; o++) {
        to[o][i % channels] = row[o];
      }
    }
  }

  /**
   * Takes an optimiser's step along the gradient of one row of weights.
   *
   * @param stepParameters rows of {@link Ops#STEP_PARAMETERS} values, as {@link
   *     zerofive.backend.ops.StepParameters} computes them
   * @param step the row to take
   */
  void updateRow(Optimizer optimizer, int row, float[] stepParameters, int step) {
    update(optimizer, values[row], gradient[row], stepParameters, step);
  }

  /** Takes an optimiser's step along the gradient of the bias. */
  void updateBias(Optimizer optimizer, float[] stepParameters, int step) {
    update(optimizer, biases, biasGradient, stepParameters, step);
  }

  private static void update(
      Optimizer optimizer, float[][] values, float[] g, float[] stepParameters, int step) {
    int at = step * Ops.STEP_PARAMETERS;
    float learningRate = stepParameters[at];
    float decay = optimizer.weightDecay();
    float[] w = values[0];
    if (optimizer.kind() != Kind.SGD) {
      boolean isDecoupled = optimizer.kind() == Kind.ADAMW;
      float decayFactor = isDecoupled ? stepParameters[at + 3] : 1;
      adam(
          values,
          g,
          stepParameters[at + 1],
          stepParameters[at + 2],
          decayFactor,
          isDecoupled ? 0 : decay);
    } else if (optimizer.momentum() != 0) {
      momentum(w, g, values[1], learningRate, optimizer.momentum(), decay);
    } else {
      for (int i = 0; i < w.length; i++) {
        w[i] = ElementMath.sgdStep(w[i], addWeightDecay(g[i], w[i], decay), learningRate);
      }
    }
  }

  private static void momentum(
      float[] w, float[] g, float[] velocity, float learningRate, float momentum, float decay) {
    for (int i = 0; i < w.length; i++) {
      velocity[i] =
          ElementMath.momentumUpdate(velocity[i], addWeightDecay(g[i], w[i], decay), momentum);
      w[i] = ElementMath.sgdStep(w[i], velocity[i], learningRate);
    }
  }

  private static void adam(
      float[][] values,
      float[] g,
      float stepSize,
      float biasCorrection2Sqrt,
      float decayFactor,
      float decay) {
    float[] w = values[0];
    float[] first = values[1];
    float[] second = values[2];
    for (int i = 0; i < w.length; i++) {
      float weight = decayFactor * w[i];
      float gradient = addWeightDecay(g[i], weight, decay);
      first[i] = ElementMath.adamFirstMoment(first[i], gradient);
      second[i] = ElementMath.adamSecondMoment(second[i], gradient);
      w[i] = ElementMath.adamStep(weight, first[i], second[i], stepSize, biasCorrection2Sqrt);
    }
  }
}
