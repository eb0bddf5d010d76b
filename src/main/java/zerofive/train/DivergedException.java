package zerofive.train;

/** A loss or a weight became NaN or infinite. The message is one sentence with a remedy. */
public final class DivergedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public DivergedException(String message) {
    super(message);
  }
}
