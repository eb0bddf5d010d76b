package zerofive.files;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * Writes a whole file so that a kill at any moment leaves the old file or the new one: a temporary
 * name in the same folder, sync, rename, sync of the folder. Of two writers at once the second is
 * refused. What a link leads to is replaced, not the link; into pipes and devices is written as
 * they are.
 */
public final class AtomicFile {
  private AtomicFile() {}

  /** Replaces {@code file} by {@code text} in UTF-8. Throws OutputException. */
  public static void write(Path file, String text) {
    write(file, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Writes a file's bytes, as many as it likes. */
  public interface Content {
    void writeTo(OutputStream stream) throws IOException;
  }

  /** Replaces {@code file} by {@code parts}, one after the other. Throws OutputException. */
  public static void write(Path file, ByteBuffer... parts) {
    replace(file, all(parts));
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
            replace(
                folder.resolve(name), all(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)))));
    syncFolder(folder);
  }

  private static Writing all(ByteBuffer... parts) {
    return channel -> {
      for (ByteBuffer part : parts) {
        while (part.hasRemaining()) {
          channel.write(part);
        }
      }
    };
  }

  /**
   * Replaces {@code file} by what {@code content} writes; where that throws, the old file stays.
   * Throws OutputException, for an UncheckedIOException too.
   */
  public static void stream(Path file, Content content) {
    replace(
        file,
        channel -> {
          OutputStream stream = new BufferedOutputStream(Channels.newOutputStream(channel));
          content.writeTo(stream);
          stream.flush();
        });
    syncFolder(file.toAbsolutePath().getParent());
  }

  private interface Writing {
    void into(FileChannel channel) throws IOException;
  }

  private static void replace(Path named, Writing writing) {
    Path file = target(named);
    if (isStream(file)) {
      through(named, writing);
      return;
    }
    Path temporary = file.resolveSibling("." + file.getFileName() + ".part");
    if (isBeingWritten(temporary)) {
      throw new OutputException(
          named + " is being written by another process; wait for it, or name another with --out");
    }
    try {
      // Whatever a killed process left, or somebody put there: never written through.
      Files.deleteIfExists(temporary);
      try (FileChannel channel =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        FileGuarantees.tryLock(temporary, channel);
        writing.into(channel);
        FileGuarantees.sync(temporary, channel);
        FileGuarantees.replace(temporary, file);
      }
    } catch (IOException e) {
      remove(temporary, e);
      throw new OutputException(named, e);
    } catch (UncheckedIOException e) {
      remove(temporary, e);
      throw new OutputException(named, e.getCause());
    } catch (RuntimeException | Error e) {
      remove(temporary, e);
      throw e;
    }
  }

  /** The file that a link leads to: the link stays. One that leads nowhere is replaced. */
  private static Path target(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file.toAbsolutePath();
    }
  }

  /** A pipe, a terminal or another device: to put a file in its place would destroy it. */
  private static boolean isStream(Path file) {
    return Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file);
  }

  private static void through(Path stream, Writing writing) {
    try (FileChannel channel = FileChannel.open(stream, StandardOpenOption.WRITE)) {
      writing.into(channel);
    } catch (IOException e) {
      throw new OutputException(stream, e);
    } catch (UncheckedIOException e) {
      throw new OutputException(stream, e.getCause());
    }
  }

  private static boolean isBeingWritten(Path temporary) {
    if (!Files.isRegularFile(temporary, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    try (FileChannel channel =
        FileChannel.open(temporary, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS)) {
      return !FileGuarantees.tryLock(temporary, channel);
    } catch (IOException e) {
      return false; // It is gone, or not ours: creating a new one will tell.
    }
  }

  private static void remove(Path temporary, Throwable cause) {
    try {
      Files.deleteIfExists(temporary);
    } catch (IOException leftover) {
      cause.addSuppressed(leftover);
    }
  }

  /** Makes the renaming itself durable. */
  private static void syncFolder(Path folder) {
    try {
      FileGuarantees.syncFolder(folder);
    } catch (IOException e) {
      throw new OutputException(folder, e);
    }
  }
}
