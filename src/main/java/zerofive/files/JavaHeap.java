package zerofive.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** What helps where the Java heap is too small: a larger one, as far as this machine has memory. */
public final class JavaHeap {
  private static final int MEBIBYTE_BITS = 20;
  private static final int GIBIBYTE = 1024;

  private JavaHeap() {}

  /** The heap of this process at most, in MiB. */
  public static long mebibytes() {
    return Runtime.getRuntime().maxMemory() >> MEBIBYTE_BITS;
  }

  /** {@code set ZEROFIVE_JAVA_OPTS=-Xmx6g}, or that this machine has too little memory. */
  public static String remedy() {
    return remedy(mebibytes(), memory(Path.of("/")) >> MEBIBYTE_BITS);
  }

  /**
   * A heap of three quarters of the memory leaves room for native buffers and the system.
   *
   * @param heap that was too small, in MiB
   * @param memory of the machine or container in MiB; 0 where it is not known
   */
  static String remedy(long heap, long memory) {
    long larger = memory == 0 ? 2 * heap : memory * 3 / 4;
    if (larger < heap + heap / 4) {
      return "use a machine or container with more memory than the " + memory + " MiB of this one";
    }
    return "set ZEROFIVE_JAVA_OPTS=-Xmx"
        + (larger < 2 * GIBIBYTE ? larger + "m" : larger / GIBIBYTE + "g");
  }

  /**
   * The bytes that this process may use: those of the machine, or fewer where a control group of a
   * container says so, as /proc and /sys have it; 0 where they have not.
   */
  static long memory(Path root) {
    long memory = number(root.resolve("proc/meminfo"), "MemTotal:") << 10;
    Path groups = root.resolve("sys/fs/cgroup");
    try (Stream<String> lines = Files.lines(root.resolve("proc/self/cgroup"))) {
      for (String line : lines.toList()) {
        // 0::/GROUP of version 2, NUMBER:CONTROLLERS:/GROUP of version 1.
        String[] fields = line.split(":", 3);
        if (fields.length == 3 && fields[1].isEmpty()) {
          memory = limit(groups, fields[2], "memory.max", memory);
        } else if (fields.length == 3 && List.of(fields[1].split(",", -1)).contains("memory")) {
          memory = limit(groups.resolve("memory"), fields[2], "memory.limit_in_bytes", memory);
        }
      }
    } catch (IOException e) {
      return memory;
    }
    return memory;
  }

  /** The lowest limit of a group and those above it; a container sees its own group as the root. */
  private static long limit(Path root, String group, String file, long memory) {
    long lowest = memory;
    Path named = root.resolve(group.replaceFirst("^/+", "")).normalize();
    Path folder = named.startsWith(root) ? named : root;
    while (folder.startsWith(root)) {
      long limit = number(folder.resolve(file), "");
      if (limit > 0 && (lowest == 0 || limit < lowest)) {
        lowest = limit;
      }
      folder = folder.getParent();
    }
    return lowest;
  }

  /** The number behind a label; 0 where there is none, as for the limit {@code max}. */
  private static long number(Path file, String label) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(label))
          .map(line -> line.substring(label.length()).strip().split(" ", 2)[0])
          .filter(text -> text.matches("[0-9]{1,18}"))
          .mapToLong(Long::parseLong)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
