package zerofive.data;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * Writes a whole file so that a kill at any moment leaves the old file or the new one: a temporary
 * name in the same folder, sync, rename, sync of the folder.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Replaces {@code file} by {@code text} in UTF-8. Throws OutputException. */
  public static void write(Path file, String text) {
    write(file, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Replaces {@code file} by {@code parts}, one after the other. Throws OutputException. */
  public static void write(Path file, ByteBuffer... parts) {
    replace(file, parts);
    syncFolder(file.toAbsolutePath().getParent());
  }

  /**
   * Replaces the files of one folder by texts in UTF-8, in their order; a kill may leave some old
   * and some new. The folder is synced once, which takes less time than one write for each. Throws
   * OutputException.
   */
  public static void write(Path folder, Map<String, String> texts) {
    texts.forEach(
        (name, text) ->
            replace(folder.resolve(name), ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8))));
    syncFolder(folder);
  }

  private static void replace(Path file, ByteBuffer... parts) {
    Path folder = file.toAbsolutePath().getParent();
    Path temporary = folder.resolve("." + file.getFileName() + ".part");
    try {
      // Whatever a killed process left, or somebody put there: never written through.
      Files.deleteIfExists(temporary);
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        for (ByteBuffer part : parts) {
          while (part.hasRemaining()) {
            channel.write(part);
          }
        }
        channel.force(true);
      }
      Files.move(
          temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      try {
        Files.deleteIfExists(temporary);
      } catch (IOException leftover) {
        e.addSuppressed(leftover);
      }
      throw new OutputException(file, e);
    }
  }

  /** Makes the renaming itself durable. Windows cannot open a folder: there the rename must do. */
  private static void syncFolder(Path folder) {
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      } catch (IOException e) {
        throw new OutputException(folder, e);
      }
    }
  }
}
