package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

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

  @Test
  void aNameThatIsNoPathIsNoDefect() {
    assertThrows(IOException.class, () -> PrivateCache.caches("/\0", "/home/user"));
  }
}
