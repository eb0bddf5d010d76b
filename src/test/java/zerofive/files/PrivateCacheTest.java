package zerofive.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Where the user's cache is, and that it is nowhere rather than anywhere. */
class PrivateCacheTest {
  @Test
  void theNamedFolderComesFirstAndThenTheHome() throws IOException {
    assertEquals(Path.of("/caches"), PrivateCache.caches("/caches", "/home/user"));
    assertEquals(Path.of("/home/user/.cache"), PrivateCache.caches(null, "/home/user"));
    assertEquals(Path.of("/home/user/.cache"), PrivateCache.caches("", "/home/user"));
    assertEquals(Path.of("/home/user/.cache"), PrivateCache.caches("caches", "/home/user"));
  }

  @Test
  void aUserWithoutAHomeHasNoCache() {
    assertThrows(IOException.class, () -> PrivateCache.caches(null, "?"));
    assertThrows(IOException.class, () -> PrivateCache.caches("caches", ""));
  }

  /** Under a umask of 002 a folder made by hand is such a one; its user must learn which. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void aFolderThatOthersMayWriteIsNamed(@TempDir Path folder) throws IOException {
    Path open = Files.createDirectory(folder.resolve("data"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxr-x"));
    FileSystemException refused =
        assertThrows(FileSystemException.class, () -> PrivateCache.folder(open));
    assertEquals(open.toString(), refused.getFile());
    assertEquals("others may write to it, which chmod go-w ends", refused.getReason());
  }

  @Test
  void aNameThatIsNoPathIsNoDefect() {
    assertThrows(IOException.class, () -> PrivateCache.caches("/\0", "/home/user"));
  }

  @Test
  void whatAKilledProcessLeftIsRemovedAndWhatIsBeingWrittenStays(@TempDir Path folder)
      throws IOException {
    Path left = Files.writeString(folder.resolve("raw1.part"), "half of a fi");
    Path current = Files.writeString(folder.resolve("raw2.part"), "half of a fi");
    Files.setLastModifiedTime(left, FileTime.from(Instant.now().minus(2, ChronoUnit.HOURS)));
    Path file = folder.resolve("raw");
    PrivateCache.replace(file, new byte[3]);
    try (var files = Files.list(folder)) {
      assertEquals(Set.of(file, current), files.collect(Collectors.toSet()));
    }
  }
}
