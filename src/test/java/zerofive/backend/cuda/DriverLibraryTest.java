package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.Availability;
import zerofive.backend.DeviceException;

/**
 * The driver's library is found where the loader would find it, and nothing else is taken for it.
 */
class DriverLibraryTest {
  @TempDir private Path root;
  private FakeMachine machine;

  @BeforeEach
  void layOut() {
    Assumptions.assumeTrue(
        root.getFileSystem().supportedFileAttributeViews().contains("posix"),
        "skipped: fake Linux machines need links and absolute paths as Linux has them");
    machine = new FakeMachine(root);
  }

  private void assertFound(String path) {
    assertEquals(machine.at(path), DriverLibrary.find(machine.environment()).file());
  }

  private DeviceException refused() {
    return assertThrows(DeviceException.class, () -> DriverLibrary.find(machine.environment()));
  }

  private void assertRefused(String path, String reason) {
    assertTrue(
        refused().getMessage().contains(machine.at(path) + " " + reason),
        () -> refused().getMessage());
  }

  @Test
  void saysThatThereIsNoDriverAndWhatHelps() {
    assertEquals(
        Availability.unusable(
            "there is no NVIDIA driver here (libcuda.so.1 is in no usual folder)",
            "install the driver, start the container with --gpus all, or train with --device cpu"),
        refused().availability());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/lib/x86_64-linux-gnu",
        "/usr/lib/x86_64-linux-gnu",
        "/lib64",
        "/usr/lib64",
        "/lib",
        "/usr/lib",
        "/usr/local/nvidia/lib64",
        "/usr/local/nvidia/lib",
        "/usr/lib/wsl/lib",
        "/run/opengl-driver/lib"
      })
  void isFoundInEachUsualFolder(String folder) {
    machine.library(folder + "/libcuda.so.1");
    assertFound(folder + "/libcuda.so.1");
  }

  @Test
  void theLoadersOrderHolds() throws Exception {
    machine
        .library("/opt/path/libcuda.so.1")
        .library("/opt/cached/libcuda.so.1")
        .library("/usr/lib64/libcuda.so.1")
        .library("/usr/local/nvidia/lib64/libcuda.so.1")
        .loaderCache("/opt/other/libcudart.so.13", "/opt/cached/libcuda.so.1")
        .variable("LD_LIBRARY_PATH", "/opt/empty:/opt/path");
    for (String path :
        List.of("/opt/path", "/opt/cached", "/usr/lib64", "/usr/local/nvidia/lib64")) {
      assertFound(path + "/libcuda.so.1");
      Files.delete(machine.at(path + "/libcuda.so.1"));
    }
    refused();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ":", "::;", ":relative:.:..", "lib/x86_64-linux-gnu", "~", "/\u00e9\ud800:/x"})
  void emptyAndRelativeEntriesOfThePathAreLeftOut(String path) {
    machine.library("/libcuda.so.1").variable("LD_LIBRARY_PATH", path);
    assertEquals("there is no NVIDIA driver", refused().getMessage().substring(0, 25));
  }

  @Test
  void anEntryBetweenEmptyOnesCounts() {
    machine.library("/opt/x/libcuda.so.1").variable("LD_LIBRARY_PATH", ":;/opt/x::");
    assertFound("/opt/x/libcuda.so.1");
  }

  @Test
  void aStubIsNeverTaken() {
    machine
        .library("/usr/local/cuda/lib64/stubs/libcuda.so")
        .link("/usr/local/cuda/lib64/stubs/libcuda.so.1", "libcuda.so")
        .link("/usr/lib64/libcuda.so.1", "/usr/local/cuda/lib64/stubs/libcuda.so")
        .variable("LD_LIBRARY_PATH", "/usr/local/cuda/lib64/stubs");
    assertRefused("/usr/local/cuda/lib64/stubs/libcuda.so.1", "is the toolkit's stub");
    assertRefused("/usr/lib64/libcuda.so.1", "is the toolkit's stub");
    machine.library("/usr/lib/libcuda.so.1");
    assertFound("/usr/lib/libcuda.so.1");
  }

  @Test
  void whatIsNoLibraryIsRefusedWithItsReasonAndTheNextTaken() throws Exception {
    machine
        .folder("/lib64/libcuda.so.1")
        .link("/lib/libcuda.so.1", "nothing")
        .link("/usr/lib64/libcuda.so.1", "libcuda.so.1")
        .file("/usr/lib/libcuda.so.1", new byte[0])
        .file(
            "/lib/x86_64-linux-gnu/libcuda.so.1",
            "#!/bin/sh\n".repeat(20).getBytes(StandardCharsets.US_ASCII));
    assertRefused("/lib64/libcuda.so.1", "is not a file");
    assertRefused("/lib/libcuda.so.1", "is a link to nothing");
    assertRefused("/usr/lib64/libcuda.so.1", "is a link to nothing");
    assertRefused("/usr/lib/libcuda.so.1", "is cut off: it has 0 bytes");
    assertRefused("/lib/x86_64-linux-gnu/libcuda.so.1", "is no shared library");
    assertTrue(
        refused()
            .getMessage()
            .endsWith(
                "; install the driver for x86-64 anew, start the container with --gpus all, or train"
                    + " with --device cpu"));
    machine.library("/usr/local/nvidia/lib/libcuda.so.1");
    assertFound("/usr/local/nvidia/lib/libcuda.so.1");
  }

  @Test
  void aLibraryOfAnotherProcessorIsPassedOver() {
    machine
        .loaderCache(
            "/lib/i386-linux-gnu/libcuda.so.1", "/opt/arm/libcuda.so.1", "/opt/driver/libcuda.so.1")
        .file(
            "/lib/i386-linux-gnu/libcuda.so.1",
            FakeMachine.elfHeader().put(4, (byte) 1).putShort(18, (short) 3).array())
        .file("/opt/arm/libcuda.so.1", FakeMachine.elfHeader().putShort(18, (short) 183).array());
    assertRefused("/lib/i386-linux-gnu/libcuda.so.1", "is for another processor");
    assertRefused("/opt/arm/libcuda.so.1", "is for another processor");
    machine.library("/opt/driver/libcuda.so.1");
    assertFound("/opt/driver/libcuda.so.1");
  }

  private void assertCompiler(String path) {
    assertEquals(
        Optional.ofNullable(path).map(machine::at),
        DriverLibrary.find(machine.environment()).compiler());
  }

  /** The driver opens its compiler by name: where the loader does not look, it is loaded first. */
  @ParameterizedTest
  @ValueSource(strings = {"/usr/local/nvidia/lib64", "/usr/lib/wsl/lib"})
  void inAnExtraFolderTheCompilerBesideTheDriverIsNamed(String folder) {
    machine.library(folder + "/libcuda.so.1");
    assertCompiler(null);
    machine.library(folder + "/libnvidia-ptxjitcompiler.so.1");
    assertCompiler(folder + "/libnvidia-ptxjitcompiler.so.1");
    machine.variable("LD_LIBRARY_PATH", folder);
    assertCompiler(null);
    machine.variable("LD_LIBRARY_PATH", "").loaderCache(folder + "/libcuda.so.1");
    assertCompiler(null);
  }

  @Test
  void inADefaultFolderTheLoaderFindsTheCompiler() {
    machine
        .library("/usr/lib64/libcuda.so.1")
        .library("/usr/lib64/libnvidia-ptxjitcompiler.so.1")
        .library("/usr/local/nvidia/lib64/libcuda.so.1")
        .library("/usr/local/nvidia/lib64/libnvidia-ptxjitcompiler.so.1");
    assertFound("/usr/lib64/libcuda.so.1");
    assertCompiler(null);
  }

  @Test
  void anExtraFolderWhoseCompilerCannotBeLoadedIsPassedOver() {
    String first = "/usr/local/nvidia/lib64/";
    String second = "/usr/lib/wsl/lib/";
    machine
        .library(first + "libcuda.so.1")
        .link(first + "libnvidia-ptxjitcompiler.so.1", "libnvidia-ptxjitcompiler.so.535.54.03")
        .library(second + "libcuda.so.1")
        .file(
            second + "libnvidia-ptxjitcompiler.so.1",
            FakeMachine.elfHeader().putShort(18, (short) 183).array());
    String beside = "has in its folder a libnvidia-ptxjitcompiler.so.1 that ";
    assertRefused(first + "libcuda.so.1", beside + "is a link to nothing");
    assertRefused(second + "libcuda.so.1", beside + "is for another processor");
    machine.library(second + "libnvidia-ptxjitcompiler.so.1");
    assertFound(second + "libcuda.so.1");
    assertCompiler(second + "libnvidia-ptxjitcompiler.so.1");
  }

  @ParameterizedTest
  @CsvSource({"64, true", "4096, true", "4097, false", "-1, false", "9223372036854775807, false"})
  void aLibraryWhoseEndIsMissingIsRefused(long sections, boolean whole) {
    byte[] bytes =
        Arrays.copyOf(
            FakeMachine.elfHeader()
                .putLong(40, sections)
                .putShort(58, (short) 64)
                .putShort(60, (short) (sections == 64 ? 63 : 0))
                .array(),
            4096);
    machine.file("/lib64/libcuda.so.1", bytes);
    if (whole) {
      assertFound("/lib64/libcuda.so.1");
    } else {
      assertRefused("/lib64/libcuda.so.1", "is cut off: it has 4096 bytes");
    }
  }

  @Test
  void theTableOfSectionsMustEndInsideToo() {
    machine.file(
        "/lib64/libcuda.so.1",
        FakeMachine.elfHeader()
            .putLong(40, 0)
            .putShort(58, (short) 64)
            .putShort(60, (short) -1)
            .array());
    assertRefused("/lib64/libcuda.so.1", "is cut off: it has 64 bytes");
  }

  @Test
  void anUnreadableLibraryIsRefused() throws Exception {
    machine.library("/lib64/libcuda.so.1");
    Files.setPosixFilePermissions(machine.at("/lib64/libcuda.so.1"), Set.of());
    Assumptions.assumeFalse(
        Files.isReadable(machine.at("/lib64/libcuda.so.1")), "skipped: root may read everything");
    assertRefused("/lib64/libcuda.so.1", "cannot be read (permission denied)");
  }

  @Test
  void aLockedFolderIsPassedOver() throws Exception {
    machine
        .library("/opt/locked/libcuda.so.1")
        .library("/usr/lib64/libcuda.so.1")
        .variable("LD_LIBRARY_PATH", "/opt/locked");
    Path locked = machine.at("/opt/locked");
    Files.setPosixFilePermissions(locked, Set.of());
    try {
      Assumptions.assumeFalse(Files.isReadable(locked), "skipped: root may read everything");
      assertFound("/usr/lib64/libcuda.so.1");
    } finally {
      Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("rwx------"));
    }
  }

  @Test
  void oneFolderUnderTwoNamesIsToldOnce() {
    machine.folder("/usr/lib64/libcuda.so.1").link("/lib64", "usr/lib64");
    String message = refused().getMessage();
    assertEquals(message.indexOf("libcuda.so.1"), message.lastIndexOf("libcuda.so.1"), message);
  }

  @Test
  void theCacheIsReadAsBytesWhateverItHolds() {
    byte[] garbage = new byte[1 << 20];
    new Random(5).nextBytes(garbage);
    machine.file("/etc/ld.so.cache", garbage);
    assertFalse(refused().getMessage().isEmpty());
    machine.file(
        "/etc/ld.so.cache", "/libcuda.so.1\0".repeat(100_000).getBytes(StandardCharsets.US_ASCII));
    refused();
    machine.file(
        "/etc/ld.so.cache",
        ("a".repeat(10_000) + "/libcuda.so.1\0/libcuda.so.1").getBytes(StandardCharsets.US_ASCII));
    refused();
    machine.file("/etc/ld.so.cache", "/opt/x/libcuda.so.1\0".getBytes(StandardCharsets.US_ASCII));
    machine.library("/opt/x/libcuda.so.1");
    assertFound("/opt/x/libcuda.so.1");
  }

  @Test
  void aGiantCacheIsReadNoFurtherThanItsLimit() throws Exception {
    machine.library("/opt/x/libcuda.so.1").file("/etc/ld.so.cache", new byte[0]);
    byte[] entry = "\0/opt/x/libcuda.so.1\0".getBytes(StandardCharsets.US_ASCII);
    try (var cache = new java.io.RandomAccessFile(machine.at("/etc/ld.so.cache").toFile(), "rw")) {
      cache.seek(4L << 30);
      cache.write(entry);
    }
    refused();
  }

  @Test
  void aFolderInPlaceOfTheCacheIsNone() {
    machine.folder("/etc/ld.so.cache");
    refused();
  }

  @ParameterizedTest
  @CsvSource({"Mac OS X, aarch64", "Windows 11, amd64", "Linux, aarch64"})
  void otherPlatformsAreToldSo(String system, String processor) {
    machine.library("/lib64/libcuda.so.1");
    Environment other = new Environment(Map.of(), root, system, processor);
    assertEquals(
        "CUDA is supported on Linux x86-64 alone, and this is "
            + system
            + " on "
            + processor
            + "; train on the CPU, --device cpu",
        assertThrows(DeviceException.class, () -> DriverLibrary.find(other)).getMessage());
  }
}
