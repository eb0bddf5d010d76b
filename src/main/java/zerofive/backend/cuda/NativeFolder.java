package zerofive.backend.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import zerofive.backend.SharedObject;
import zerofive.files.PrivateCache;
import zerofive.files.Sha256;

/**
 * A folder to load JCuda's native libraries from.
 *
 * @param path absolute
 * @param unpacked whether the libraries were put there with the program, to be read only; else they
 *     are unpacked when needed, each into a folder named by its SHA-256
 */
record NativeFolder(Path path, boolean unpacked) {
  /** The folders to try: the one that came with the program, the user's cache, temporary files. */
  static List<NativeFolder> inOrder(Environment environment) {
    List<NativeFolder> folders = new ArrayList<>();
    String given = System.getProperty(SharedObject.UNPACKED);
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
      Path file = path.resolve(library.unpackedName());
      if (!isIntact(file, library)) {
        throw new IOException("has no intact " + library.unpackedName());
      }
      return file;
    }
    Path folder = PrivateCache.folder(path).resolve(library.sha256());
    Path file = folder.resolve(library.fileName());
    if (!isIntact(file, library)) {
      Files.createDirectories(folder);
      PrivateCache.replace(file, library.bytes());
    }
    return file;
  }

  private static boolean isIntact(Path file, JcudaLibrary library) throws IOException {
    return Files.isRegularFile(file)
        && Sha256.of(Files.readAllBytes(file)).equals(library.sha256());
  }
}
