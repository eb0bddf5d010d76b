package zerofive.model;

/**
 * A layer with its activation: at each place of its window {@code y = activation(W x + b)}, where x
 * is what the window covers, [kernel, kernel, channels] as one column.
 *
 * @param prefix of its tensors' names, as PyTorch's nn.Sequential gives them: {@code "0."}, or
 *     empty
 * @param window what it reads and makes
 * @param weightOffset where W [outputs, inputs], row-major, begins in the flat parameters
 * @param activation applied to each output
 */
public record Layer(String prefix, Window window, int weightOffset, Activation activation) {
  /** Columns of W: what one place of the window covers. */
  public int inputs() {
    return window.fanIn();
  }

  /** Rows of W. */
  public int outputs() {
    return window.outputs();
  }

  /** Number of weights. */
  public int weightCount() {
    return inputs() * outputs();
  }

  /** Where the bias [outputs] begins in the flat parameters. */
  public int biasOffset() {
    return weightOffset + weightCount();
  }

  /** Name of the weight tensor. */
  public String weightName() {
    return prefix + "weight";
  }

  /** Name of the bias tensor. */
  public String biasName() {
    return prefix + "bias";
  }
}
