package zerofive.files;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads small text files that anybody may have edited. */
public final class TextFile {
  private static final long MAX_BYTES = 64L << 20;

  private TextFile() {}

  /**
   * The whole file, which must be a regular one of at most 64 MiB in UTF-8.
   *
   * @throws InputException where it is not
   */
  public static String read(Path file) {
    try {
      if (RegularFile.size(file, "restore it or start a new run") > MAX_BYTES) {
        throw new InputException(
            file + " is larger than 64 MiB, which none of our files is; restore it");
      }
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new InputException(file + " is not text in UTF-8; restore it or start a new run", e);
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }
}
