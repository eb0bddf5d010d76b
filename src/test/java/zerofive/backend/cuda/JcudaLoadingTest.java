package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.NoexecMount;

/**
 * The real JCuda on fake libraries, each time in a JVM of its own: which file is loaded, and that
 * its calls arrive.
 */
class JcudaLoadingTest {
  private static final String DRIVER_NAME = "libJCudaDriver-12.6.0-linux-x86_64.so";
  private static final String CUBLAS_NAME = "libJCublas2-12.6.0-linux-x86_64.so";

  @TempDir private Path folder;
  private Path cache;
  private Path temporary;
  private Path libraries;
  private Path driver;

  private record Result(int code, List<String> lines) {}

  @BeforeEach
  void makeFakes() throws Exception {
    Assumptions.assumeTrue(
        Environment.here().isLinuxX86(), "skipped: JCuda's libraries are for Linux on x86-64");
    cache = folder.resolve("cache");
    temporary = Files.createDirectory(folder.resolve("temporary"));
    libraries = Files.createDirectory(folder.resolve("libraries"));
    driver = FakeLibraries.driver(libraries, 13000);
  }

  private Process start(List<String> options, String... arguments) throws IOException {
    return start(NativesProbe.class, options, arguments);
  }

  private Process start(Class<?> program, List<String> options, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"));
    command.add("-Djava.io.tmpdir=" + temporary);
    command.addAll(options);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(program.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("XDG_CACHE_HOME", cache.toString());
    builder.environment().remove("LD_LIBRARY_PATH");
    return builder.start();
  }

  private static Result end(Process process) throws Exception {
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return new Result(process.exitValue(), text.lines().toList());
  }

  private Result run(String... arguments) throws Exception {
    return end(start(List.of(), arguments));
  }

  private Path inCache(JcudaLibrary library) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(library.bytes());
    return cache
        .resolve("zerofive/natives")
        .resolve(unpackedName(library))
        .resolve(String.format(Locale.ROOT, "%08x", crc.getValue()))
        .resolve(Path.of(unpackedName(library)).getFileName());
  }

  private static String unpackedName(JcudaLibrary library) {
    return switch (library) {
      case DRIVER -> DRIVER_NAME;
      case CUBLAS_12 -> CUBLAS_NAME;
      case CUBLAS_13 -> "cublas-13/" + CUBLAS_NAME;
    };
  }

  private static Result driverFrom(Path file) {
    return new Result(0, List.of("driver 13000", file.toString()));
  }

  /** From a temporary folder, which is left empty. */
  private void assertDriverFromTemporary(Result result) throws IOException {
    assertEquals(0, result.code(), result::toString);
    assertEquals("driver 13000", result.lines().get(0), result::toString);
    String file = result.lines().get(1);
    assertTrue(file.startsWith(temporary.resolve("zerofive").toString()), file);
    assertTrue(file.endsWith(DRIVER_NAME + " (deleted)"), file);
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList());
    }
  }

  private static List<Path> filesBelow(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void theDriverIsCalledThroughALibraryInAFolderOfOurs() throws Exception {
    assertEquals(driverFrom(inCache(JcudaLibrary.DRIVER)), run(driver.toString()));
    assertEquals(
        "rwx------",
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(cache.resolve("zerofive").resolve("natives"))));
    assertEquals(List.of(), filesBelow(temporary));
  }

  @ParameterizedTest
  @ValueSource(ints = {12, 13})
  void eachCublasIsCalledThroughItsLibrary(int major) throws Exception {
    FakeLibraries.cublas(libraries, major);
    JcudaLibrary library = major == 12 ? JcudaLibrary.CUBLAS_12 : JcudaLibrary.CUBLAS_13;
    Result result = run(driver.toString(), libraries.toString());
    assertEquals(
        List.of("driver 13000", "cublas " + (major * 10000 + 42)), result.lines().subList(0, 2));
    assertTrue(result.lines().contains(inCache(library).toString()), result::toString);
    assertEquals(2, filesBelow(cache).size());
    assertEquals(List.of(), filesBelow(temporary));
  }

  /**
   * The driver and cuBLAS are one for the process; of JCuda's libraries each loader has its own.
   */
  @Test
  void twoClassLoadersOfAProcessCallThem() throws Exception {
    FakeLibraries.cublas(libraries, 13);
    Result result =
        end(
            start(
                NativesProbe.InTwoLoaders.class,
                List.of(),
                driver.toString(),
                libraries.toString()));
    assertEquals(0, result.code(), result::toString);
    for (String called : List.of("driver 13000", "cublas 130042")) {
      assertEquals(2, result.lines().stream().filter(called::equals).count(), result::toString);
    }
    assertEquals(List.of(), filesBelow(temporary));
  }

  @Test
  void sixProcessesAtOnceUnpackOneLibrary() throws Exception {
    FakeLibraries.cublas(libraries, 13);
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      processes.add(start(List.of(), driver.toString(), libraries.toString()));
    }
    for (Process process : processes) {
      Result result = end(process);
      assertEquals(0, result.code(), result::toString);
      assertTrue(result.lines().contains("cublas 130042"), result::toString);
    }
    assertEquals(
        Stream.of(inCache(JcudaLibrary.DRIVER), inCache(JcudaLibrary.CUBLAS_13)).sorted().toList(),
        filesBelow(cache).stream().sorted().toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"cut off", "changed", "empty", "another"})
  void aDamagedLibraryIsReplaced(String damage) throws Exception {
    byte[] bytes = JcudaLibrary.DRIVER.bytes();
    Path file = inCache(JcudaLibrary.DRIVER);
    Files.createDirectories(file.getParent());
    bytes[bytes.length / 2] ^= 1;
    Files.write(
        file,
        switch (damage) {
          case "cut off" -> Arrays.copyOf(JcudaLibrary.DRIVER.bytes(), 100_000);
          case "changed" -> bytes;
          case "empty" -> new byte[0];
          default -> JcudaLibrary.CUBLAS_12.bytes();
        });
    assertEquals(driverFrom(file), run(driver.toString()));
    assertArrayEquals(JcudaLibrary.DRIVER.bytes(), Files.readAllBytes(file));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a link",
        "a file",
        "writable by others",
        "of another user",
        "a folder in the way"
      })
  void aFolderThatIsNotOursAloneIsPassedOver(String planted) throws Exception {
    Path natives = cache.resolve("zerofive").resolve("natives");
    Files.createDirectories(natives.getParent());
    switch (planted) {
      case "a link" -> Files.createSymbolicLink(natives, libraries);
      case "a file" -> Files.createFile(natives);
      case "writable by others" -> {
        Files.createDirectory(natives);
        Files.setPosixFilePermissions(natives, PosixFilePermissions.fromString("rwxrwxrwx"));
      }
      case "of another user" -> {
        Files.createDirectory(natives);
        giveAway(natives);
      }
      default -> Files.createDirectories(inCache(JcudaLibrary.DRIVER).resolve("x"));
    }
    assertDriverFromTemporary(run(driver.toString()));
  }

  private static void giveAway(Path folder) throws IOException {
    try {
      Files.setAttribute(folder, "unix:uid", 65534);
    } catch (FileSystemException e) {
      Assumptions.abort("skipped: only root can give a folder to another user");
    }
  }

  @Test
  void whatIsUnpackedWithTheProgramServesEachCublas() throws Exception {
    Path unpacked = folder.resolve("natives");
    CudaBackend.unpack(unpacked);
    for (int major : new int[] {12, 13}) {
      Path cublas = Files.createDirectory(folder.resolve("cublas" + major));
      FakeLibraries.cublas(cublas, major);
      Result result =
          end(
              start(
                  List.of("-Dzerofive.natives=" + unpacked), driver.toString(), cublas.toString()));
      assertTrue(result.lines().contains("cublas " + (major * 10000 + 42)), result::toString);
      Path file = unpacked.resolve(major == 12 ? "" : "cublas-13");
      assertTrue(result.lines().contains(file.resolve(CUBLAS_NAME).toString()), result::toString);
    }
    assertFalse(Files.exists(cache));
    assertEquals(
        "rw-r--r--",
        PosixFilePermissions.toString(
            Files.getPosixFilePermissions(unpacked.resolve(DRIVER_NAME))));
  }

  @Test
  void aLibraryThatCameWithTheProgramIsTaken() throws Exception {
    Path unpacked = Files.createDirectory(folder.resolve("natives"));
    Path file = unpacked.resolve(DRIVER_NAME);
    Files.write(file, JcudaLibrary.DRIVER.bytes());
    List<String> option = List.of("-Dzerofive.natives=" + unpacked);
    assertEquals(driverFrom(file), end(start(option, driver.toString())));
    assertFalse(Files.exists(cache));
    Files.write(file, new byte[5]);
    assertEquals(driverFrom(inCache(JcudaLibrary.DRIVER)), end(start(option, driver.toString())));
    assertEquals(5, Files.size(file));
  }

  @Test
  void aFolderMountedNoexecIsPassedOver() throws Exception {
    try (NoexecMount mount = new NoexecMount(Files.createDirectory(cache))) {
      assertDriverFromTemporary(run(driver.toString()));
      temporary = Files.createDirectory(mount.folder().resolve("temporary"));
      Result result = run(driver.toString());
      assertEquals(
          List.of(
              "no folder can hold JCuda's native library ("
                  + cache.resolve("zerofive").resolve("natives")
                  + ": mounted noexec, "
                  + temporary
                  + ": mounted noexec); set XDG_CACHE_HOME to a folder of yours that is not mounted noexec"),
          result.lines());
      assertEquals(4, result.code());
    }
  }
}
