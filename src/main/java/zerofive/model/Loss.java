package zerofive.model;

import java.util.Locale;
import zerofive.files.EnumNames;

/**
 * What training lowers, a mean over the examples of a batch. With one logit z the first class is
 * the positive one: target t = 1 for class index 0, t = 0 for class index 1. That is the reverse of
 * PyTorch's BCEWithLogitsLoss on class indices.
 */
public enum Loss {
  /**
   * mnist_loss of the fast.ai book's chapter 4, the mean absolute error |t - sigmoid(z)|: with s =
   * sigmoid(z), 1 - s where t = 1, s where t = 0.
   */
  MNIST,
  /** -(t log s + (1 - t) log(1 - s)), computed from z without overflow. */
  BCE,
  /** -log softmax(z)[class], three classes or more. */
  CROSS_ENTROPY;

  /** Parses a loss's name; throws IllegalArgumentException. */
  public static Loss parse(String name) {
    return EnumNames.parse(name, "loss", values());
  }

  /** The loss for a number of classes where none is asked for. */
  public static Loss defaultFor(int classes) {
    return classes == 2 ? BCE : CROSS_ENTROPY;
  }

  /** Logits for a number of classes: one for two, else one each. */
  public static int outputs(int classes) {
    return classes == 2 ? 1 : classes;
  }

  /** Throws IllegalArgumentException where this loss is not made for so many classes. */
  public void checkClasses(int classes) {
    if (this == CROSS_ENTROPY && classes < 3) {
      throw new IllegalArgumentException(
          "loss cross-entropy takes three or more classes, not "
              + classes
              + "; two classes use one logit: choose bce");
    }
    if (this != CROSS_ENTROPY && classes != 2) {
      throw new IllegalArgumentException(
          "loss " + this + " takes exactly two classes, not " + classes + "; choose cross-entropy");
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
