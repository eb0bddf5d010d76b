package zerofive.study.benchmark;

/** A backend does not compute what the reference does. The message is one sentence. */
public final class MismatchException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public MismatchException(String message) {
    super(message);
  }
}
