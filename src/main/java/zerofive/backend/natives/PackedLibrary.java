package zerofive.backend.natives;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import zerofive.backend.DeviceException;
import zerofive.files.AtomicFile;
import zerofive.files.OutputException;
import zerofive.files.PrivateCache;

/**
 * A native library that the program carries in a jar. The operating system loads files alone, so it
 * has to lie in a folder: one that came with the program, the user's private cache, or a temporary
 * one. The first is taken that may hold programs; no file is loaded unless every byte is right and
 * no other user could have changed it.
 */
public final class PackedLibrary {
  /** The property by which a bundle or a container names its folder of unpacked libraries. */
  public static final String UNPACKED = "zerofive.natives";

  /** The remedy where the program's own copy is damaged. */
  public static final String REINSTALL =
      "install zerofive anew, or delete the folder target of a checkout";

  /** Builds that are in use share a cache; one that nobody has started for so long is in none. */
  private static final Duration UNUSED = Duration.ofDays(7);

  private static final Duration SELDOM = Duration.ofHours(1);

  private final String description;
  private final Path name;
  private final byte[] content;

  /**
   * Nothing is written or loaded yet.
   *
   * @param description in sentences: {@code the native library}
   * @param name of its file in a folder of several, and what else no other library has in common
   *     with it: {@code cublas-13/libJCublas2.so}
   * @param content of that file
   */
  public PackedLibrary(String description, String name, byte[] content) {
    this.description = description;
    this.name = Path.of(name);
    this.content = content;
  }

  /**
   * Puts it into {@code folder}, where {@link #UNPACKED} can name it to another user.
   *
   * @throws OutputException where it cannot be written
   */
  public void unpack(Path folder) {
    Path file = folder.resolve(name);
    try {
      Files.createDirectories(file.getParent());
    } catch (IOException e) {
      throw new OutputException(file.getParent(), e, "make it writable, or name another folder");
    }
    AtomicFile.write(file, ByteBuffer.wrap(content));
  }

  /**
   * Loads it for the life of the process. A JVM gives a file to one class loader alone, so where
   * another has it, as in a cluster's executor, this one loads a copy of its own.
   *
   * @param initialize called with the loaded file, which may be removed afterwards
   * @throws DeviceException where the loader refuses it, or no folder can hold it
   */
  public void load(Consumer<Path> initialize) {
    List<String> refused = new ArrayList<>();
    if (!loadUnpacked(initialize, refused)
        && !loadCached(initialize, refused)
        && !loadTemporary(initialize, refused)) {
      throw new DeviceException(
          "no folder can hold " + description + " (" + String.join(", ", refused) + ")",
          "set XDG_CACHE_HOME to a folder of yours that is not mounted noexec",
          null);
    }
  }

  private boolean loadUnpacked(Consumer<Path> initialize, List<String> refused) {
    String folder = System.getProperty(UNPACKED);
    if (folder == null) {
      return false;
    }
    Path file = Path.of(folder).toAbsolutePath().resolve(name);
    try {
      if (isIntact(file)) {
        return load(file, folder, initialize, refused);
      }
      refused.add(folder + ": its " + name + " is another");
    } catch (IOException e) {
      refused.add(folder + ": no " + name + " can be read in it");
    }
    return false;
  }

  /** Each version lies in a folder of its own, since JCuda looks for its libraries by name. */
  private boolean loadCached(Consumer<Path> initialize, List<String> refused) {
    String folder = "the user's cache";
    try {
      Path natives = PrivateCache.folder().resolve("natives");
      folder = natives.toString();
      Path versions = PrivateCache.folder(natives).resolve(name);
      Path file = versions.resolve(version()).resolve(name.getFileName());
      if (!Files.exists(file) || !isIntact(file)) {
        Files.createDirectories(file.getParent());
        PrivateCache.replace(file, content);
        removeUnused(versions, file);
      } else if (isOlder(file, SELDOM)) {
        markUsed(file);
      }
      return load(file, folder, initialize, refused);
    } catch (IOException e) {
      refused.add(folder + ": " + OutputException.reason(e));
      return false;
    }
  }

  /**
   * Removes versions that no build uses any more. Others stay: their builds may be about to load
   * them.
   */
  private static void removeUnused(Path versions, Path file) {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(versions)) {
      for (Path folder : folders) {
        Path other = folder.resolve(file.getFileName());
        if (!other.equals(file) && Files.exists(other) && isOlder(other, UNUSED)) {
          Files.delete(other);
          Files.delete(folder);
        }
      }
    } catch (IOException e) {
      // Another process is writing or removing it: then that is not ours to remove.
    }
  }

  private static boolean isOlder(Path file, Duration age) throws IOException {
    Instant used = Files.getLastModifiedTime(file).toInstant();
    return used.isBefore(Instant.now().minus(age));
  }

  private static void markUsed(Path file) {
    try {
      Files.setLastModifiedTime(file, FileTime.from(Instant.now()));
    } catch (IOException e) {
      // A cache that is read-only serves as well.
    }
  }

  private boolean loadTemporary(Consumer<Path> initialize, List<String> refused) {
    String temporary = System.getProperty("java.io.tmpdir");
    try {
      Path folder = Files.createTempDirectory("zerofive");
      Path file = folder.resolve(name.getFileName());
      try {
        return load(Files.write(file, content), temporary, initialize, refused);
      } finally {
        Files.deleteIfExists(file);
        Files.delete(folder);
      }
    } catch (IOException e) {
      refused.add(temporary + ": " + OutputException.reason(e));
      return false;
    }
  }

  /**
   * Whether the file could be loaded; where its folder is the reason, that joins {@code refused}.
   */
  private static boolean load(
      Path file, String folder, Consumer<Path> initialize, List<String> refused) {
    try {
      System.load(file.toString());
    } catch (UnsatisfiedLinkError e) {
      if (!Files.exists(file)) {
        refused.add(folder + ": another process removed it");
        return false;
      }
      if (SharedObject.isInAnotherLoader(e)) {
        refused.add(folder + ": another class loader of this process has loaded it");
        return false;
      }
      if (!SharedObject.isNoexec(e)) {
        throw SharedObject.explain(file, e, REINSTALL);
      }
      refused.add(folder + ": mounted noexec");
      return false;
    }
    initialize.accept(file);
    return true;
  }

  private boolean isIntact(Path file) throws IOException {
    return Files.size(file) == content.length && Arrays.equals(Files.readAllBytes(file), content);
  }

  /** A name for this content; whether a file has it, its bytes decide. */
  private String version() {
    CRC32 crc = new CRC32();
    crc.update(content);
    return HexFormat.of().toHexDigits((int) crc.getValue());
  }
}
