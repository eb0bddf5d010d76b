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
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import zerofive.files.Sha256;

/**
 * Compiles {@code src/test/cuda-sim} and the kernels' sources with g++. What is built lies in
 * {@code target/cuda-sim}, in a folder named by a hash of all that went into it, so it is built
 * once, by whichever process comes first.
 */
final class SimulatorBuild {
  private static final Path SOURCES = Path.of("src/test/cuda-sim").toAbsolutePath();
  private static final Path PLANTED = SOURCES.resolve("planted");
  private static final Path KERNELS = Path.of("kernels").toAbsolutePath();

  /** All kernels of the program, as one translation unit: what the PTX is made from. */
  static final Path ALL_KERNELS = KERNELS.resolve("all.cu");

  private static final Path BUILT = Path.of("target/cuda-sim").toAbsolutePath();
  private static final Path JNI = Path.of(System.getProperty("java.home"), "include");

  /** Group 1 or 2: the bound on threads, where there is one; group 3: the name. */
  private static final Pattern ENTRY =
      Pattern.compile(
          "__global__\\s+(?:__launch_bounds__\\(([^()]*)\\)\\s*)?"
              + "void\\s+(?:__launch_bounds__\\(([^()]*)\\)\\s*)?(\\w+)\\s*\\(");

  private static final Pattern INCLUDED = Pattern.compile("#include \"(\\w+\\.cu)\"");

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
   * The folder with libcuda.so.1, the libnvidia-ptxjitcompiler.so.1 that it opens, and, each with
   * its cublasLt, libcublas.so.12 and .13.
   */
  static Path libraries() {
    List<String> flags =
        List.of("-std=c++17", "-O2", "-fPIC", "-fvisibility=hidden", "-pthread", "-I" + KERNELS);
    return once(
        "libraries",
        flags,
        folder -> {
          List<Step> objects = new ArrayList<>();
          for (String source : List.of("libcuda", "device", "control", "emulation")) {
            objects.add(
                compile(
                    SOURCES.resolve(source + ".cpp"),
                    source + ".o",
                    flags,
                    List.of("-I" + JNI, "-I" + JNI.resolve("linux"))));
          }
          objects.add(kernels(folder, ALL_KERNELS, flags));
          List<Step> cublas = new ArrayList<>(objects);
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

  /**
   * A program that runs the kernels of a .cu file, with a sanitizer of the compiler's.
   *
   * @param sanitizer thread, address or undefined
   * @param main the program's source in src/test/cuda-sim
   */
  static Path checked(String sanitizer, String main, Path kernels) {
    List<String> flags =
        new ArrayList<>(List.of("-std=c++17", "-O1", "-g", "-pthread", "-I" + KERNELS));
    flags.add("-DEMULATION_CHECKED");
    if (sanitizer.equals("thread")) {
      flags.add("-DEMULATION_TSAN");
    } else if (sanitizer.equals("address")) {
      flags.add("-DEMULATION_ASAN");
    }
    List<String> instrumented =
        Stream.concat(
                flags.stream(), Stream.of("-fsanitize=" + sanitizer, "-fno-sanitize-recover=all"))
            .toList();
    String program = main.replace(".cpp", "");
    // The emulation is the hardware, and must not be looked at by the sanitizer.
    Path hardware =
        once(
            "hardware",
            Stream.concat(flags.stream(), Stream.of(main)).toList(),
            built ->
                run(
                    built,
                    List.of(
                        compile(SOURCES.resolve("emulation.cpp"), "emulation.o", flags, List.of()),
                        compile(SOURCES.resolve(main), "main.o", flags, List.of()))));
    Path folder =
        once(
            program,
            Stream.concat(instrumented.stream(), Stream.of(kernels.toString())).toList(),
            built -> {
              Step object = kernels(built, kernels, instrumented);
              run(built, List.of(object));
              List<String> link = new ArrayList<>(List.of(object.product()));
              for (String part : List.of("emulation.o", "main.o")) {
                link.add(hardware.resolve(part).toString());
              }
              run(built, List.of(linked(program, instrumented, link)));
            });
    return folder.resolve(program);
  }

  /** A kernel of src/test/cuda-sim/planted, with a fault of its own. */
  static Path planted(String name) {
    return PLANTED.resolve(name + ".cu");
  }

  static List<Path> sources(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  /** A .cu as it stands, behind the emulation's header, and a line that registers each entry. */
  private static Step kernels(Path folder, Path source, List<String> flags) throws IOException {
    StringBuilder text = new StringBuilder();
    text.append("#include \"cuda_emulation.h\"\nEMULATION_BEGIN_KERNELS\n#include \"");
    text.append(source).append("\"\n");
    Matcher entries = ENTRY.matcher(withIncluded(source));
    while (entries.find()) {
      String bound = entries.group(1) != null ? entries.group(1) : entries.group(2);
      String name = entries.group(3);
      text.append("static cuda_emulation::Registration registration_of_").append(name);
      text.append("(cuda_emulation::Entry<").append(name).append(">::described(\"").append(name);
      text.append("\", ").append(bound == null ? "1024" : bound).append("));\n");
    }
    text.append("EMULATION_END_KERNELS\n");
    Path wrapper = folder.resolve("kernels.cpp");
    Files.writeString(wrapper, text);
    // Kernels look at the same bytes as floats and as vectors of them, as CUDA allows.
    List<String> more = new ArrayList<>(List.of("-I" + SOURCES, "-ffp-contract=off"));
    more.addAll(List.of("-fno-strict-aliasing", "-Wno-unknown-pragmas"));
    more.addAll(fusedMultiplyAdd());
    return compile(wrapper, "kernels.o", flags, more);
  }

  /** The text of a .cu, and of each .cu that it includes. */
  private static String withIncluded(Path source) throws IOException {
    StringBuilder text = new StringBuilder(Files.readString(source));
    for (MatchResult included : INCLUDED.matcher(text).results().toList()) {
      text.append(Files.readString(source.resolveSibling(included.group(1))));
    }
    return text.toString();
  }

  private static List<Step> cublas(Path folder, int major, List<String> flags) throws IOException {
    List<Step> steps = new ArrayList<>();
    for (String name : List.of("libcublas", "libcublasLt")) {
      String library = name + ".so." + major;
      Files.writeString(
          folder.resolve(library + ".map"), library + " { global: cublas*; local: *; };\n");
      List<String> more = new ArrayList<>(fusedMultiplyAdd());
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

  /** Without the instruction fmaf is a function, slow but the same bits. */
  private static List<String> fusedMultiplyAdd() throws IOException {
    boolean there = Files.readString(Path.of("/proc/cpuinfo")).contains(" fma ");
    return there ? List.of("-mfma") : List.of();
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
    all.append(compiler()).append(key).append(fusedMultiplyAdd()).append(JNI).append(SOURCES);
    List<Path> read = new ArrayList<>();
    for (Path folder : List.of(SOURCES, PLANTED, KERNELS)) {
      for (String ending : List.of(".cpp", ".cu", ".cuh", ".h")) {
        read.addAll(sources(folder, ending));
      }
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
