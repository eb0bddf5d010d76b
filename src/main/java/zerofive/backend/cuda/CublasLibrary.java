package zerofive.backend.cuda;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import zerofive.backend.DeviceException;
import zerofive.backend.natives.SharedObject;

/**
 * NVIDIA's library of matrix products: {@code libcublas.so.N} and the {@code libcublasLt.so.N} that
 * it needs.
 *
 * @param cublas absolute path
 * @param cublasLt absolute path
 * @param major 12 or 13, the N of both names
 * @param origin how it was found, in words
 */
public record CublasLibrary(Path cublas, Path cublasLt, int major, String origin) {
  /** The word of {@code --cublas} for doing without. */
  public static final String NONE = "none";

  /** JCuda 12.6 was built against 12; 13 has all that it calls. */
  private static final List<Integer> MAJORS = List.of(12, 13);

  private static final List<String> BELOW_TOOLKIT =
      List.of("lib64", "lib", "targets/x86_64-linux/lib");
  private static final List<String> BELOW_ASKED = List.of("", "lib64", "lib");

  /** Python's wheels: nvidia-cublas-cu12 and nvidia-cublas. */
  private static final List<String> BELOW_PACKAGES =
      List.of("nvidia/cublas/lib", "nvidia/cu13/lib");

  private static final Pattern NUMBER = Pattern.compile("\\d+");

  /** Where it lies and how it is used, in words. */
  public String describe() {
    String where = "cuBLAS " + major + " in " + cublas.getParent() + " (" + origin + ")";
    return major == 12 ? where : where + ", by a copy of JCuda's library that asks for " + major;
  }

  /**
   * Loads it for the life of the process, and JCublas2 on top of it, after the driver. The first
   * cuBLAS stays.
   *
   * @throws DeviceException where one cannot be loaded, or no folder can hold JCuda's library
   */
  public void load() {
    SharedObject.load(cublasLt);
    SharedObject.load(cublas);
    (major == 12 ? JcudaLibrary.CUBLAS_12 : JcudaLibrary.CUBLAS_13).load();
  }

  /**
   * What a search found.
   *
   * @param library the first that can be used
   * @param refused those that lie before it and cannot, each with its reason
   * @param wanted whether there was a search at all
   */
  public record Result(Optional<CublasLibrary> library, List<String> refused, boolean wanted) {
    /** One sentence on what computes where the engine is left to what is found, and why. */
    public String describe() {
      if (library.isPresent()) {
        return library.get().describe();
      }
      if (!wanted) {
        return "the exact engine, as --cublas none asks";
      }
      String why =
          refused.isEmpty()
              ? "no cuBLAS was found"
              : "no usable cuBLAS was found (" + String.join(", ", refused) + ")";
      return "the exact engine, since "
          + why
          + "; install cuBLAS 12 or 13, or name its folder by --cublas DIR";
    }
  }

  /**
   * Looks where {@code asked} says; else, in this order, on the loader's path, in CUDA_HOME and
   * CUDA_PATH, in the toolkit's usual folders, newest first, and among Python's packages.
   *
   * @param asked a folder, or {@value #NONE}
   * @param driverCudaVersion as cuDriverGetVersion has it: 12060 is CUDA 12.6
   * @throws DeviceException where a folder is asked for and has none that can be used
   */
  public static Result find(
      Optional<String> asked, Environment environment, int driverCudaVersion) {
    Search search = new Search(environment, driverCudaVersion, new HashSet<>(), new ArrayList<>());
    if (asked.isPresent()) {
      return asked.get().equals(NONE)
          ? new Result(Optional.empty(), List.of(), false)
          : new Result(Optional.of(search.asked(asked.get())), search.refused(), true);
    }
    Optional<CublasLibrary> library =
        search
            .onLoaderPath()
            .or(() -> search.inToolkit("CUDA_HOME", environment.folder("CUDA_HOME").stream()))
            .or(() -> search.inToolkit("CUDA_PATH", environment.folder("CUDA_PATH").stream()))
            .or(() -> search.inToolkit("the CUDA toolkit", search.toolkits()))
            .or(() -> search.in("a Python package", search.pythonPackages()));
    return new Result(library, List.copyOf(search.refused()), true);
  }

  /**
   * @param driver its CUDA version
   * @param seen files looked at, links resolved
   */
  private record Search(Environment environment, int driver, Set<Path> seen, List<String> refused) {
    CublasLibrary asked(String name) {
      return folder(name).stream()
          .flatMap(folder -> in("--cublas", BELOW_ASKED.stream().map(folder::resolve)).stream())
          .findFirst()
          .orElseThrow(
              () ->
                  new DeviceException(
                      "--cublas "
                          + name
                          + (refused.isEmpty()
                              ? " has no libcublas.so.12 or .13, nor has its lib64 or lib"
                              : " has no usable cuBLAS (" + String.join(", ", refused) + ")"),
                      "name the folder of one, or --cublas none for the exact engine",
                      null));
    }

    private Optional<Path> folder(String name) {
      try {
        return environment.at(name).or(() -> Optional.of(Path.of(name).toAbsolutePath()));
      } catch (InvalidPathException e) {
        return Optional.empty();
      }
    }

    Optional<CublasLibrary> onLoaderPath() {
      return MAJORS.stream()
          .flatMap(
              major ->
                  environment.onLoaderPath(name(major)).stream()
                      .flatMap(file -> take(file, major, "the loader's path").stream()))
          .findFirst();
    }

    Optional<CublasLibrary> inToolkit(String origin, Stream<Path> toolkits) {
      return in(origin, toolkits.flatMap(toolkit -> BELOW_TOOLKIT.stream().map(toolkit::resolve)));
    }

    Optional<CublasLibrary> in(String origin, Stream<Path> folders) {
      return folders
          .flatMap(
              folder ->
                  MAJORS.stream()
                      .filter(
                          major ->
                              Files.exists(folder.resolve(name(major)), LinkOption.NOFOLLOW_LINKS))
                      .flatMap(major -> take(folder.resolve(name(major)), major, origin).stream()))
          .findFirst();
    }

    Stream<Path> toolkits() {
      return Stream.of(
              environment.at("/usr/local/cuda").stream(),
              newestFirst(environment.at("/usr/local").orElseThrow(), "cuda-*"),
              environment.at("/opt/cuda").stream())
          .flatMap(paths -> paths);
    }

    /** Below every prefix that may hold a Python with packages, the user's own choices first. */
    Stream<Path> pythonPackages() {
      return Stream.of(
              environment.folder("VIRTUAL_ENV").stream(),
              environment.folder("CONDA_PREFIX").stream(),
              pythonsOnPath(),
              environment.folder("HOME").stream()
                  .flatMap(home -> newestFirst(home.resolve(".pyenv/versions"), "3*")),
              environment.folder("HOME").map(home -> home.resolve(".local")).stream(),
              environment.at("/usr/local").stream(),
              environment.at("/usr").stream())
          .flatMap(prefixes -> prefixes)
          .distinct()
          .flatMap(prefix -> Stream.of("lib", "lib64").map(prefix::resolve))
          .flatMap(lib -> newestFirst(lib, "python3*"))
          .flatMap(python -> Stream.of("site-packages", "dist-packages").map(python::resolve))
          .flatMap(packages -> BELOW_PACKAGES.stream().map(packages::resolve));
    }

    /** PREFIX of PREFIX/bin/python3: a virtual environment's is a link, so as it stands first. */
    private Stream<Path> pythonsOnPath() {
      return Stream.of("python3", "python")
          .flatMap(
              name ->
                  environment.folders("PATH").stream()
                      .map(folder -> folder.resolve(name))
                      .filter(Files::isExecutable)
                      .limit(1))
          .flatMap(python -> Stream.of(python, Environment.real(python)))
          .map(python -> python.getParent().resolve("..").normalize());
    }

    private Optional<CublasLibrary> take(Path cublas, int major, String origin) {
      if (!seen.add(Environment.real(cublas))) {
        return Optional.empty();
      }
      String nameLt = "libcublasLt.so." + major;
      Optional<Path> cublasLt =
          Stream.concat(
                  Stream.of(cublas.resolveSibling(nameLt)),
                  environment.onLoaderPath(nameLt).stream())
              .filter(file -> SharedObject.refusal(file).isEmpty())
              .findFirst();
      Optional<String> refusal =
          SharedObject.refusal(cublas)
              .or(
                  () ->
                      driver >= major * 1000
                          ? Optional.empty()
                          : Optional.of("needs a driver of CUDA " + major))
              .or(
                  () ->
                      cublasLt.isPresent()
                          ? Optional.empty()
                          : Optional.of("has no usable " + nameLt + " in its folder"));
      if (refusal.isPresent()) {
        refused.add(cublas + " " + refusal.get());
        return Optional.empty();
      }
      return Optional.of(
          new CublasLibrary(
              cublas.toAbsolutePath(), cublasLt.orElseThrow().toAbsolutePath(), major, origin));
    }

    private static String name(int major) {
      return "libcublas.so." + major;
    }
  }

  /** The entries that match, by the numbers in their names: 12.10 comes before 12.9. */
  private static Stream<Path> newestFirst(Path folder, String glob) {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> matches = Files.newDirectoryStream(folder, glob)) {
      matches.forEach(entries::add);
    } catch (IOException | DirectoryIteratorException e) {
      // Not there or not readable: nothing can be found in it.
      return Stream.empty();
    }
    entries.sort(
        Comparator.comparing(
                (Path entry) ->
                    NUMBER
                        .matcher(entry.getFileName().toString())
                        .replaceAll(
                            number ->
                                "0".repeat(Math.max(0, 9 - number.group().length()))
                                    + number.group()))
            .reversed());
    return entries.stream();
  }
}
