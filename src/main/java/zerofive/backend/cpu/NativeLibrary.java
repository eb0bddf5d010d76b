package zerofive.backend.cpu;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import zerofive.backend.Availability;
import zerofive.backend.DeviceException;
import zerofive.backend.natives.PackedLibrary;

/** Loads the native library of this platform, once, when it is asked for. */
final class NativeLibrary {
  /** Names an instruction set that is not to be exceeded, for a look at the slower ones. */
  static final String MAX_SET = "zerofive.instructions";

  /** In the order of {@code choose_kernels}. */
  private static final List<String> INSTRUCTIONS = List.of("portable", "AVX2", "AVX-512");

  private static final String PLAIN_JAVA = "until then plain Java serves in its place";

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
      Optional<PackedLibrary> library = read(platform);
      if (library.isEmpty()) {
        return Availability.unusable(
            "the program was built without native code for " + platform,
            "install a C++ compiler (g++) and delete the folder target, so that it is built anew; "
                + PLAIN_JAVA);
      }
      library.get().load(file -> {});
      return chosen(maxSet);
    } catch (IOException e) {
      return Availability.unusable(
          "the native library cannot be read from the jar: " + e.getMessage(),
          PackedLibrary.REINSTALL + "; " + PLAIN_JAVA);
    } catch (DeviceException e) {
      Availability trouble = e.availability();
      return Availability.unusable(trouble.detail(), trouble.remedy() + "; " + PLAIN_JAVA);
    }
  }

  /** The library for {@code platform}; empty where the program was built without. */
  private static Optional<PackedLibrary> read(String platform) throws IOException {
    try (InputStream resource = NativeLibrary.class.getResourceAsStream(platform + "/" + NAME)) {
      return resource == null
          ? Optional.empty()
          : Optional.of(new PackedLibrary("the native library", NAME, resource.readAllBytes()));
    }
  }

  /**
   * Puts the library into {@code folder}, where {@link PackedLibrary#UNPACKED} can name it.
   *
   * @return whether this program has one
   * @throws IOException where it cannot be read from the jar
   * @throws zerofive.files.OutputException where it cannot be written
   */
  static boolean unpack(Path folder) throws IOException {
    Optional<PackedLibrary> library = read(platform());
    library.ifPresent(found -> found.unpack(folder));
    return library.isPresent();
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
          PackedLibrary.REINSTALL,
          e);
    }
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
