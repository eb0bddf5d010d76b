package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import zerofive.files.OutputException;

class ContainerTest {
  private static final Container DOCKER = new Container("docker");

  private static Optional<String> remedy(IOException cause) {
    return DOCKER.remedy(new OutputException(Path.of("runs"), cause));
  }

  @Test
  void anImageSaysThatItIsOne() {
    assertEquals(
        Optional.of(DOCKER), Container.of(Map.of("ZEROFIVE_CONTAINER", "docker", "HOME", "/")));
    assertEquals(Optional.empty(), Container.of(Map.of("ZEROFIVE_CONTAINER", "")));
    assertEquals(Optional.empty(), Container.of(Map.of()));
  }

  @Test
  void anotherUserOrAnotherFolderHelps() {
    String denied = remedy(new AccessDeniedException("runs")).orElseThrow();
    assertTrue(denied.matches("this container runs as user \\d+: .*--user .*"), denied);
    String readOnly =
        remedy(new FileSystemException("runs", null, "Read-only file system")).orElseThrow();
    assertTrue(readOnly.contains("-v \"$PWD/runs:/runs\""), readOnly);
    assertEquals(Optional.empty(), remedy(new IOException("No space left on device")));
  }

  @Test
  void whatIsPrintedFitsTheTerminal() {
    assertTrue(DOCKER.run().length() <= 94, DOCKER.run());
    assertTrue(DOCKER.toolkit().stream().allMatch(command -> command.length() <= 94));
  }
}
