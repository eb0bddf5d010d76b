package zerofive.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;

/** An output cannot be written. The message is one sentence: the file, the cause, and a remedy. */
public final class OutputException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What could not be written, where the operating system says why. */
  private final transient Path file;

  public OutputException(String message) {
    super(message);
    file = null;
  }

  /** The sentence for an operating-system error met while writing {@code file}. */
  public OutputException(Path file, IOException cause) {
    this(file, cause, "make room, make it writable, or name another folder with --out");
  }

  /** The same with a remedy of its own. */
  public OutputException(Path file, IOException cause, String remedy) {
    super(file + " cannot be written: " + reason(cause) + "; " + remedy, cause);
    this.file = file;
  }

  /** The same of a run that has begun and goes on by {@code command}, as soon as it can. */
  public OutputException resumable(String command) {
    return file != null && getCause() instanceof IOException cause
        ? new OutputException(
            file, cause, "make room or make it writable, then resume with: " + command)
        : this;
  }

  /** The operating system's reason in words; the exceptions' own messages are often just a path. */
  public static String reason(IOException cause) {
    if (cause instanceof AccessDeniedException) {
      return "permission denied";
    }
    if (cause instanceof NoSuchFileException) {
      return "no such folder";
    }
    if (cause instanceof FileSystemException filesystem) {
      return Objects.requireNonNullElse(
          filesystem.getReason(), filesystem.getFile() + " is in the way");
    }
    return Objects.requireNonNullElse(cause.getMessage(), cause.getClass().getSimpleName());
  }
}
