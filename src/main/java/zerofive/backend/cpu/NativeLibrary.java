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
  static final String PORTABLE = "portable";
  static final String AVX2 = "AVX2";
  static final String AVX512 = "AVX512";

  /** The sets of instructions, in the order of {@code choose_kernels}. */
  static final List<String> SETS = List.of(PORTABLE, AVX2, AVX512);

  private static final String NAME = System.mapLibraryName("zerofive");

  private static Availability result;

  private NativeLibrary() {}

  /** Whether it is there; its detail is the best of the {@link #SETS} here, or why it is not. */
  static synchronized Availability load() {
    if (result == null) {
      result = load(platform());
    }
    return result;
  }

  private static Availability load(String platform) {
    try {
      Optional<PackedLibrary> library = read(platform);
      if (library.isEmpty()) {
        return Availability.unusable(
            "the program was built without native code for " + platform,
            "install a C++ compiler (g++) and delete the folder target, so that it is built anew");
      }
      library.get().load(file -> {});
      return Availability.usable(SETS.get(choose(SETS.size() - 1)));
    } catch (IOException e) {
      return Availability.unusable(
          "the native library cannot be read from the jar: " + e.getMessage(),
          PackedLibrary.REINSTALL);
    } catch (DeviceException e) {
      return e.availability();
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
   * Takes the best of the {@link #SETS} that this CPU has, up to number {@code max}.
   *
   * @return its number
   * @throws DeviceException where what was loaded is the library of another build
   */
  static int choose(int max) {
    try {
      return Native.chooseKernels(max);
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
