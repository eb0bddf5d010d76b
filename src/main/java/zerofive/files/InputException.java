package zerofive.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A data or model file is missing, damaged or does not fit what was asked. The message is one
 * sentence: the file, the place in it, what was expected, and a remedy.
 */
public final class InputException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Enough for every honest sentence; a name inside a hostile file can have millions. */
  private static final int HEAD = 2000;

  private static final int TAIL = 500;

  private final String[] lines;

  public InputException(String message) {
    super(printable(message));
    lines = new String[0];
  }

  public InputException(String message, Throwable cause) {
    this(message, List.of(), cause);
  }

  /** With a remedy in lines to be copied, to which the sentence leads. */
  public InputException(String message, List<String> lines, Throwable cause) {
    super(printable(message), cause);
    this.lines = lines.stream().map(InputException::printable).toArray(String[]::new);
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

  /** What is to be copied of the remedy, line by line; empty where the sentence has it all. */
  public List<String> lines() {
    return List.of(lines);
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
