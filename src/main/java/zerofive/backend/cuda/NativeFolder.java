package zerofive.backend.cuda;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import zerofive.data.Sha256;

/**
 * A folder to load JCuda's native libraries from.
 *
 * @param path absolute
 * @param unpacked whether the libraries were put there with the program, to be read only; else they
 *     are unpacked when needed, each into a folder named by its SHA-256
 */
record NativeFolder(Path path, boolean unpacked) {
  /** The property by which a bundle or a container names its folder of unpacked libraries. */
  static final String PROPERTY = "zerofive.natives";

  private static final FileAttribute<Set<PosixFilePermission>> OURS_ALONE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  /** The folders to try: the one that came with the program, the user's cache, temporary files. */
  static List<NativeFolder> inOrder(Environment environment) {
    List<NativeFolder> folders = new ArrayList<>();
    String given = System.getProperty(PROPERTY);
    if (given != null) {
      folders.add(new NativeFolder(Path.of(given).toAbsolutePath(), true));
    }
    environment
        .folder("XDG_CACHE_HOME")
        .or(() -> environment.folder("HOME").map(home -> home.resolve(".cache")))
        .map(cache -> new NativeFolder(cache.resolve("zerofive").resolve("natives"), false))
        .ifPresent(folders::add);
    Path temporary = Path.of(System.getProperty("java.io.tmpdir")).toAbsolutePath();
    folders.add(
        new NativeFolder(temporary.resolve("zerofive-" + System.getProperty("user.name")), false));
    return folders;
  }

  /**
   * The library's file in it, intact.
   *
   * @throws IOException where it is not there and cannot be put there safely
   */
  Path provide(JcudaLibrary library) throws IOException {
    if (unpacked) {
      Path file = path.resolve(library.fileName());
      if (!isIntact(file, library)) {
        throw new IOException("has no intact " + library.fileName());
      }
      return file;
    }
    makeOurs();
    Path file = path.resolve(library.sha256()).resolve(library.fileName());
    if (!isIntact(file, library)) {
      unpack(library, file);
    }
    return file;
  }

  /** What others could have put there is not to be trusted, even for the moment until it loads. */
  private void makeOurs() throws IOException {
    Files.createDirectories(path.getParent(), OURS_ALONE);
    try {
      Files.createDirectory(path, OURS_ALONE);
    } catch (FileAlreadyExistsException e) {
      // The checks below tell whose it is.
    }
    PosixFileAttributes attributes =
        Files.readAttributes(path, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    if (!attributes.isDirectory()) {
      throw new IOException("is not a folder");
    }
    // The process itself belongs to the user that it runs as, whether or not he has a name.
    Object owner = Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
    if (!owner.equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
      throw new IOException("belongs to another user");
    }
    if (attributes.permissions().contains(PosixFilePermission.GROUP_WRITE)
        || attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException("others may write to it");
    }
  }

  private static boolean isIntact(Path file, JcudaLibrary library) throws IOException {
    return Files.isRegularFile(file)
        && Sha256.of(Files.readAllBytes(file)).equals(library.sha256());
  }

  /** Several processes may do this at once: each renames a whole file of its own into place. */
  private static void unpack(JcudaLibrary library, Path file) throws IOException {
    byte[] bytes = library.bytes();
    Files.createDirectories(file.getParent(), OURS_ALONE);
    Path temporary = Files.createTempFile(file.getParent(), "", ".part");
    try {
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
        channel.force(true);
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
