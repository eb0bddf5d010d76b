package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.backend.DeviceException;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.cuda.CudaOptions.SessionKind;

/**
 * A driver that only we find, as on GKE: the simulated one, which like NVIDIA's opens the compiler
 * of PTX by name. Each time in a JVM of its own, since what is loaded once stays.
 */
final class DriverOutsideTheLoadersPathTest {
  private static final String FOLDER = "usr/local/nvidia/lib64";

  @TempDir private Path root;

  private record Result(int code, String output) {}

  @BeforeEach
  void layOut() throws IOException {
    assumeTrue(SimulatedDevice.missing().isEmpty(), "skipped: " + SimulatedDevice.missing());
    assumeTrue(
        Environment.here().onLoaderPath(SimulatedDevice.COMPILER).isEmpty(),
        "skipped: the loader finds a real NVIDIA driver's compiler here");
    Files.createDirectories(root.resolve(FOLDER));
    copy("libcuda.so.1");
  }

  private void copy(String library) throws IOException {
    Files.copy(SimulatedDevice.folder().resolve(library), root.resolve(FOLDER).resolve(library));
  }

  private Result open() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(Opening.class.getName(), root.toString()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("LD_LIBRARY_PATH");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Result(process.exitValue(), output.strip());
  }

  @Test
  void compilesKernelsWithTheCompilerBesideIt() throws Exception {
    copy(SimulatedDevice.COMPILER);
    assertEquals(new Result(0, "kernels are loaded"), open());
  }

  @Test
  void withoutACompilerItIsOneSentence() throws Exception {
    Result result = open();
    assertEquals(4, result.code(), result.output());
    assertTrue(
        result.output().contains("failed with CUDA_ERROR_JIT_COMPILER_NOT_FOUND: the driver does"),
        result.output());
    assertTrue(result.output().contains("; install the driver's package"), result.output());
    assertEquals(1, result.output().lines().count(), result.output());
  }

  /** Opens the first GPU of a machine below the folder named. */
  static final class Opening {
    private Opening() {}

    public static void main(String[] arguments) {
      Environment here = Environment.here();
      Map<String, String> variables = Map.of("HOME", "/home");
      Environment below =
          new Environment(variables, Path.of(arguments[0]), here.system(), here.processor());
      CudaOptions options =
          new CudaOptions(0, Optional.of(CublasLibrary.NONE), Precision.FP32, SessionKind.GRAPH);
      try (CudaBackend backend = new CudaBackend(options, below)) {
        backend.details();
        System.out.println("kernels are loaded");
      } catch (DeviceException e) {
        System.out.println(e.getMessage());
        System.exit(4);
      }
    }
  }
}
