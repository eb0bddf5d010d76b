package zerofive.model;

/** What follows a layer's matrix product and bias. */
public enum Activation {
  /** The value itself: the logits. */
  IDENTITY,
  /** max(z, 0), NaN stays NaN; its gradient at exactly 0 is 0, as PyTorch has it. */
  RELU
}
