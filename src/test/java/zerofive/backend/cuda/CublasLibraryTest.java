package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.DeviceException;

/** A cuBLAS is found in every usual place, in order; what is refused is told with its reason. */
class CublasLibraryTest {
  private static final int CUDA_12 = 12040;
  private static final int CUDA_13 = 13000;

  @TempDir private Path root;
  private FakeMachine machine;

  @BeforeEach
  void layOut() {
    Assumptions.assumeTrue(
        root.getFileSystem().supportedFileAttributeViews().contains("posix"),
        "skipped: fake Linux machines need links and absolute paths as Linux has them");
    machine = new FakeMachine(root);
  }

  private CublasLibrary.Result find(int driver) {
    return CublasLibrary.find(Optional.empty(), machine.environment(), driver);
  }

  private void assertFound(String folder, int major, String origin) {
    assertEquals(
        Optional.of(
            new CublasLibrary(
                machine.at(folder + "/libcublas.so." + major),
                machine.at(folder + "/libcublasLt.so." + major),
                major,
                origin)),
        find(CUDA_13).library());
  }

  @Test
  void withoutOneASentenceSaysWhatComputesInstead() {
    assertEquals(
        "the exact engine, since no cuBLAS was found; install cuBLAS 12 or 13, or name its folder by --cublas DIR",
        find(CUDA_13).describe());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/opt/path",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib64",
      })
  void isFoundOnTheLoadersPath(String folder) {
    machine.variable("LD_LIBRARY_PATH", "/opt/path").cublas(folder, 12);
    assertFound(folder, 12, "the loader's path");
  }

  @ParameterizedTest
  @CsvSource({
    "/opt/home/lib64, CUDA_HOME",
    "/opt/home/lib, CUDA_HOME",
    "/opt/home/targets/x86_64-linux/lib, CUDA_HOME",
    "/opt/path/lib64, CUDA_PATH",
    "/usr/local/cuda/lib64, the CUDA toolkit",
    "/usr/local/cuda-13.0/targets/x86_64-linux/lib, the CUDA toolkit",
    "/opt/cuda/lib64, the CUDA toolkit",
    "/venv/lib/python3.11/site-packages/nvidia/cublas/lib, a Python package",
    "/venv/lib/python3.11/site-packages/nvidia/cu13/lib, a Python package",
    "/conda/lib/python3.12/site-packages/nvidia/cublas/lib, a Python package",
    "/home/me/.pyenv/versions/3.11.7/lib/python3.11/site-packages/nvidia/cublas/lib, a Python package",
    "/home/me/.local/lib/python3.9/site-packages/nvidia/cu13/lib, a Python package",
    "/usr/lib/python3/dist-packages/nvidia/cublas/lib, a Python package",
    "/usr/local/lib/python3.10/dist-packages/nvidia/cublas/lib, a Python package",
    "/usr/local/lib64/python3.13/site-packages/nvidia/cublas/lib, a Python package"
  })
  void isFoundInEachUsualPlace(String folder, String origin) {
    machine
        .variable("CUDA_HOME", "/opt/home")
        .variable("CUDA_PATH", "/opt/path")
        .variable("VIRTUAL_ENV", "/venv")
        .variable("CONDA_PREFIX", "/conda")
        .variable("HOME", "/home/me");
    machine.cublas(folder, 13);
    assertFound(folder, 13, origin);
    machine.cublas(folder, 12);
    assertFound(folder, 12, origin);
  }

  @Test
  void pythonsOnThePathLeadToTheirPackagesBeforeAndBehindTheLink() throws IOException {
    machine
        .variable("PATH", "relative::/empty:/venv/bin:/usr/bin")
        .file("/opt/python/bin/python3.12", new byte[0])
        .link("/venv/bin/python3", "/opt/python/bin/python3.12")
        .cublas("/venv/lib/python3.12/site-packages/nvidia/cublas/lib", 12)
        .cublas("/opt/python/lib/python3.12/site-packages/nvidia/cu13/lib", 13);
    assertTrue(machine.at("/opt/python/bin/python3.12").toFile().setExecutable(true));
    assertFound("/venv/lib/python3.12/site-packages/nvidia/cublas/lib", 12, "a Python package");
    Files.delete(
        machine.at("/venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12"));
    assertFound("/opt/python/lib/python3.12/site-packages/nvidia/cu13/lib", 13, "a Python package");
  }

  @Test
  void theOrderHolds() throws IOException {
    machine
        .variable("LD_LIBRARY_PATH", "/opt/path")
        .variable("CUDA_HOME", "/opt/home")
        .variable("CUDA_PATH", "/opt/cudapath")
        .variable("VIRTUAL_ENV", "/venv")
        .variable("HOME", "/home/me");
    List<String> folders =
        List.of(
            "/opt/path",
            "/opt/home/lib64",
            "/opt/cudapath/lib64",
            "/usr/local/cuda/lib64",
            "/usr/local/cuda-13.1/lib64",
            "/usr/local/cuda-12.10/lib64",
            "/usr/local/cuda-12.9/lib64",
            "/usr/local/cuda-9/lib64",
            "/opt/cuda/lib64",
            "/venv/lib/python3.10/site-packages/nvidia/cublas/lib",
            "/venv/lib/python3.9/site-packages/nvidia/cublas/lib",
            "/home/me/.pyenv/versions/3.11.7/lib/python3.11/site-packages/nvidia/cublas/lib",
            "/home/me/.local/lib/python3.9/site-packages/nvidia/cublas/lib",
            "/usr/lib/python3/dist-packages/nvidia/cublas/lib");
    folders.forEach(folder -> machine.cublas(folder, 12));
    for (String folder : folders) {
      assertEquals(machine.at(folder), find(CUDA_13).library().orElseThrow().cublas().getParent());
      Files.delete(machine.at(folder + "/libcublas.so.12"));
    }
    assertEquals(Optional.empty(), find(CUDA_13).library());
  }

  @Test
  void thirteenNeedsItsDriverAndIsToldOnceUnderTwoNames() {
    machine.cublas("/usr/local/cuda-13.0/lib64", 13).link("/usr/local/cuda", "cuda-13.0");
    CublasLibrary.Result result = find(CUDA_12);
    assertEquals(
        List.of(machine.at("/usr/local/cuda/lib64/libcublas.so.13") + " needs a driver of CUDA 13"),
        result.refused());
    assertTrue(
        result.describe().startsWith("the exact engine, since no usable cuBLAS was found ("),
        result.describe());
    machine.cublas("/opt/cuda/lib64", 12);
    assertEquals(12, find(CUDA_12).library().orElseThrow().major());
    assertEquals(1, find(CUDA_12).refused().size());
  }

  @Test
  void twelveNeedsADriverOfTwelve() {
    machine.cublas("/usr/lib64", 12);
    assertEquals(
        List.of(machine.at("/usr/lib64/libcublas.so.12") + " needs a driver of CUDA 12"),
        find(11080).refused());
  }

  @Test
  void theCompanionLiesBesideOrOnTheLoadersPath() {
    machine.library("/opt/cuda/lib64/libcublas.so.12");
    assertEquals(
        List.of(
            machine.at("/opt/cuda/lib64/libcublas.so.12")
                + " has no usable libcublasLt.so.12 in its folder"),
        find(CUDA_12).refused());
    machine.file("/opt/cuda/lib64/libcublasLt.so.12", new byte[10]);
    assertEquals(1, find(CUDA_12).refused().size());
    machine.library("/usr/lib64/libcublasLt.so.12");
    assertEquals(
        machine.at("/usr/lib64/libcublasLt.so.12"),
        find(CUDA_12).library().orElseThrow().cublasLt());
  }

  @Test
  void hostileFilesAreRefusedWithTheirReason() {
    machine
        .folder("/usr/lib64/libcublas.so.12")
        .link("/opt/cuda/lib64/libcublas.so.12", "libcublas.so.12")
        .file("/usr/local/cuda/lib64/libcublas.so.13", new byte[3])
        .file("/usr/local/cuda-1/lib64", new byte[3])
        .library("/opt/home/lib64/stubs/libcublas.so")
        .link("/opt/home/lib64/libcublas.so.12", "stubs/libcublas.so")
        .variable("CUDA_HOME", "/opt/home");
    assertEquals(
        List.of(
            machine.at("/usr/lib64/libcublas.so.12") + " is not a file",
            machine.at("/opt/home/lib64/libcublas.so.12")
                + " is the toolkit's stub, for linking programs only",
            machine.at("/usr/local/cuda/lib64/libcublas.so.13") + " is cut off: it has 3 bytes",
            machine.at("/opt/cuda/lib64/libcublas.so.12") + " is a link to nothing"),
        find(CUDA_13).refused());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "/lib64", "/lib"})
  void aFolderAskedForIsTheOnlyOneLookedInto(String below) {
    machine.cublas("/usr/lib64", 12).cublas("/mine" + below, 13);
    CublasLibrary found =
        CublasLibrary.find(Optional.of("/mine"), machine.environment(), CUDA_13)
            .library()
            .orElseThrow();
    assertEquals(machine.at("/mine" + below + "/libcublas.so.13"), found.cublas());
    assertEquals(
        "cuBLAS 13 in "
            + machine.at("/mine" + below)
            + " (--cublas), by a copy of JCuda's library that asks for 13",
        found.describe());
  }

  @Test
  void aFolderAskedForThatHasNoneIsAnError() {
    machine.cublas("/usr/lib64", 12);
    assertEquals(
        "--cublas /mine has no libcublas.so.12 or .13, nor has its lib64 or lib; name the folder of"
            + " one, or --cublas none for the exact engine",
        assertThrows(
                DeviceException.class,
                () -> CublasLibrary.find(Optional.of("/mine"), machine.environment(), CUDA_12))
            .getMessage());
    machine.cublas("/mine", 13);
    assertEquals(
        "--cublas /mine has no usable cuBLAS ("
            + machine.at("/mine/libcublas.so.13")
            + " needs a driver of CUDA 13); name the folder of one, or --cublas none for the exact engine",
        assertThrows(
                DeviceException.class,
                () -> CublasLibrary.find(Optional.of("/mine"), machine.environment(), CUDA_12))
            .getMessage());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "no such folder", "\0"})
  void whateverIsAskedForTheAnswerIsASentence(String asked) {
    assertTrue(
        assertThrows(
                DeviceException.class,
                () -> CublasLibrary.find(Optional.of(asked), machine.environment(), CUDA_12))
            .getMessage()
            .startsWith("--cublas "));
  }

  @Test
  void noneMeansOurOwn() {
    machine.cublas("/usr/lib64", 12);
    assertEquals(
        "the exact engine, as --cublas none asks",
        CublasLibrary.find(Optional.of("none"), machine.environment(), CUDA_12).describe());
  }
}
