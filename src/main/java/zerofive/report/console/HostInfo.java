package zerofive.report.console;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The computer this runs on.
 *
 * @param cpu the model's name, or its architecture where the system does not tell
 * @param cores that this process may use
 * @param system name and version
 * @param java version
 */
public record HostInfo(String cpu, int cores, String system, String java) {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");
  private static final String MODEL = "model name";

  /** This one. */
  public static HostInfo here() {
    return new HostInfo(
        cpuModel(),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.version"));
  }

  private static String cpuModel() {
    String architecture = System.getProperty("os.arch");
    if (!Files.isReadable(CPUINFO)) {
      return architecture;
    }
    try (Stream<String> lines = Files.lines(CPUINFO)) {
      return lines
          .filter(line -> line.startsWith(MODEL))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(architecture);
    } catch (IOException e) {
      return architecture;
    }
  }

  /** In one line of phrases. */
  @Override
  public String toString() {
    return cpu + ", " + Format.plural(cores, "core") + ", " + system + ", Java " + java;
  }
}
