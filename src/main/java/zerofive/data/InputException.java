package zerofive.data;

/**
 * A data or model file is missing, damaged or does not fit what was asked. The message is one
 * sentence: the file, the place in it, what was expected, and a remedy.
 */
public final class InputException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public InputException(String message) {
    super(message);
  }

  public InputException(String message, Throwable cause) {
    super(message, cause);
  }
}
