package zerofive.files;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads small text files that anybody may have edited. */
public final class TextFile {
  private static final int MAX_MEBIBYTES = 64;

  /** JSON takes up to forty times its size when it is parsed. */
  private static final int MAX_JSON_MEBIBYTES = 4;

  private TextFile() {}

  /**
   * The whole file, which must be a regular one of at most 64 MiB in UTF-8.
   *
   * @throws InputException where it is not
   */
  public static String read(Path file) {
    return read(file, MAX_MEBIBYTES);
  }

  /**
   * The whole of a file to be parsed as JSON, which must be a regular one of at most 4 MiB in
   * UTF-8.
   *
   * @throws InputException where it is not
   */
  public static String readJson(Path file) {
    return read(file, MAX_JSON_MEBIBYTES);
  }

  private static String read(Path file, int maxMebibytes) {
    try {
      if (RegularFile.size(file, "restore it or start a new run") > (long) maxMebibytes << 20) {
        throw new InputException(
            file
                + " is larger than "
                + maxMebibytes
                + " MiB, which none of our files is; restore it or start a new run");
      }
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new InputException(file + " is not text in UTF-8; restore it or start a new run", e);
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }
}
