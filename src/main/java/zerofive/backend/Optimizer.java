package zerofive.backend;

import java.util.Locale;

/**
 * How a gradient becomes a step, as torch.optim defines SGD, Adam and AdamW.
 *
 * @param kind the rule
 * @param momentum of SGD, in [0, 1)
 * @param weightDecay 0 or more; added to the gradient by SGD and Adam, decoupled in AdamW
 */
public record Optimizer(Kind kind, float momentum, float weightDecay) {
  /** Adam's decay rate of the first moment. */
  public static final double BETA1 = 0.9;

  /** Adam's decay rate of the second moment. */
  public static final double BETA2 = 0.999;

  /** Adam's guard against division by zero. */
  public static final float EPSILON = 1e-8f;

  /** torch.optim.AdamW's weight decay where none is asked for. */
  public static final float ADAMW_WEIGHT_DECAY = 0.01f;

  /** The update rules. */
  public enum Kind {
    SGD,
    ADAM,
    ADAMW;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public Optimizer {
    if (!(momentum >= 0 && momentum < 1)) {
      throw new IllegalArgumentException("momentum " + momentum + " is not in [0, 1)");
    }
    if (kind != Kind.SGD && momentum != 0) {
      throw new IllegalArgumentException("momentum belongs to sgd; " + kind + " has its own");
    }
    if (!(weightDecay >= 0 && weightDecay < Float.POSITIVE_INFINITY)) {
      throw new IllegalArgumentException("weight decay " + weightDecay + " is not 0 or more");
    }
  }

  /** Plain stochastic gradient descent. */
  public static Optimizer sgd() {
    return new Optimizer(Kind.SGD, 0, 0);
  }

  /** Values it keeps for each parameter between steps: SGD's momentum, Adam's two moments. */
  public int momentCount() {
    if (kind == Kind.SGD) {
      return momentum == 0 ? 0 : 1;
    }
    return 2;
  }
}
