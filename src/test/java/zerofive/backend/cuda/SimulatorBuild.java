package zerofive.backend.cuda;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import zerofive.files.Sha256;

/**
 * Compiles {@code src/test/cuda-sim} with g++. What is built lies in {@code target/cuda-sim}, in a
 * folder named by a hash of all that went into it, so it is built once, by whichever process comes
 * first.
 */
final class SimulatorBuild {
  private static final Path SOURCES = Path.of("src/test/cuda-sim").toAbsolutePath();
  private static final Path PTX = SOURCES.resolve("ptx");
  private static final Path KERNELS = Path.of("kernels").toAbsolutePath();
  private static final Path BUILT = Path.of("target/cuda-sim").toAbsolutePath();
  private static final Path JNI = Path.of(System.getProperty("java.home"), "include");

  private static final int JOBS = 2;

  /** A command of the build, with the file that it makes as its name. */
  private record Step(String product, List<String> command) {}

  private SimulatorBuild() {}

  /** Why nothing can be built here, in one sentence; empty where it can. */
  static String missing() {
    if (!Environment.here().isLinuxX86()) {
      return "the simulated CUDA device runs on Linux x86-64 alone";
    }
    if (compiler().isEmpty()) {
      return "the simulated CUDA device is built by g++, and there is none";
    }
    if (!Files.exists(JNI.resolve("jni.h"))) {
      return "the simulated CUDA device needs a JDK with include/jni.h, and " + JNI + " has none";
    }
    return "";
  }

  /**
   * The folder with libcuda.so.1, the libnvidia-ptxjitcompiler.so.1 that it opens, each with its
   * cublasLt libcublas.so.12 and .13, and the program kernel_check.
   */
  static Path libraries() {
    List<String> flags = List.of("-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden", "-pthread");
    return once(
        "libraries",
        flags,
        folder -> {
          List<Step> objects = new ArrayList<>();
          for (String source : List.of("libcuda", "device", "control")) {
            objects.add(
                compile(
                    SOURCES.resolve(source + ".cpp"),
                    source + ".o",
                    flags,
                    List.of("-I" + JNI, "-I" + JNI.resolve("linux"))));
          }
          // A warp's registers are looked at as integers and as floats.
          List<String> vectors = new ArrayList<>(vectorInstructions());
          vectors.addAll(List.of("-ffp-contract=off", "-fno-strict-aliasing"));
          vectors.addAll(List.of("-fno-trapping-math", "-fno-math-errno"));
          for (String part :
              List.of("arithmetic", "access", "shadow", "run", "parser", "registers")) {
            // Its loops are vectorised as well without, in two thirds of the time to compile it.
            List<String> more = new ArrayList<>(vectors);
            more.add(part.equals("arithmetic") ? "-O2" : "-O3");
            objects.add(compile(PTX.resolve(part + ".cpp"), "ptx-" + part + ".o", flags, more));
          }
          List<String> check = new ArrayList<>(List.of("kernel_check.o"));
          check.addAll(
              objects.stream().map(Step::product).filter(s -> s.startsWith("ptx-")).toList());
          List<Step> cublas = new ArrayList<>(objects);
          cublas.add(
              compile(
                  SOURCES.resolve("kernel_check.cpp"),
                  check.get(0),
                  flags,
                  List.of("-I" + KERNELS)));
          for (int major : List.of(12, 13)) {
            cublas.addAll(cublas(folder, major, flags));
          }
          run(folder, cublas);
          List<String> link = new ArrayList<>(List.of("-shared", "-Wl,-soname,libcuda.so.1"));
          objects.forEach(object -> link.add(object.product()));
          link.add("-ldl");
          String compiler = "libnvidia-ptxjitcompiler";
          String soname = compiler + ".so.1";
          Path source = SOURCES.resolve(compiler + ".cpp");
          run(
              folder,
              List.of(
                  linked("libcuda.so.1", flags, link),
                  linked("kernel_check", flags, check),
                  linked(soname, flags, List.of("-shared", "-Wl,-soname," + soname, source + ""))));
          List<Step> links = new ArrayList<>();
          for (int major : List.of(12, 13)) {
            for (String name : List.of("libcublasLt", "libcublas")) {
              String library = name + ".so." + major;
              links.add(
                  linked(
                      library,
                      flags,
                      List.of(
                          "-shared",
                          "-Wl,-soname," + library,
                          "-Wl,--version-script=" + library + ".map",
                          library + ".o",
                          "libcuda.so.1")));
            }
          }
          run(folder, links);
        });
  }

  private static List<Path> sources(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  private static List<Step> cublas(Path folder, int major, List<String> flags) throws IOException {
    List<Step> steps = new ArrayList<>();
    for (String name : List.of("libcublas", "libcublasLt")) {
      String library = name + ".so." + major;
      Files.writeString(
          folder.resolve(library + ".map"), library + " { global: cublas*; local: *; };\n");
      List<String> more = new ArrayList<>(vectorInstructions());
      more.addAll(List.of("-O3", "-ffp-contract=off", "-DCUBLAS_VERSION=" + (major * 10000 + 600)));
      steps.add(compile(SOURCES.resolve(name + ".cpp"), library + ".o", flags, more));
    }
    return steps;
  }

  private static Step compile(Path source, String object, List<String> flags, List<String> more) {
    List<String> command = new ArrayList<>(List.of("g++"));
    command.addAll(flags);
    command.addAll(more);
    command.addAll(List.of("-c", source.toString(), "-o", object));
    return new Step(object, command);
  }

  private static Step linked(String product, List<String> flags, List<String> more) {
    List<String> command = new ArrayList<>(List.of("g++"));
    command.addAll(flags);
    command.addAll(List.of("-o", product));
    command.addAll(more);
    return new Step(product, command);
  }

  /** Without them fmaf is a function, and lanes go by fours: slow, but the same bits. */
  private static List<String> vectorInstructions() throws IOException {
    String processor = Files.readString(Path.of("/proc/cpuinfo"));
    boolean there = processor.contains(" fma ") && processor.contains(" avx2 ");
    return there ? List.of("-mfma", "-mavx2") : List.of();
  }

  private interface Recipe {
    void build(Path folder) throws IOException;
  }

  /**
   * Builds under another name and renames, so that a folder that is there is complete.
   *
   * @param key what tells this from other builds of the same sources
   */
  private static synchronized Path once(String name, List<String> key, Recipe recipe) {
    try {
      Path folder = BUILT.resolve(name + "-" + fingerprint(key));
      if (Files.isDirectory(folder)) {
        return folder;
      }
      Files.createDirectories(BUILT);
      Path making = Files.createTempDirectory(BUILT, "making-");
      try {
        recipe.build(making);
        try {
          Files.move(making, folder, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
          if (!Files.isDirectory(folder)) {
            throw e;
          }
          // Another process was faster.
        }
      } finally {
        remove(making);
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException("the simulated CUDA device cannot be built", e);
    }
  }

  private static void remove(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static String fingerprint(List<String> key) throws IOException {
    StringBuilder all = new StringBuilder();
    all.append(compiler()).append(key).append(vectorInstructions()).append(JNI).append(SOURCES);
    List<Path> read = new ArrayList<>();
    for (String ending : List.of(".cpp", ".h")) {
      read.addAll(sources(SOURCES, ending));
      read.addAll(sources(PTX, ending));
      read.addAll(sources(KERNELS, ending));
    }
    // This class says how things are compiled.
    read.add(Path.of("src/test/java/zerofive/backend/cuda/SimulatorBuild.java").toAbsolutePath());
    for (Path file : read) {
      all.append(file.getFileName()).append(Sha256.of(Files.readAllBytes(file)));
    }
    return Sha256.of(all.toString().getBytes(StandardCharsets.UTF_8)).substring(0, 16);
  }

  /** What the compiler says about itself; empty where there is none. */
  private static String compiler() {
    try {
      return output(new ProcessBuilder("g++", "--version"));
    } catch (IOException e) {
      return "";
    }
  }

  private static void run(Path folder, List<Step> steps) throws IOException {
    ExecutorService pool = Executors.newFixedThreadPool(JOBS);
    try {
      List<Future<String>> outputs = new ArrayList<>();
      for (Step step : steps) {
        outputs.add(
            pool.submit(
                () -> output(new ProcessBuilder(step.command()).directory(folder.toFile()))));
      }
      for (Future<String> output : outputs) {
        output.get();
      }
    } catch (ExecutionException e) {
      throw new IOException(e.getCause().getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } finally {
      pool.shutdownNow();
    }
  }

  private static String output(ProcessBuilder builder) throws IOException {
    Process process = builder.redirectErrorStream(true).start();
    String output;
    try (Stream<String> lines = process.inputReader(StandardCharsets.UTF_8).lines()) {
      output = lines.collect(Collectors.joining("\n"));
    }
    try {
      if (process.waitFor() != 0) {
        throw new IOException(String.join(" ", builder.command()) + "\n" + output);
      }
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
    return output;
  }
}
