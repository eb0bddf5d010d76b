package zerofive.backend.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32;
import zerofive.backend.Availability;
import zerofive.data.PrivateCache;

/** Loads the native library of this platform, once, when it is asked for. */
final class NativeLibrary {
  /** Names an instruction set that is not to be exceeded, for a look at the slower ones. */
  static final String MOST = "zerofive.instructions";

  /** In the order of {@code choose_kernels}. */
  private static final List<String> INSTRUCTIONS = List.of("portable", "AVX2", "AVX-512");

  private static final String PLAIN_JAVA = "until then plain Java serves in its place";

  private static Availability result;

  private NativeLibrary() {}

  /** Whether it is there; its detail is the instruction set it uses, or why it cannot be used. */
  static synchronized Availability load() {
    if (result == null) {
      result = load(platform(), System.getProperty(MOST, "AVX-512"));
    }
    return result;
  }

  private static Availability load(String platform, String most) {
    if (!INSTRUCTIONS.contains(most)) {
      return Availability.unusable(
          MOST + " is '" + most + "', and known are " + String.join(", ", INSTRUCTIONS),
          "set it to one of these or to nothing; " + PLAIN_JAVA);
    }
    String name = System.mapLibraryName("zerofive");
    byte[] library;
    try (InputStream resource = NativeLibrary.class.getResourceAsStream(platform + "/" + name)) {
      if (resource == null) {
        return Availability.unusable(
            "the program was built without native code for " + platform,
            "install a C++ compiler (g++) and delete the folder target, so that it is built anew; "
                + PLAIN_JAVA);
      }
      library = resource.readAllBytes();
    } catch (IOException e) {
      return Availability.unusable(
          "the native library cannot be read from the jar: " + e.getMessage(),
          "delete the folder target, so that it is built anew; " + PLAIN_JAVA);
    }
    return load(name, library, most);
  }

  /** From the user's cache; where programs may not be run from there, from a temporary folder. */
  private static Availability load(String name, byte[] library, String most) {
    Exception failure;
    try {
      loadFile(PrivateCache.file(version(library), name, library));
      return chosen(most);
    } catch (IOException | LoadException e) {
      failure = e;
    }
    try {
      Path folder = Files.createTempDirectory("zerofive");
      Path file = folder.resolve(name);
      try {
        loadFile(Files.write(file, library));
        return chosen(most);
      } finally {
        Files.deleteIfExists(file);
        Files.delete(folder);
      }
    } catch (IOException | LoadException e) {
      e.addSuppressed(failure);
      return Availability.unusable(
          "its library can be loaded neither from the user's cache ("
              + failure.getMessage()
              + ") nor from "
              + System.getProperty("java.io.tmpdir")
              + " ("
              + e.getMessage()
              + ")",
          "install libstdc++6 where that is missing, name a folder by XDG_CACHE_HOME that can be"
              + " written and may hold programs, or delete the folder target, so that it is built"
              + " anew; "
              + PLAIN_JAVA);
    }
  }

  /** What the dynamic linker says of a file it does not take. */
  private static final class LoadException extends Exception {
    private static final long serialVersionUID = 1;

    LoadException(UnsatisfiedLinkError cause) {
      super(cause.getMessage(), cause);
    }
  }

  private static void loadFile(Path file) throws LoadException {
    try {
      System.load(file.toAbsolutePath().toString());
    } catch (UnsatisfiedLinkError e) {
      throw new LoadException(e);
    }
  }

  private static Availability chosen(String most) {
    return Availability.usable(INSTRUCTIONS.get(Native.chooseKernels(INSTRUCTIONS.indexOf(most))));
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
