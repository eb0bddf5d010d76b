package zerofive.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * What a file system may lack: sync (of folders on SMB), locks (on NFS without its daemon),
 * renaming over a file. The program goes on without, after one warning of each kind in a process.
 * Any other error, such as a full or a failing disk, stays one.
 */
public final class FileGuarantees {
  private static final String ELSEWHERE =
      "; where that matters, use a folder of another file system";

  /** What is lacking, with the consequence and the remedy. */
  private enum Lack {
    SYNC(
        "cannot sync a file or folder",
        "a power failure may lose what was just written, a kill loses nothing" + ELSEWHERE),
    LOCK(
        "has no locks",
        "a second zerofive in the same folder would not be noticed; start one at a time in it"),
    REPLACE(
        "cannot replace a file in one step",
        "a kill at that moment may leave half of it" + ELSEWHERE);

    private final String what;
    private final String consequence;

    Lack(String what, String consequence) {
      this.what = what;
      this.consequence = consequence;
    }
  }

  /**
   * EINVAL, ENOTSUP (glibc, musl), ENOSYS, ENOLCK and ENOTTY as the system words them; Java does
   * not pass the numbers on. The launcher asks for English.
   */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "invalid argument",
          "operation not supported",
          "not supported",
          "function not implemented",
          "no locks available",
          "inappropriate ioctl for device");

  private static final Set<Lack> WARNED = ConcurrentHashMap.newKeySet();

  private static volatile Consumer<String> listener = warning -> {};

  private FileGuarantees() {}

  /** Receives the warnings from now on, each at most once in a process. */
  public static void onWarning(Consumer<String> warnings) {
    listener = warnings;
  }

  /** As in a process that has just begun. */
  static void forgetWarnings() {
    WARNED.clear();
  }

  /** Returns when the content of an open file is on the disk, where that is possible. */
  static void sync(Path file, FileChannel channel) throws IOException {
    try {
      channel.force(true);
    } catch (IOException e) {
      lacks(Lack.SYNC, file.toAbsolutePath().getParent(), e);
    }
  }

  /** The same of a file by its name. */
  public static void sync(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      sync(file, channel);
    }
  }

  /** Makes a renaming durable. Windows cannot open a folder: there the renaming must do. */
  static void syncFolder(Path folder) throws IOException {
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
        channel.force(true);
      } catch (AccessDeniedException e) {
        warn(Lack.SYNC, folder, e); // A folder may be written and not read.
      } catch (IOException e) {
        lacks(Lack.SYNC, folder, e);
      }
    }
  }

  /** Locks a file until its channel is closed; false where somebody else has the lock. */
  public static boolean tryLock(Path file, FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException heldByThisProcess) {
      return false;
    } catch (IOException e) {
      lacks(Lack.LOCK, file.toAbsolutePath().getParent(), e);
      return true;
    }
  }

  /** Gives a file of the same folder the name {@code to}, in place of what had it. */
  public static void replace(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      warn(Lack.REPLACE, to.toAbsolutePath().getParent(), e);
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
      sync(to); // It may have been copied.
    }
  }

  private static void lacks(Lack lack, Path folder, IOException cause) throws IOException {
    if (!UNSUPPORTED.contains(OutputException.reason(cause).toLowerCase(Locale.ROOT))) {
      throw cause;
    }
    warn(lack, folder, cause);
  }

  private static void warn(Lack lack, Path folder, IOException cause) {
    if (WARNED.add(lack)) {
      listener.accept(
          "the file system of "
              + folder
              + " "
              + lack.what
              + " ("
              + OutputException.reason(cause)
              + "): "
              + lack.consequence);
    }
  }
}
