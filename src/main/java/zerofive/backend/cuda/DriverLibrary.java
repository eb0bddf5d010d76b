package zerofive.backend.cuda;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import zerofive.backend.DeviceException;
import zerofive.backend.natives.SharedObject;

/**
 * The NVIDIA driver's library, {@code libcuda.so.1}.
 *
 * <p>It compiles PTX with {@code libnvidia-ptxjitcompiler.so.1}, which it opens by that name. Where
 * the driver lies outside the loader's path that finds nothing, unless the process has loaded a
 * library of that name already.
 *
 * @param file its absolute path
 * @param compiler the compiler's library where it has to be loaded before PTX is compiled; empty
 *     where the loader finds one by its name, or there is none
 */
public record DriverLibrary(Path file, Optional<Path> compiler) {
  private static final String NAME = "libcuda.so.1";

  private static final String COMPILER = "libnvidia-ptxjitcompiler.so.1";

  /**
   * Where it lies outside the loader's path: as GKE and NVIDIA's older container runtimes mount it,
   * in WSL 2, on NixOS.
   */
  private static final List<String> EXTRA_FOLDERS =
      List.of(
          "/usr/local/nvidia/lib64",
          "/usr/local/nvidia/lib",
          "/usr/lib/wsl/lib",
          "/run/opengl-driver/lib");

  /**
   * Finds it as the dynamic loader would, then in the extra folders, without loading or unpacking
   * anything.
   *
   * @throws DeviceException where there is none, none of those there can be taken, or JCuda has no
   *     natives for this platform
   */
  public static DriverLibrary find(Environment environment) {
    if (!environment.isLinuxX86()) {
      throw new DeviceException(
          "CUDA is supported on Linux x86-64 alone, and this is "
              + environment.system()
              + " on "
              + environment.processor(),
          "train on the CPU, --device cpu",
          null);
    }
    List<Path> onLoaderPath = environment.onLoaderPath(NAME);
    List<Path> candidates = new ArrayList<>(onLoaderPath);
    for (String folder : EXTRA_FOLDERS) {
      candidates.add(environment.at(folder).orElseThrow().resolve(NAME));
    }
    List<String> refused = new ArrayList<>();
    for (Path candidate : Environment.existing(candidates)) {
      Optional<Path> compiler =
          onLoaderPath.contains(candidate) ? Optional.empty() : compilerBeside(candidate);
      Optional<String> refusal =
          SharedObject.refusal(candidate)
              .or(
                  () ->
                      compiler
                          .flatMap(SharedObject::refusal)
                          .map(reason -> "has in its folder a " + COMPILER + " that " + reason));
      if (refusal.isEmpty()) {
        return new DriverLibrary(candidate.toAbsolutePath(), compiler.map(Path::toAbsolutePath));
      }
      refused.add(candidate + " " + refusal.get());
    }
    if (refused.isEmpty()) {
      throw new DeviceException(
          "there is no NVIDIA driver here (" + NAME + " is in no usual folder)",
          "install the driver, start the container with --gpus all, or train with --device cpu",
          null);
    }
    throw new DeviceException(
        "there is no usable NVIDIA driver here (" + String.join(", ", refused) + ")",
        "install the driver for x86-64 anew, start the container with --gpus all, or train with --device cpu",
        null);
  }

  /**
   * Loads it for the life of the process, after the compiler that it would not find, and
   * JCudaDriver on top of it. Nothing of JCuda may be touched before. The first driver stays.
   *
   * @throws DeviceException where one cannot be loaded, or no folder can hold JCuda's library
   */
  public void load() {
    compiler.ifPresent(SharedObject::load);
    SharedObject.load(file);
    JcudaLibrary.DRIVER.load();
  }

  private static Optional<Path> compilerBeside(Path driver) {
    Path compiler = driver.resolveSibling(COMPILER);
    return Files.exists(compiler, LinkOption.NOFOLLOW_LINKS)
        ? Optional.of(compiler)
        : Optional.empty();
  }
}
