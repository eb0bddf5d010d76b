package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.backend.DeviceException;
import zerofive.backend.NoexecMount;

/** Loading, each time in a process of its own: it happens once in a life. */
final class NativeLibraryTest {
  @TempDir Path folder;

  @BeforeEach
  void thereIsALibrary() {
    assumeTrue(CpuForTests.isUsable(), "skipped: this build has no native library");
  }

  /** Prints what the probe says. */
  static final class Probe {
    private Probe() {}

    public static void main(String[] args) {
      CpuBackend backend = new CpuBackend(1);
      System.out.println(backend.probe());
    }
  }

  /** Prints what the probe says in each of several class loaders of one process. */
  static final class LoadersProbe {
    private LoadersProbe() {}

    public static void main(String[] args) throws Exception {
      List<URL> classpath = new ArrayList<>();
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        classpath.add(Path.of(entry).toUri().toURL());
      }
      URL[] urls = classpath.toArray(URL[]::new);
      for (int i = 0; i < 3; i++) {
        // Never closed: its classes run to the end.
        ClassLoader loader = new URLClassLoader(urls, ClassLoader.getPlatformClassLoader());
        Method main = loader.loadClass(Probe.class.getName()).getMethod("main", String[].class);
        main.setAccessible(true);
        main.invoke(null, (Object) args);
      }
    }
  }

  private Process start(Map<String, String> environment, String... options) throws IOException {
    return start(environment, List.of(), options);
  }

  /** With folders of classes in front of the program's own. */
  private Process start(Map<String, String> environment, List<String> classes, String... options)
      throws IOException {
    return start(Probe.class, environment, classes, options);
  }

  private Process start(
      Class<?> program, Map<String, String> environment, List<String> classes, String... options)
      throws IOException {
    List<String> classpath = new ArrayList<>(classes);
    classpath.add(System.getProperty("java.class.path"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", String.join(File.pathSeparator, classpath), program.getName()));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static String output(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private String probe(Map<String, String> environment, String... options) throws IOException {
    return output(start(environment, options));
  }

  private List<Path> cached() throws IOException {
    try (var files = Files.walk(folder.resolve("cache/zerofive"))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void severalProcessesAtOnceMakeOneFile() throws IOException {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      processes.add(start(Map.of()));
    }
    for (Process process : processes) {
      String said = output(process);
      assertTrue(said.contains("native code, "), said);
    }
    assertEquals(1, cached().size());
  }

  /** As in a cluster's executor, where each job has class loaders of its own. */
  @Test
  void eachClassLoaderOfAProcessHasNativeCode() throws IOException {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    String said =
        output(start(LoadersProbe.class, Map.of(), List.of(), "-Djava.io.tmpdir=" + temporary));
    assertEquals(3, said.lines().filter(line -> line.contains("native code, ")).count(), said);
    assertEquals(1, cached().size());
    try (var left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList());
    }
  }

  @Test
  void aDamagedFileIsMadeAnew() throws IOException {
    assertTrue(probe(Map.of()).contains("native code, "));
    Path file = cached().get(0);
    byte[] whole = Files.readAllBytes(file);
    byte[] damaged = whole.clone();
    damaged[whole.length / 2] ^= 1;
    Files.write(file, damaged);
    String said = probe(Map.of());
    assertTrue(said.contains("native code, "), said);
    assertEquals(-1, Arrays.mismatch(whole, Files.readAllBytes(file)));
  }

  /** Two builds use one cache: what one has just written, the other may be about to load. */
  @Test
  void anotherBuildsLibraryStaysUntilNobodyUsesIt() throws IOException {
    String name = System.mapLibraryName("zerofive");
    Path other = folder.resolve("cache/zerofive/natives").resolve(name).resolve("00000000/" + name);
    Files.createDirectories(other.getParent());
    Files.writeString(other, "another version's");
    assertTrue(probe(Map.of()).contains("native code, "));
    assertEquals("another version's", Files.readString(other));
    assertEquals(2, cached().size());
    Path own = cached().stream().filter(file -> !file.equals(other)).findFirst().orElseThrow();
    // Both lie there for a month, and this build alone is started again.
    FileTime month = FileTime.from(Instant.now().minus(30, ChronoUnit.DAYS));
    Files.setLastModifiedTime(other, month);
    Files.setLastModifiedTime(own, month);
    assertTrue(probe(Map.of()).contains("native code, "));
    assertTrue(Files.getLastModifiedTime(own).compareTo(month) > 0, "it is used");
    Files.delete(own);
    assertTrue(probe(Map.of()).contains("native code, "));
    assertFalse(Files.exists(other.getParent()), "what is left over goes with the next build");
    assertEquals(List.of(own), cached());
  }

  @Test
  void withoutACacheATemporaryFolderServesAndIsRemoved() throws IOException {
    Path temporary = Files.createDirectory(folder.resolve("temporary"));
    Path file = Files.writeString(folder.resolve("file"), "");
    String said = probe(Map.of("XDG_CACHE_HOME", file.toString()), "-Djava.io.tmpdir=" + temporary);
    assertTrue(said.contains("native code, "), said);
    try (var files = Files.list(temporary)) {
      assertFalse(files.anyMatch(left -> left.getFileName().toString().startsWith("zerofive")));
    }
  }

  @Test
  void withNoFolderAtAllItSaysWhatToDo() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    String said = probe(Map.of("XDG_CACHE_HOME", file.toString()), "-Djava.io.tmpdir=" + file);
    assertJavaServes(said);
    assertTrue(said.contains("XDG_CACHE_HOME"), said);
  }

  @Test
  void onAPlatformWithoutALibraryJavaServes() throws IOException {
    String platform = probe(Map.of(), "-Dos.arch=abacus");
    assertJavaServes(platform);
    assertTrue(platform.contains("-abacus") && platform.contains("g++"), platform);
  }

  @Test
  void thePropertyTakesWhatItNames() throws IOException {
    String property = "-D" + CpuBackend.INSTRUCTIONS + "=";
    String portable = probe(Map.of(), property + "portable");
    assertTrue(portable.contains("detail=native code, portable, 1 thread"), portable);
    String java = probe(Map.of(), property + "java");
    assertTrue(java.contains("detail=Java, 1 thread, remedy=, notes=[]"), java);
  }

  @Test
  void anUnknownWordInThePropertyIsANoteAndTheBestServes() throws IOException {
    String best = probe(Map.of());
    String said = probe(Map.of(), "-D" + CpuBackend.INSTRUCTIONS + "=AVX-1024");
    assertTrue(said.startsWith(best.substring(0, best.indexOf("notes=[") + 7)), said);
    assertTrue(
        said.contains(
            "notes=[zerofive.instructions is 'AVX-1024', and known are AVX512, AVX2, portable,"
                + " java; set it to one of these or to nothing]"),
        said);
  }

  @Test
  void whatIsDemandedAndCannotBeHadIsRefused() {
    DeviceException refused =
        assertThrows(DeviceException.class, () -> CpuBackend.exactly("AVX-1024", 1));
    assertTrue(refused.getMessage().contains("known are AVX512"), refused.getMessage());
    for (String instructions : List.of("java", "portable")) {
      String said = CpuBackend.exactly(instructions, 1).probe().detail();
      assertTrue(said.toLowerCase(Locale.ROOT).contains(instructions), said);
    }
  }

  @Test
  void whereOneFolderIsMountedNoexecAnotherServes() throws IOException {
    Path unpacked = folder.resolve("natives");
    Path cache = Files.createDirectory(folder.resolve("cache"));
    try (NoexecMount mount = new NoexecMount(cache)) {
      String said = probe(Map.of());
      assertTrue(said.contains("native code, "), said);
      Path temporary = Files.createDirectory(mount.folder().resolve("temporary"));
      said = probe(Map.of(), "-Djava.io.tmpdir=" + temporary);
      assertTrue(
          said.contains(
              "not native code: no folder can hold the native library ("
                  + cache.resolve("zerofive/natives")
                  + ": mounted noexec, "
                  + temporary
                  + ": mounted noexec); set XDG_CACHE_HOME to"),
          said);
      assertTrue(CpuBackend.unpack(unpacked));
      said = probe(Map.of(), "-Djava.io.tmpdir=" + temporary, "-Dzerofive.natives=" + unpacked);
      assertTrue(said.contains("native code, "), said);
    }
  }

  @Test
  void aLibraryThatCameWithTheProgramIsTakenWhereItIsThisProgramsOwn() throws IOException {
    Path unpacked = folder.resolve("natives");
    assertTrue(CpuBackend.unpack(unpacked));
    String natives = "-Dzerofive.natives=" + unpacked;
    String said = probe(Map.of(), natives);
    assertTrue(said.contains("native code, "), said);
    assertFalse(Files.exists(folder.resolve("cache")));
    Path file = unpacked.resolve(System.mapLibraryName("zerofive"));
    byte[] other = Files.readAllBytes(file);
    other[other.length / 2] ^= 1;
    Files.write(file, other);
    said = probe(Map.of(), natives);
    assertTrue(said.contains("native code, "), said);
    assertTrue(Files.exists(folder.resolve("cache")), "another build's library is passed over");
  }

  /** What the probe says where the program holds {@code library} in the place of its own. */
  private String probeWith(byte[] library) throws IOException {
    Path file =
        folder
            .resolve("classes/zerofive/backend/cpu")
            .resolve(NativeLibrary.platform())
            .resolve(System.mapLibraryName("zerofive"));
    Files.createDirectories(file.getParent());
    Files.write(file, library);
    String said =
        output(start(Map.of(), List.of(folder.resolve("classes").toString()), new String[0]));
    assertJavaServes(said);
    return said;
  }

  @Test
  void aLibraryThatIsDamagedInTheProgramHasItsSentence() throws IOException {
    assumeTrue(
        NativeLibrary.platform().startsWith("linux"), "skipped: the words are those of Linux");
    byte[] whole = whole();
    String shortened = probeWith(Arrays.copyOf(whole, 40));
    assertTrue(shortened.contains("cannot be loaded: it is cut off (file too short)"), shortened);
    assertTrue(shortened.contains("delete the folder target"), shortened);
    byte[] text = whole.clone();
    text[0] = 'n';
    String none = probeWith(text);
    assertTrue(none.contains("cannot be loaded: it is no shared library (invalid ELF"), none);
    byte[] foreign = whole.clone();
    foreign[18] = 2; // SPARC
    foreign[19] = 0;
    String processor = probeWith(foreign);
    assertTrue(processor.contains("cannot be loaded: it is for another processor"), processor);
  }

  @Test
  void whereTheLibraryIsOfAnotherBuildJavaServes() throws IOException {
    byte[] whole = whole();
    String bytes = new String(whole, StandardCharsets.ISO_8859_1);
    String other = bytes.replace("_chooseKernels", "_chooseKernel_");
    assertNotEquals(bytes, other);
    String said = probeWith(other.getBytes(StandardCharsets.ISO_8859_1));
    assertTrue(said.contains("belongs to another build of it ("), said);
  }

  private static void assertJavaServes(String said) {
    assertTrue(said.contains("usable=true, detail=Java, 1 thread"), said);
    assertTrue(said.contains("notes=[not native code: "), said);
  }

  private byte[] whole() throws IOException {
    assertTrue(CpuBackend.unpack(folder));
    return Files.readAllBytes(folder.resolve(System.mapLibraryName("zerofive")));
  }
}
