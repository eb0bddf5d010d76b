package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code devices --unpack}: what the build of a container calls. */
class UnpackTest {
  @TempDir Path folder;

  @Test
  void everyLibraryIsPutIntoANewFolder() {
    Path natives = folder.resolve("a/natives");
    Launcher.Result result = InProcess.run("devices", "--unpack", natives.toString());
    assertEquals(0, result.code(), result.err());
    assertEquals("", result.out());
    Path cpu = natives.resolve(System.mapLibraryName("zerofive"));
    assertEquals(Files.exists(cpu), !result.err().contains("not cpu: "), result.err());
    String cublas = "libJCublas2-12.6.0-linux-x86_64.so";
    assertTrue(Files.exists(natives.resolve(cublas)), result.err());
    assertTrue(Files.exists(natives.resolve("cublas-13").resolve(cublas)), result.err());
  }

  @Test
  void aFolderThatCannotBeMadeIsAnOutputError() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    Launcher.Result result =
        InProcess.run("devices", "--unpack", file.resolve("natives").toString());
    assertEquals(6, result.code(), result.err());
    assertTrue(result.err().contains(file.resolve("natives") + " cannot be written: "));
    assertEquals(1, result.err().lines().count(), result.err());
  }
}
