package zerofive.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** A file that can be read, whole and again: no folder, pipe or device. */
public final class RegularFile {
  /** What Java puts in place of bytes that are no text; no file can be found by it. */
  private static final char UNKNOWN_CHARACTER = '\ufffd';

  private RegularFile() {}

  /**
   * Its size in bytes.
   *
   * @param remedy for one that is missing or something else
   * @throws InputException where it is, or lies in a folder that is closed to this user
   */
  public static long size(Path file, String remedy) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      if (!attributes.isRegularFile()) {
        throw new InputException(file + " is not a regular file; " + remedy);
      }
      return attributes.size();
    } catch (NoSuchFileException e) {
      boolean isUnreadableName = file.toString().indexOf(UNKNOWN_CHARACTER) >= 0;
      throw new InputException(
          file
              + (isUnreadableName
                  ? " cannot be opened: its name is not UTF-8 text; name its folder, or rename it"
                  : " is missing; " + remedy),
          e);
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }
}
