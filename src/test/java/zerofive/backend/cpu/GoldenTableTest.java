package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.backend.Backend;
import zerofive.backend.GoldenDigestTest;
import zerofive.backend.GoldenSetting;

/**
 * The golden settings in every implementation that this machine can run: each instruction set and
 * plain Java on each JDK, and the native code as clang makes it and as arm64 has it, under QEMU.
 * Prints the table.
 */
@Tag("slow")
final class GoldenTableTest {
  private static final int THREADS = 3;
  private static final Pattern VERSION = Pattern.compile("JAVA_VERSION=\"(\\d+)");

  @TempDir Path folder;

  /** What was left out, and why. */
  private final List<String> notes = new ArrayList<>();

  /**
   * Run by another JDK: a line for each setting, of its name, the implementation and the digest.
   */
  public static void main(String[] arguments) {
    for (Backend backend : GoldenDigestTest.backends(THREADS)) {
      for (GoldenSetting setting : GoldenSetting.all()) {
        System.out.println(setting + "\t" + backend.name() + "\t" + setting.digest(backend));
      }
    }
  }

  @Test
  void oneDigestForEachSetting() throws Exception {
    // The digests by setting, of each implementation.
    Map<String, Map<String, String>> columns = new LinkedHashMap<>();
    for (Map.Entry<Integer, Path> jdk : jdks().entrySet()) {
      columns.putAll(ofJdk(jdk.getKey(), jdk.getValue()));
    }
    for (NativeProgram program : programs()) {
      Map<String, String> digests = new LinkedHashMap<>();
      for (GoldenSetting setting : GoldenSetting.all()) {
        digests.put(setting.name(), setting.digest(program));
      }
      columns.put(program.name(), digests);
    }
    System.out.println(table(columns));
    Map<String, String> expected = new LinkedHashMap<>();
    GoldenSetting.all().forEach(setting -> expected.put(setting.name(), setting.sha256()));
    columns.forEach((name, digests) -> assertEquals(expected, digests, name));
    assertFalse(
        !notes.isEmpty()
            && "true".equals(System.getenv("CI"))
            && "root".equals(System.getProperty("user.name"))
            && Files.exists(Path.of("/usr/bin/apt-get")),
        () -> ".ci/run as root installs with apt-get what is missing here: " + notes);
  }

  private String table(Map<String, Map<String, String>> columns) {
    StringBuilder table = new StringBuilder("golden digests; = in a column: the same\n");
    char letter = 'a';
    StringBuilder heads = new StringBuilder();
    for (String name : columns.keySet()) {
      table.append("  ").append(letter).append("  ").append(name).append('\n');
      heads.append(' ').append(letter++);
    }
    notes.forEach(note -> table.append("  -  ").append(note).append('\n'));
    String format = "%-30s  %-64s %s\n";
    table.append(String.format(Locale.ROOT, format, "setting", "SHA-256", heads));
    for (GoldenSetting setting : GoldenSetting.all()) {
      StringBuilder marks = new StringBuilder();
      for (Map<String, String> digests : columns.values()) {
        marks.append(setting.sha256().equals(digests.get(setting.name())) ? " =" : " X");
      }
      table.append(String.format(Locale.ROOT, format, setting, setting.sha256(), marks));
    }
    return table.toString();
  }

  /** This JDK and those below /usr/lib/jvm, one of each version from 17 on. */
  private static Map<Integer, Path> jdks() throws IOException {
    List<Path> homes = new ArrayList<>();
    Path all = Path.of("/usr/lib/jvm");
    if (Files.isDirectory(all)) {
      try (Stream<Path> found = Files.list(all)) {
        found.sorted().forEach(homes::add);
      }
    }
    homes.add(Path.of(System.getProperty("java.home")));
    Map<Integer, Path> jdks = new TreeMap<>();
    for (Path home : homes) {
      Path release = home.resolve("release");
      if (Files.isExecutable(home.resolve("bin/java")) && Files.exists(release)) {
        Matcher version = VERSION.matcher(Files.readString(release));
        if (version.find() && Integer.parseInt(version.group(1)) >= 17) {
          jdks.put(Integer.parseInt(version.group(1)), home);
        }
      }
    }
    return jdks;
  }

  private Map<String, Map<String, String>> ofJdk(int version, Path home) throws Exception {
    String output =
        run(
            Map.of(),
            home.resolve("bin/java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            GoldenTableTest.class.getName());
    Map<String, Map<String, String>> columns = new LinkedHashMap<>();
    output
        .lines()
        .map(line -> line.split("\t", -1))
        .forEach(
            fields ->
                columns
                    .computeIfAbsent(fields[1] + ", JDK " + version, name -> new LinkedHashMap<>())
                    .put(fields[0], fields[2]));
    return columns;
  }

  /** The native session as other compilers make it, and for arm64. */
  private List<NativeProgram> programs() throws Exception {
    List<NativeProgram> programs = new ArrayList<>();
    if (System.getProperty("os.arch").equals("amd64")) {
      if (has("clang++")) {
        Path program = program("clang", "x86_64", "clang++");
        int best = CpuForTests.instructionSets(1).size();
        for (int set = 0; set < best; set++) {
          String name = CpuForTests.INSTRUCTIONS.get(set) + " by clang";
          programs.add(new NativeProgram(name, List.of(program.toString()), set, THREADS));
        }
      }
      if (has("qemu-aarch64") && has("aarch64-linux-gnu-g++")) {
        programs.add(arm64("gcc", "aarch64-linux-gnu-g++"));
        if (has("clang++")) {
          programs.add(arm64("clang", "clang++", "--target=aarch64-linux-gnu"));
        }
      }
    }
    return programs;
  }

  private NativeProgram arm64(String compiler, String... command) throws Exception {
    Path program = program("arm64-" + compiler, "arm64", command);
    List<String> line = List.of("qemu-aarch64", program.toString());
    return new NativeProgram("arm64 under QEMU, by " + compiler, line, 0, THREADS);
  }

  /** Compiles the program; linked statically, so that an emulator needs no other library. */
  private Path program(String name, String arch, String... compiler) throws Exception {
    Path objects = Files.createDirectories(folder.resolve(name));
    Path program = folder.resolve(name + "-session");
    run(
        Map.of("CXX", String.join(" ", compiler), "ARCH", arch),
        "native/compile",
        objects.toString());
    List<String> link = new ArrayList<>(List.of(compiler));
    link.addAll(List.of("-std=c++17", "-static", "-pthread", "-o", program.toString()));
    link.add("src/test/native/session.cpp");
    try (Stream<Path> files = Files.list(objects)) {
      files.map(Path::toString).forEach(link::add);
    }
    run(Map.of(), link.toArray(String[]::new));
    return program;
  }

  private boolean has(String tool) {
    boolean found =
        Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
            .anyMatch(bin -> Files.isExecutable(Path.of(bin, tool)));
    if (!found && notes.stream().noneMatch(note -> note.startsWith(tool))) {
      notes.add(tool + " is not on the PATH; the implementations that need it are left out");
    }
    return found;
  }

  /** What a command prints; fails where it fails. */
  private String run(Map<String, String> environment, String... command)
      throws IOException, InterruptedException {
    Path errors = folder.resolve("errors.txt");
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(
        0,
        process.waitFor(),
        () -> {
          try {
            return String.join(" ", command) + ": " + Files.readString(errors);
          } catch (IOException e) {
            return e.toString();
          }
        });
    return output;
  }
}
