package zerofive.backend.cuda;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import zerofive.backend.DeviceException;
import zerofive.backend.SharedObject;

/**
 * The NVIDIA driver's library, {@code libcuda.so.1}.
 *
 * @param file its absolute path
 */
public record DriverLibrary(Path file) {
  private static final String NAME = "libcuda.so.1";

  /**
   * Where it lies outside the loader's path: as NVIDIA's container runtime mounts it, in WSL 2, on
   * NixOS.
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
    List<Path> candidates = environment.onLoaderPath(NAME);
    for (String folder : EXTRA_FOLDERS) {
      candidates.add(environment.at(folder).orElseThrow().resolve(NAME));
    }
    List<String> refused = new ArrayList<>();
    for (Path candidate : Environment.existing(candidates)) {
      Optional<String> refusal = SharedObject.refusal(candidate);
      if (refusal.isEmpty()) {
        return new DriverLibrary(candidate.toAbsolutePath());
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
}
