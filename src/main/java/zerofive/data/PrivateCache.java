package zerofive.data;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Set;

/**
 * Files that can be made again, in a folder that nobody but this user can write:
 * $XDG_CACHE_HOME/zerofive, or ~/.cache/zerofive. A file appears whole, by renaming, so several
 * processes may make the same one at once.
 */
public final class PrivateCache {
  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  private PrivateCache() {}

  /** The folder, made where it is not there; throws where it cannot be had or is not private. */
  public static Path folder() throws IOException {
    String base = System.getenv("XDG_CACHE_HOME");
    Path caches =
        base != null && Path.of(base).isAbsolute()
            ? Path.of(base)
            : Path.of(System.getProperty("user.home"), ".cache");
    return folder(caches.resolve("zerofive"));
  }

  static Path folder(Path folder) throws IOException {
    if (!isPosix(folder)) {
      return Files.createDirectories(folder);
    }
    try {
      Files.createDirectories(folder.getParent());
      return Files.createDirectory(folder, PRIVATE);
    } catch (FileAlreadyExistsException e) {
      checkPrivate(folder);
      return folder;
    }
  }

  private static void checkPrivate(Path folder) throws IOException {
    Set<PosixFilePermission> permissions =
        Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
            ? Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS)
            : Set.of(PosixFilePermission.OTHERS_WRITE);
    Path self = Path.of("/proc/self");
    boolean ours =
        !Files.exists(self)
            || Files.getAttribute(self, "unix:uid").equals(Files.getAttribute(folder, "unix:uid"));
    if (!ours
        || permissions.contains(PosixFilePermission.GROUP_WRITE)
        || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException(folder + " is not a folder that this user alone can write");
    }
  }

  /**
   * The file {@code version-name} of the cache, which holds exactly {@code content}; making it
   * removes other versions, which whoever has loaded them can go on using.
   */
  public static Path file(String version, String name, byte[] content) throws IOException {
    return file(folder(), version, name, content);
  }

  static Path file(Path folder, String version, String name, byte[] content) throws IOException {
    Path file = folder.resolve(version + "-" + name);
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
        || Files.size(file) != content.length
        || !Arrays.equals(Files.readAllBytes(file), content)) {
      replace(file, content);
      try (DirectoryStream<Path> versions = Files.newDirectoryStream(folder, "*-" + name)) {
        for (Path other : versions) {
          if (!other.equals(file)) {
            Files.deleteIfExists(other);
          }
        }
      }
    }
    return file;
  }

  /** Writes the file under another name, then renames it. */
  private static void replace(Path file, byte[] content) throws IOException {
    Path part = Files.createTempFile(file.getParent(), file.getFileName().toString(), ".part");
    try {
      Files.write(part, content);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("unix");
  }
}
