package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher's own work: to build when it must, safely, and to stay out of the way. */
class LauncherIT {
  @TempDir Path folder;

  /** A checkout as git would make it, without what was built. */
  private Path checkout(String name) throws IOException {
    Path copy = folder.resolve(name);
    for (String part : List.of("zerofive", "pom.xml", ".mvn", "src/main", "native", "kernels")) {
      Path from = Launcher.HOME.resolve(part);
      try (Stream<Path> files = Files.walk(from)) {
        files.forEach(file -> copy(file, copy.resolve(Launcher.HOME.relativize(file).toString())));
      }
    }
    return copy;
  }

  private static void copy(Path from, Path to) {
    try {
      Files.createDirectories(to.getParent());
      if (Files.isRegularFile(from)) {
        Files.copy(from, to);
        to.toFile().setExecutable(Files.isExecutable(from));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Tag("slow")
  @Test
  void aFreshCheckoutBuildsOnFirstUseEvenTwiceAtOnceAndAfterAKill() throws Exception {
    // JDK 17 keeps no classes of a jar whose path has a space.
    Path checkout = checkout("checkout");
    Launcher.Running first = Launcher.start(checkout, folder, "--version");
    Launcher.Running second = Launcher.start(checkout, folder, "--version");
    for (Launcher.Result result : List.of(first.await(), second.await())) {
      assertEquals(0, result.code(), result.err());
      assertTrue(result.out().startsWith("zerofive "), result.out());
      assertTrue(result.err().contains("building"), result.err());
    }
    Path jar = checkout.resolve("target/app/zerofive.jar");
    FileTime built = Files.getLastModifiedTime(jar);
    Launcher.Result again =
        Launcher.shell(
            folder,
            "ZEROFIVE_JAVA_OPTS=-Xlog:class+load:file=classes.log checkout/zerofive --version");
    assertEquals("", again.err());
    assertTrue(
        Files.readString(folder.resolve("classes.log"))
            .contains("zerofive.cli.Cli source: shared objects file"),
        "the archive of classes belongs to the jar, whichever of the two was later");
    assertEquals(built, Files.getLastModifiedTime(jar));

    Files.setLastModifiedTime(
        checkout.resolve("src/main/java/zerofive/Main.java"),
        FileTime.from(Instant.now().plusSeconds(1)));
    Launcher.Running killed = Launcher.start(checkout, folder, "--version");
    while (!hasBuildFolder(checkout)) {
      Thread.sleep(5);
    }
    Thread.sleep(300);
    killed.process().descendants().forEach(ProcessHandle::destroyForcibly);
    killed.signal("KILL");
    killed.await();
    assertEquals(built, Files.getLastModifiedTime(jar), "the old program is still whole");

    killed = Launcher.start(checkout, folder, "--version");
    while (killed.process().isAlive() && !isArchiving(checkout)) {
      Thread.sleep(5);
    }
    assertTrue(killed.process().isAlive(), "it was to be killed before its end");
    killed.signal("INT");
    killed.process().descendants().forEach(ProcessHandle::destroyForcibly);
    assertEquals(130, killed.await().code());
    Launcher.Result rebuilt = Launcher.start(checkout, folder, "--version").await();
    assertEquals(0, rebuilt.code(), rebuilt.err());
    assertTrue(rebuilt.err().contains("building"), rebuilt.err());
    assertFalse(hasBuildFolder(checkout), "what the killed build left is gone");
    String cache = Runtime.version().feature() >= 25 ? "zerofive.aot" : "zerofive.jsa";
    assertTrue(
        Files.exists(checkout.resolve("target/app").resolve(cache)), "and nothing is missing");
    assertEquals("", Launcher.start(checkout, folder, "--version").await().err());
  }

  /** The archive is made by a short training, whose folder is beside the build. */
  private static boolean isArchiving(Path checkout) throws IOException {
    try (Stream<Path> files = Files.list(checkout.resolve("target"))) {
      return files.anyMatch(file -> Files.isDirectory(file.resolve("run-auto")));
    }
  }

  private static boolean hasBuildFolder(Path checkout) throws IOException {
    try (Stream<Path> files = Files.list(checkout.resolve("target"))) {
      return files.anyMatch(file -> file.getFileName().toString().startsWith("launcher."));
    }
  }

  @Tag("slow")
  @Test
  void aFailedBuildKeepsTheOldProgramAndSaysSo() throws IOException {
    Path checkout = checkout("a checkout");
    Files.writeString(checkout.resolve("src/main/java/zerofive/Main.java"), "no Java");
    Launcher.Result result = Launcher.start(checkout, folder, "--version").await();
    assertEquals(127, result.code(), result.err());
    assertTrue(result.err().contains("the build failed"), result.err());
    assertFalse(hasBuildFolder(checkout));
  }

  @Test
  void itWorksThroughALinkAndFromAnyFolder() throws IOException {
    Path link = folder.resolve("zf");
    Files.createSymbolicLink(link, Launcher.HOME.resolve("zerofive").toAbsolutePath());
    Launcher.Result result = Launcher.shell(folder, "./zf --version");
    Files.delete(link);
    assertEquals(0, result.code(), result.err());
  }

  @ParameterizedTest
  @ValueSource(strings = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"})
  void aGarbageCollectorMayBeChosenForEveryJavaProgram(String variable) {
    Launcher.Result result =
        Launcher.run(Map.of(variable, "-XX:+UseParallelGC"), folder, "--version");
    assertEquals(0, result.code(), result.err());
    assertTrue(result.out().startsWith("zerofive "), result.out());
  }

  /** By the file of its version, and by what it prints where it has none. */
  @ParameterizedTest
  @CsvSource({"1.8.0_392, true", "11.0.2, true", "1.8.0_392, false", "16.0.1, false"})
  void aJavaThatIsTooOldIsNamedWithTheRemedy(String version, boolean hasReleaseFile)
      throws IOException {
    Path java = folder.resolve("jdk/bin/java");
    Files.createDirectories(java.getParent());
    Files.writeString(java, "#!/bin/sh\necho 'openjdk version \"" + version + "\"' >&2\n");
    assertTrue(java.toFile().setExecutable(true));
    if (hasReleaseFile) {
      Files.writeString(
          folder.resolve("jdk/release"),
          "IMPLEMENTOR=\"Any\"\nJAVA_VERSION=\"" + version + "\"\nOS_NAME=\"Linux\"\n");
    }
    Launcher.Result result =
        Launcher.run(Map.of("JAVA_HOME", folder + "/jdk"), folder, "--version");
    assertEquals(127, result.code(), result.err());
    assertEquals(
        "zerofive: error: "
            + java.toRealPath()
            + " is older than Java 17; install a JDK, version 17 or newer, or name one by"
            + " JAVA_HOME\n",
        result.err());
  }

  /** As from a machine whose clock is ahead: a build at every start, for as long as it is. */
  @Test
  void aSourceThatIsNewerThanTheClockIsBuiltOnce() throws IOException {
    Path checkout = checkoutWithoutABuild();
    Path source = checkout.resolve("src/main/Main.java");
    FileTime tomorrow = FileTime.from(Instant.now().plusSeconds(86_400));
    Files.setLastModifiedTime(source, tomorrow);
    assertTrue(starts(checkout).contains("building"));
    assertEquals("", starts(checkout));
    // Whoever edits it later is still ahead of the program, with the time of today.
    Files.writeString(source, "edited");
    assertTrue(starts(checkout).contains("building"));
    assertEquals("", starts(checkout));
    Files.writeString(checkout.resolve("pom.xml"), "edited");
    Files.setLastModifiedTime(
        checkout.resolve("pom.xml"), FileTime.from(Instant.now().plusSeconds(2)));
    Files.setLastModifiedTime(source, tomorrow);
    assertTrue(starts(checkout).contains("building"));
    assertEquals("", starts(checkout));
  }

  /** With a mvn that makes an empty program and a java that takes it. */
  private Path checkoutWithoutABuild() throws IOException {
    Path checkout = folder.resolve("checkout");
    for (String part : List.of("src/main", "native", "kernels", "bin")) {
      Files.createDirectories(checkout.resolve(part));
    }
    copy(Launcher.HOME.resolve("zerofive"), checkout.resolve("zerofive"));
    for (String file :
        List.of("src/main/Main.java", "kernels/element_math.h", "kernels/all.ptx", "pom.xml")) {
      Path written = Files.writeString(checkout.resolve(file), "a source");
      Files.setLastModifiedTime(written, FileTime.from(Instant.now().minusSeconds(9)));
    }
    script(checkout.resolve("bin/java"), ":");
    script(
        checkout.resolve("bin/mvn"),
        "for word; do case $word in -Dzerofive.target=*) cd \"${word#*=}\";; esac; done",
        "mkdir -p lib mnist classes/zerofive/backend/cpu",
        "touch lib/a.jar mnist/a zerofive.jar");
    return checkout;
  }

  private static void script(Path file, String... lines) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + String.join("\n", lines) + "\n");
    assertTrue(file.toFile().setExecutable(true));
  }

  /** What the launcher of such a checkout says. */
  private static String starts(Path checkout) {
    Launcher.Result result =
        Launcher.shell(
            checkout,
            "unset JAVA_HOME ZEROFIVE_PACKAGED; PATH=\"$PWD/bin:$PATH\" ./zerofive --version");
    assertEquals(0, result.code(), result.err());
    return result.err();
  }

  @Test
  void aWorkingFolderThatIsGoneHasItsSentence() {
    for (String command : List.of("--version", "train --out " + folder + "/run")) {
      Launcher.Result result =
          Launcher.shell(
              folder, "mkdir gone; cd gone; rmdir ../gone; exec \"$ZEROFIVE\" " + command);
      assertEquals(2, result.code(), result.err());
      List<String> ours = result.err().lines().filter(line -> !line.startsWith("sh: ")).toList();
      assertEquals(
          List.of(
              "zerofive: error: the working folder has been removed; change to one that exists, with"
                  + " cd"),
          ours,
          "the shell has a line of its own");
    }
  }

  @Test
  void theSystemsReasonsAreInTheLanguageOfOurs() throws IOException {
    Path java = folder.resolve("jdk/bin/java");
    Files.createDirectories(java.getParent());
    script(java, "echo \"$LC_CTYPE $LC_MESSAGES ${LC_ALL-none}\"");
    Launcher.Result result =
        Launcher.run(
            Map.of("JAVA_HOME", folder + "/jdk", "LC_ALL", "C.UTF-8", "LC_MESSAGES", "de_DE"),
            folder,
            "--version");
    assertEquals("C.UTF-8 C none", result.out().strip(), result.err());
  }

  @Test
  void withoutJavaItSaysWhatToInstall() {
    Launcher.Result result =
        Launcher.shell(
            folder,
            "mkdir bin; for t in dirname readlink find; do printf '#!/bin/sh\\nexec %s \"$@\"\\n'"
                + " \"$(command -v $t)\" >bin/$t; chmod +x bin/$t; done;"
                + " env -u JAVA_HOME PATH=\"$PWD/bin\" /bin/sh \"$ZEROFIVE\" --version");
    assertEquals(127, result.code(), result.err());
    assertTrue(result.err().contains("install a JDK"), result.err());
  }

  @Test
  void exitCodesPassThrough() {
    assertEquals(2, Launcher.run(folder, "tarin").code());
    assertEquals(4, Launcher.run(folder, "train", "--device", "cuda").code());
  }
}
