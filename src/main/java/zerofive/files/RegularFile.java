package zerofive.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** A file that can be read, whole and again: no folder, pipe or device. */
public final class RegularFile {
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
      throw new InputException(file + " is missing; " + remedy, e);
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }
}
