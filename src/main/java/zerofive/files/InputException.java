package zerofive.files;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A data or model file is missing, damaged or does not fit what was asked. The message is one
 * sentence: the file, the place in it, what was expected, and a remedy.
 */
public final class InputException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Enough for every honest sentence; a name inside a hostile file can have millions. */
  private static final int HEAD = 2000;

  private static final int TAIL = 500;

  public InputException(String message) {
    super(printable(message));
  }

  public InputException(String message, Throwable cause) {
    super(printable(message), cause);
  }

  /** The sentence for an operating-system error met while reading {@code file}. */
  public InputException(Path file, IOException cause) {
    this(
        file
            + " cannot be read: "
            + OutputException.reason(cause)
            + "; check its permissions and the disk",
        cause);
  }

  /** What files and folders are called is theirs to choose: no line breaks, no escape codes. */
  private static String printable(String message) {
    String text =
        message.length() <= HEAD + TAIL
            ? message
            : message.substring(0, HEAD) + "[...]" + message.substring(message.length() - TAIL);
    return text.replaceAll("(?U)\\p{Cntrl}", "?");
  }
}
