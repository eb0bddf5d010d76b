package zerofive.backend.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32;
import zerofive.backend.Availability;
import zerofive.backend.DeviceException;
import zerofive.backend.SharedObject;
import zerofive.data.OutputException;
import zerofive.data.PrivateCache;

/** Loads the native library of this platform, once, when it is asked for. */
final class NativeLibrary {
  /** Names an instruction set that is not to be exceeded, for a look at the slower ones. */
  static final String MAX_SET = "zerofive.instructions";

  /** In the order of {@code choose_kernels}. */
  private static final List<String> INSTRUCTIONS = List.of("portable", "AVX2", "AVX-512");

  private static final String PLAIN_JAVA = "until then plain Java serves in its place";

  private static final String ANEW =
      "install zerofive anew, or delete the folder target of a checkout";

  private static final String NAME = System.mapLibraryName("zerofive");

  private static Availability result;

  private NativeLibrary() {}

  /** Whether it is there; its detail is the instruction set it uses, or why it cannot be used. */
  static synchronized Availability load() {
    if (result == null) {
      result = load(platform(), System.getProperty(MAX_SET, "AVX-512"));
    }
    return result;
  }

  private static Availability load(String platform, String maxSet) {
    if (!INSTRUCTIONS.contains(maxSet)) {
      return Availability.unusable(
          MAX_SET + " is '" + maxSet + "', and known are " + String.join(", ", INSTRUCTIONS),
          "set it to one of these or to nothing; " + PLAIN_JAVA);
    }
    try {
      Optional<byte[]> library = read(platform);
      return library.isPresent()
          ? load(library.get(), maxSet)
          : Availability.unusable(
              "the program was built without native code for " + platform,
              "install a C++ compiler (g++) and delete the folder target, so that it is built"
                  + " anew; "
                  + PLAIN_JAVA);
    } catch (IOException e) {
      return Availability.unusable(
          "the native library cannot be read from the jar: " + e.getMessage(),
          ANEW + "; " + PLAIN_JAVA);
    } catch (DeviceException e) {
      Availability trouble = e.availability();
      return Availability.unusable(trouble.detail(), trouble.remedy() + "; " + PLAIN_JAVA);
    }
  }

  /** The library for {@code platform}; empty where the program was built without. */
  private static Optional<byte[]> read(String platform) throws IOException {
    try (InputStream resource = NativeLibrary.class.getResourceAsStream(platform + "/" + NAME)) {
      return resource == null ? Optional.empty() : Optional.of(resource.readAllBytes());
    }
  }

  /**
   * Puts the library into {@code folder}, where {@link SharedObject#UNPACKED} can name it.
   *
   * @return whether this program has one
   * @throws IOException where it cannot be read from the jar
   * @throws OutputException where it cannot be written
   */
  static boolean unpack(Path folder) throws IOException {
    Optional<byte[]> library = read(platform());
    library.ifPresent(bytes -> SharedObject.unpack(folder.resolve(NAME), bytes));
    return library.isPresent();
  }

  /**
   * From the folder that came with the program, from the user's cache, from a temporary folder: the
   * first that may hold programs.
   *
   * @throws DeviceException where no folder would help
   */
  private static Availability load(byte[] library, String maxSet) {
    List<String> refused = new ArrayList<>();
    return loadUnpacked(library, refused)
            || loadCached(library, refused)
            || loadTemporary(library, refused)
        ? chosen(maxSet)
        : Availability.unusable(
            "no folder can hold the native library (" + String.join(", ", refused) + ")",
            "set XDG_CACHE_HOME to a folder of yours that is not mounted noexec; " + PLAIN_JAVA);
  }

  private static boolean loadUnpacked(byte[] library, List<String> refused) {
    String folder = System.getProperty(SharedObject.UNPACKED);
    if (folder == null) {
      return false;
    }
    Path file = Path.of(folder).toAbsolutePath().resolve(NAME);
    try {
      if (Arrays.equals(Files.readAllBytes(file), library)) {
        return load(file, folder, refused);
      }
      refused.add(folder + ": its " + NAME + " is another");
    } catch (IOException e) {
      refused.add(folder + ": no " + NAME + " can be read in it");
    }
    return false;
  }

  private static boolean loadCached(byte[] library, List<String> refused) {
    try {
      Path file = PrivateCache.file(version(library), NAME, library);
      return load(file, file.getParent().toString(), refused);
    } catch (IOException e) {
      refused.add("the user's cache: " + OutputException.reason(e));
      return false;
    }
  }

  private static boolean loadTemporary(byte[] library, List<String> refused) {
    String temporary = System.getProperty("java.io.tmpdir");
    try {
      Path folder = Files.createTempDirectory("zerofive");
      Path file = folder.resolve(NAME);
      try {
        return load(Files.write(file, library), temporary, refused);
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
   * Whether the file could be loaded; where it is its folder's fault, that joins {@code refused}.
   *
   * @throws DeviceException where it is not
   */
  private static boolean load(Path file, String folder, List<String> refused) {
    try {
      System.load(file.toString());
      return true;
    } catch (UnsatisfiedLinkError e) {
      if (!SharedObject.isNoexec(e)) {
        throw SharedObject.explain(file, e, ANEW);
      }
      refused.add(folder + ": mounted noexec");
      return false;
    }
  }

  /**
   * The best instruction set that is allowed.
   *
   * @throws DeviceException where what was loaded is the library of another build
   */
  private static Availability chosen(String maxSet) {
    try {
      int chosen = Native.chooseKernels(INSTRUCTIONS.indexOf(maxSet));
      return Availability.usable(INSTRUCTIONS.get(chosen));
    } catch (UnsatisfiedLinkError e) {
      throw new DeviceException(
          "the native library in this program belongs to another build of it ("
              + e.getMessage()
              + ")",
          ANEW,
          e);
    }
  }

  private static String version(byte[] library) {
    CRC32 crc = new CRC32();
    crc.update(library);
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  /** The folder of the library in the jar, as native/build names it. */
  static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch");
    return (os.startsWith("mac") ? "macosx" : os.replace(' ', '-'))
        + "-"
        + switch (arch) {
          case "amd64" -> "x86_64";
          case "aarch64" -> "arm64";
          default -> arch;
        };
  }
}
