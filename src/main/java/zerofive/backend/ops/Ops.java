package zerofive.backend.ops;

import zerofive.backend.Optimizer;
import zerofive.model.Activation;
import zerofive.model.Loss;
import zerofive.model.Window;

/**
 * The operations of training, on row-major matrices in buffers that may be longer than needed. None
 * returns a number: losses and counts gather in buffers that are read once an epoch.
 * Implementations do not check their arguments; {@link CheckedOps} does.
 *
 * <p>Element-wise formulas are float32 as written here, without fused multiply-add, so that all
 * implementations agree bit for bit where no exponential is involved.
 */
public interface Ops extends AutoCloseable {
  /** Index into a metrics buffer: sum of the examples' losses. */
  int LOSS_SUM = 0;

  /** Index into a metrics buffer: examples whose class was predicted. */
  int CORRECT = 1;

  /** Length of a metrics buffer, F64. */
  int METRICS = 2;

  /** Values a step has in the stepParameters buffer, F32; {@link StepParameters} lays them out. */
  int STEP_PARAMETERS = 4;

  /**
   * New memory, all zero. Freed by {@link #close}. Sets of images, U8, are to be allocated last: a
   * device may leave on the host what it has no room for.
   */
  Buffer allocate(ElementType type, int length);

  /** Copies {@code destination.length()} bytes from {@code source[offset...]}. */
  void upload(byte[] source, int offset, Buffer destination);

  /** Copies a whole array. */
  void upload(int[] source, Buffer destination);

  /** Copies a whole array. */
  void upload(float[] source, Buffer destination);

  /** Copies a whole buffer. */
  void download(Buffer source, float[] destination);

  /** Copies a whole buffer. */
  void download(Buffer source, double[] destination);

  /** Sets every element to zero. */
  void clear(Buffer buffer);

  /**
   * Collects a batch: {@code x[r, :] = float(pixels[image, :]) / 255} and {@code targets[r] =
   * labels[image]} with image = order[first + r], for r in [0, rows). Where the batch has shifts,
   * (dx, dy) of each image, {@code x[r, v, u] = float(pixels[image, v - dy, u - dx]) / 255} where
   * that pixel exists, else 0; a shift may move all of an image out of sight.
   *
   * @param x [batch rows, image size], written
   * @param targets I32 [batch rows], written
   */
  void gather(Images images, Batch batch, Matrix x, Buffer targets);

  /**
   * What a window covers at each of its places, one row a place: {@code patches[(r, y, x), (ky, kx,
   * c)] = images[r, (y * stride + ky - border, x * stride + kx - border, c)]}, and 0 outside the
   * image.
   *
   * @param images [rows, height * width * channels]
   * @param patches [rows * positions, fan-in], written
   */
  void unfold(Window window, Matrix images, Matrix patches);

  /**
   * The gradient at each value of an image from those at the patches that cover it, the reverse of
   * {@link #unfold}: {@code images[r, (v, u, c)]} is the sum of {@code patches[(r, y, x), (ky, kx,
   * c)]} with v = y * stride + ky - border and u = x * stride + kx - border, added in float32 from
   * +0 in ascending order of ky, then kx.
   *
   * @param patches [rows * positions, fan-in]
   * @param images [rows, height * width * channels], written
   */
  void fold(Window window, Matrix patches, Matrix images);

  /**
   * Matrix product {@code c = op(a) op(b)}: op(a) is [m, k], op(b) [k, n], c [m, n]; op transposes
   * what is stored as [k, m] or [n, k] where its flag says so.
   */
  void gemm(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c);

  /**
   * {@code z[r, j] = activation(z[r, j] + bias[j])}, in place. ReLU: {@code v < 0 ? 0 : v}, so NaN
   * stays NaN.
   */
  void biasActivation(Activation activation, Buffer bias, Matrix z);

  /**
   * The mean loss's gradient at each logit, {@code dLogits[r, j] = d(mean loss) / d logits[r, j]},
   * and {@code lossSums[step] += } the sum of the rows' losses. {@link Loss} has the formulas.
   *
   * @param logits [rows, outputs]
   * @param targets I32 [rows], class indices
   * @param dLogits [rows, outputs], written
   * @param lossSums F64 [steps], one element added to
   * @param step which element
   */
  void loss(Loss loss, Matrix logits, Buffer targets, Matrix dLogits, Buffer lossSums, int step);

  /**
   * Measures without a gradient: adds the sum of the rows' losses to {@code metrics[LOSS_SUM]} and
   * the count of the rows predicted rightly to {@code metrics[CORRECT]}. With one logit z, class 0
   * is predicted where z > 0 and class 1 where z <= 0; with more, the largest logit's index, the
   * first of equals. A row with a NaN logit predicts nothing.
   *
   * @param logits [rows, outputs]
   * @param targets I32 [rows], class indices
   * @param metrics F64 [METRICS], added to
   */
  void evaluate(Loss loss, Matrix logits, Buffer targets, Buffer metrics);

  /**
   * {@code delta[r, j] *= activation'}, in place, from the activated value: for ReLU {@code
   * activated <= 0 ? 0 : delta}.
   */
  void activationGradient(Activation activation, Matrix activated, Matrix delta);

  /** Column sums: {@code gradient[j] = sum over r of delta[r, j]}. */
  void biasGradient(Matrix delta, Buffer gradient);

  /**
   * One optimiser step on all parameters w with gradient g and the step's stepParameters (learning
   * rate lr, Adam's step size a = lr / (1 - beta1^t) and bias_correction2_sqrt c = sqrt(1 -
   * beta2^t), AdamW's factor d = 1 - lr * decay); beta and 1 - beta are each rounded to float32
   * once, and a decay or momentum of 0 leaves its term out, so that an infinite weight stays
   * infinite:
   *
   * <ul>
   *   <li>SGD: g' = g + decay * w; with momentum v = momentum * v + g' and g' = v; w = w - lr * g'
   *   <li>Adam: g' = g + decay * w; m = m + (1 - beta1) * (g' - m); v = beta2 * v + (1 - beta2) *
   *       (g' * g'); w = w - a * (m / (sqrt(v) / c + epsilon))
   *   <li>AdamW: w = d * w, then Adam's rule with g' = g
   * </ul>
   *
   * @param parameters F32 [n], changed
   * @param gradient F32 [n]
   * @param moments F32 [momentCount * n], changed: v of SGD; m, then v, of Adam
   * @param stepParameters F32 [steps, STEP_PARAMETERS]
   * @param step which row of {@code stepParameters}
   */
  void update(
      Optimizer optimizer,
      Buffer parameters,
      Buffer gradient,
      Buffer moments,
      Buffer stepParameters,
      int step);

  /**
   * A layer forward, {@code output = activation(input weight^T + bias)}: {@link #gemm}, then {@link
   * #biasActivation}. An implementation that does both at once gives the same bits.
   *
   * @param input [rows, inputs]
   * @param output [rows, outputs], written
   */
  default void layer(Dense layer, Matrix input, Matrix output) {
    gemm(false, true, input, layer.weight(), output);
    biasActivation(layer.activation(), layer.bias(), output);
  }

  /**
   * A layer's gradient, {@code weightGradient = delta^T input} and the column sums of {@code
   * delta}: {@link #gemm} with the same bits, and {@link #biasGradient}, whose columns may be
   * summed in another order.
   *
   * @param delta [rows, outputs], d(mean loss) / d(what the layer puts out before activation)
   * @param input [rows, inputs]
   * @param weightGradient [outputs, inputs], written
   * @param biasGradient F32 [outputs], written
   */
  default void layerGradient(
      Matrix delta, Matrix input, Matrix weightGradient, Buffer biasGradient) {
    gemm(true, false, delta, input, weightGradient);
    biasGradient(delta, biasGradient);
  }

  /**
   * A convolution's gradient: {@link #layerGradient} over all places of its window. An
   * implementation may sum it in another order.
   *
   * @param delta [rows * positions, outputs]
   * @param patches [rows * positions, fan-in], what {@link #unfold} wrote
   * @param weightGradient [outputs, fan-in], written
   * @param biasGradient F32 [outputs], written
   */
  default void convolutionGradient(
      Window window, Matrix delta, Matrix patches, Matrix weightGradient, Buffer biasGradient) {
    layerGradient(delta, patches, weightGradient, biasGradient);
  }

  /**
   * From a layer to the one below, {@code below = delta weight} times the gradient of the
   * activation below: {@link #gemm}, then {@link #activationGradient}. An implementation that does
   * both at once gives the same bits.
   *
   * @param activation of the layer below
   * @param delta [rows, outputs]
   * @param weight [outputs, inputs]
   * @param input [rows, inputs], what the layer below put out
   * @param below [rows, inputs], written
   */
  default void layerDelta(
      Activation activation, Matrix delta, Matrix weight, Matrix input, Matrix below) {
    gemm(false, false, delta, weight, below);
    activationGradient(activation, input, below);
  }

  /**
   * The same calls again and again. Each {@code run} of the result does what {@code calls} does; a
   * device that can record them does so once and replays the record.
   *
   * @param calls ops with the same arguments every time; no allocation, upload or download
   */
  default Runnable recorded(Runnable calls) {
    return calls;
  }

  /** Frees all buffers. */
  @Override
  void close();
}
