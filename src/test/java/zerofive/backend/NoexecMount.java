package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/**
 * A file system of memory that no program may run from; where none can be mounted the test skips.
 */
public record NoexecMount(Path folder) implements AutoCloseable {
  public NoexecMount {
    Assumptions.assumeTrue(
        call("mount", "-t", "tmpfs", "-o", "noexec,size=16m", "tmpfs", folder.toString()) == 0,
        "skipped: only root can mount a folder noexec, and not everywhere");
  }

  @Override
  public void close() {
    assertEquals(0, call("umount", folder.toString()));
  }

  private static int call(String... command) {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
    } catch (IOException | InterruptedException e) {
      return -1;
    }
  }
}
