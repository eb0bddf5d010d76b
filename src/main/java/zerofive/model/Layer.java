package zerofive.model;

/**
 * A linear layer with its activation: {@code y = activation(x W^T + b)}.
 *
 * @param prefix of its tensors' names, as PyTorch's nn.Sequential gives them: {@code "0."}, or
 *     empty
 * @param inputs columns of W
 * @param outputs rows of W
 * @param weightOffset where W [outputs, inputs], row-major, begins in the flat parameters
 * @param activation applied to each output
 */
public record Layer(
    String prefix, int inputs, int outputs, int weightOffset, Activation activation) {
  /** Number of weights. */
  public int weightCount() {
    return inputs * outputs;
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
