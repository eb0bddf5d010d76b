package zerofive.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether what is written lies in a container without a volume, and is deleted with it. */
final class ContainerDisk {
  private static final Path MOUNTS = Path.of("/proc/self/mountinfo");

  /** What Docker, Podman, our images and Kubernetes leave for whoever asks. */
  private static final List<Path> MARKERS =
      List.of(Path.of("/.dockerenv"), Path.of("/run/.containerenv"));

  private static final List<String> VARIABLES =
      List.of("ZEROFIVE_CONTAINER", "KUBERNETES_SERVICE_HOST");

  private static final Set<String> LAYERED = Set.of("overlay", "fuse.fuse-overlayfs", "aufs");

  /** Where Docker and Podman keep a volume that was given no name. */
  private static final Pattern NAMELESS = Pattern.compile(".*/volumes/[0-9a-f]{64}/_data");

  private static final Pattern OCTAL = Pattern.compile("\\\\([0-7]{3})");

  private ContainerDisk() {}

  /** A sentence where a run is deleted with its container; none elsewhere. */
  static Optional<String> notice(Path run) {
    if (MARKERS.stream().noneMatch(Files::exists)
        && VARIABLES.stream().allMatch(name -> System.getenv(name) == null)) {
      return Optional.empty();
    }
    try {
      // The names of mount points may be in any encoding.
      return notice(Files.readString(MOUNTS, StandardCharsets.ISO_8859_1), run.toRealPath());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * The same for a folder of a container.
   *
   * @param mountinfo its mounts, a line each, as proc(5) describes them
   * @param run without links
   */
  static Optional<String> notice(String mountinfo, Path run) {
    String root = "";
    String point = "";
    String type = "";
    for (String line : mountinfo.lines().toList()) {
      // NUMBER PARENT DEVICE ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS
      String[] fields = line.split(" ", -1);
      int dash = List.of(fields).indexOf("-");
      // Of two mounts at one point the later covers the earlier.
      if (dash > 5
          && dash + 1 < fields.length
          && run.startsWith(unescaped(fields[4]))
          && fields[4].length() >= point.length()) {
        root = fields[3];
        point = fields[4];
        type = fields[dash + 1];
      }
    }
    boolean isOwn = point.equals("/") && (LAYERED.contains(type) || !root.equals("/"));
    if (!isOwn && !NAMELESS.matcher(root).matches()) {
      return Optional.empty();
    }
    Path parent = run.getParent();
    Path place = parent == null || parent.getNameCount() == 0 ? run : parent;
    return Optional.of(
        run
            + " is deleted with this container; to keep runs, mount a folder of the host, as by -v"
            + " FOLDER:"
            + place);
  }

  /** With spaces, tabs, line breaks and backslashes as the system has them. */
  private static String unescaped(String name) {
    return OCTAL
        .matcher(name)
        .replaceAll(
            octal ->
                Matcher.quoteReplacement(
                    String.valueOf((char) Integer.parseInt(octal.group(1), 8))));
  }
}
