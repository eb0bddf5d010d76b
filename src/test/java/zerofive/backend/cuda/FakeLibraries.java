package zerofive.backend.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assumptions;

/** Shared libraries that gcc makes on the spot, with the functions that JCuda's libraries need. */
public final class FakeLibraries {
  private FakeLibraries() {}

  /** A libcuda.so.1 in the folder; cuDriverGetVersion tells the version, all others do nothing. */
  static Path driver(Path folder, int version) throws Exception {
    String functions =
        new ElfTables(JcudaLibrary.DRIVER.bytes())
            .imported(1).stream()
                .filter(name -> name.startsWith("cu") && !name.equals("cuDriverGetVersion"))
                .map(name -> "int " + name + "(void) { return 0; }\n")
                .collect(Collectors.joining());
    String own = "int cuDriverGetVersion(int *version) { *version = " + version + "; return 0; }\n";
    return compile(folder, "libcuda.so.1", functions + own);
  }

  /**
   * A cuBLAS of that major version and its companion; cublasGetVersion tells MAJOR * 10000 + 42.
   */
  static void cublas(Path folder, int major) throws Exception {
    ElfTables needs = new ElfTables(JcudaLibrary.CUBLAS_12.bytes());
    String functions =
        needs.imported(JcudaLibraryTest.cublasVersion(needs).index()).stream()
            .filter(name -> !name.equals("cublasGetVersion_v2"))
            .map(name -> "int " + name + "(void) { return 0; }\n")
            .collect(Collectors.joining());
    String own =
        "int cublasGetVersion_v2(void *handle, int *version) { *version = "
            + (major * 10000 + 42)
            + "; return 0; }\n";
    String name = "libcublas.so." + major;
    Path script = folder.resolve("versions");
    Files.writeString(script, name + " { global: *; };\n");
    compile(folder, name, functions + own, "-Wl,--version-script=" + script);
    compile(folder, "libcublasLt.so." + major, "int cublasLtVersion = " + major + ";\n");
  }

  /** Skips the test where these libraries cannot be loaded. */
  public static void assumeLoader() {
    Assumptions.assumeTrue(
        Environment.here().isLinuxX86(), "skipped: fake libraries are for Linux on x86-64");
  }

  /** A library from C, by gcc; skips the test where there is none. */
  public static Path compile(Path folder, String name, String source, String... options)
      throws IOException, InterruptedException {
    assumeLoader();
    Path file = folder.resolve(name);
    Path code = Files.writeString(folder.resolve(name + ".c"), source);
    List<String> command =
        new java.util.ArrayList<>(List.of("gcc", "-shared", "-fPIC", "-w", "-O0"));
    command.addAll(
        List.of("-fno-builtin", "-Wl,-soname," + name, "-o", file.toString(), code.toString()));
    command.addAll(List.of(options));
    Path log = folder.resolve(name + ".log");
    Process gcc;
    try {
      gcc =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
    } catch (IOException e) {
      Assumptions.abort("skipped: there is no gcc on the PATH to make a fake library with");
      throw e;
    }
    if (!gcc.waitFor(60, TimeUnit.SECONDS) || gcc.exitValue() != 0) {
      throw new AssertionError(Files.readString(log));
    }
    return file;
  }
}
