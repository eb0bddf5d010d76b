package zerofive.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The remedy has to be one: no heap that the machine has no memory for. */
class JavaHeapTest {
  @TempDir private Path root;

  @ParameterizedTest
  @CsvSource({
    "512, 2048, set ZEROFIVE_JAVA_OPTS=-Xmx1536m",
    "4000, 16000, set ZEROFIVE_JAVA_OPTS=-Xmx11g",
    "128, 512, set ZEROFIVE_JAVA_OPTS=-Xmx384m",
    "384, 512, use a machine or container with more memory than the 512 MiB of this one",
    "12000, 16000, use a machine or container with more memory than the 16000 MiB of this one",
    "500, 0, set ZEROFIVE_JAVA_OPTS=-Xmx1000m",
  })
  void theRemedyIsThreeQuartersOfTheMemoryOrMoreMemory(long heap, long memory, String remedy) {
    assertEquals(remedy, JavaHeap.remedy(heap, memory));
  }

  private void file(String name, String text) throws IOException {
    Path file = root.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }

  @Test
  void theMemoryIsThatOfTheMachineOrOfTheControlGroup() throws IOException {
    assertEquals(0, JavaHeap.memory(root));
    file("proc/meminfo", "MemTotal:       24576000 kB\nMemFree:        16252928 kB\n");
    assertEquals(24_576_000L * 1024, JavaHeap.memory(root));
    file("proc/self/cgroup", "0::/\n");
    file("sys/fs/cgroup/memory.max", "max\n");
    assertEquals(24_576_000L * 1024, JavaHeap.memory(root));
    file("sys/fs/cgroup/memory.max", "268435456\n");
    assertEquals(268_435_456, JavaHeap.memory(root));
    file("proc/self/cgroup", "0::/user/job\n");
    file("sys/fs/cgroup/user/memory.max", "100000000\n");
    assertEquals(100_000_000, JavaHeap.memory(root));
    file("proc/self/cgroup", "3:cpu,cpuacct:/\n5:memory:/docker/1f\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "209715200\n");
    assertEquals(209_715_200, JavaHeap.memory(root), "the host's name of the group is not mounted");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assertEquals(24_576_000L * 1024, JavaHeap.memory(root));
  }
}
