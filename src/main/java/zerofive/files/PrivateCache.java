package zerofive.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * Files that can be made again, in a folder that nobody but this user can write:
 * $XDG_CACHE_HOME/zerofive, or ~/.cache/zerofive. A file appears whole, by renaming, so several
 * processes may make the same one at once.
 */
public final class PrivateCache {
  private static final FileAttribute<Set<PosixFilePermission>> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  /** Nobody writes to one file for so long. */
  private static final long ABANDONED_MILLIS = 3_600_000;

  private PrivateCache() {}

  /** The folder, made where it is not there; throws where it cannot be had or is not private. */
  public static Path folder() throws IOException {
    Path caches = caches(System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"));
    return folder(caches.resolve("zerofive"));
  }

  /** Where the user's caches are. Java calls the home of a user who has none {@code ?}. */
  static Path caches(String named, String home) throws IOException {
    try {
      if (named != null && Path.of(named).isAbsolute()) {
        return Path.of(named);
      }
      Path caches = Path.of(home, ".cache");
      if (caches.isAbsolute()) {
        return caches;
      }
    } catch (InvalidPathException e) {
      throw new IOException("has a name that this locale cannot spell", e);
    }
    throw new IOException("there is no home folder to hold it");
  }

  /**
   * A folder that this user alone can write, made where it is not there: what others could have put
   * there is not to be trusted, even for the moment until it is read.
   *
   * @throws IOException where it cannot be had, or is not private
   */
  public static Path folder(Path folder) throws IOException {
    if (!isPosix(folder)) {
      return Files.createDirectories(folder);
    }
    Files.createDirectories(folder.getParent(), PRIVATE);
    try {
      return Files.createDirectory(folder, PRIVATE);
    } catch (FileAlreadyExistsException e) {
      checkPrivate(folder);
      return folder;
    }
  }

  private static void checkPrivate(Path folder) throws IOException {
    PosixFileAttributes attributes =
        Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isDirectory()) {
      throw new FileSystemException(folder.toString(), null, "is not a folder");
    }
    // The process itself belongs to the user that it runs as, whether or not he has a name.
    Path self = Path.of("/proc/self");
    if (Files.exists(self)
        && !Files.getAttribute(self, "unix:uid").equals(Files.getAttribute(folder, "unix:uid"))) {
      throw new FileSystemException(folder.toString(), null, "belongs to another user");
    }
    if (attributes.permissions().contains(PosixFilePermission.GROUP_WRITE)
        || attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new FileSystemException(
          folder.toString(), null, "others may write to it, which chmod go-w ends");
    }
  }

  /** Puts a file in place as a whole; several processes may do so at once. */
  public static void replace(Path file, byte[] content) throws IOException {
    Path part = part(file);
    try {
      try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
        ByteBuffer buffer = ByteBuffer.wrap(content);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
        FileGuarantees.sync(part, channel);
      }
      FileGuarantees.replace(part, file);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /** A new file beside {@code file}, which is to get its name; what killed processes left goes. */
  public static Path part(Path file) throws IOException {
    try (DirectoryStream<Path> parts = Files.newDirectoryStream(file.getParent(), "*.part")) {
      for (Path old : parts) {
        if (System.currentTimeMillis() - old.toFile().lastModified() > ABANDONED_MILLIS) {
          Files.deleteIfExists(old);
        }
      }
    }
    return Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }
}
