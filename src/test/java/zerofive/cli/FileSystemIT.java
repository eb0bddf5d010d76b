package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * File systems that cannot be had here: {@code src/test/native/file_system.c} stands before the C
 * library of the real program and lets its calls fail as theirs do.
 */
class FileSystemIT {
  private static final Path SOURCE = Path.of("src/test/native/file_system.c");

  @TempDir Path folder;

  private Path library;

  @BeforeEach
  void compile() throws Exception {
    library = folder.resolve("file_system.so");
    List<String> command = List.of("gcc", "-shared", "-fPIC", "-o", library.toString());
    List<String> whole = new ArrayList<>(command);
    whole.addAll(List.of(Launcher.HOME.resolve(SOURCE).toString(), "-ldl"));
    int code;
    try {
      code = new ProcessBuilder(whole).inheritIO().start().waitFor();
    } catch (IOException e) {
      code = 127;
    }
    assumeTrue(code != 127, "skipped: there is no gcc, which compiles the test's file system");
    assertEquals(0, code);
  }

  /** Runs the program where {@code variable=number} is, as the test's file system reads it. */
  private Launcher.Result run(String setting, String... arguments) {
    String[] words = setting.split("=", 2);
    return Launcher.run(
        Map.of("LD_PRELOAD", library.toString(), words[0], words[1]), folder, arguments);
  }

  private static List<String> warnings(Launcher.Result result) {
    return result.err().lines().filter(line -> line.startsWith("zerofive: warning: ")).toList();
  }

  private byte[] model(String run) throws IOException {
    return Files.readAllBytes(folder.resolve(run).resolve("model.safetensors"));
  }

  /** Error numbers of Linux: 22 EINVAL, 95 EOPNOTSUPP, 38 ENOSYS, 37 ENOLCK, 18 EXDEV. */
  @ParameterizedTest
  @CsvSource({
    "TEST_SYNC_FOLDER=22, cannot sync a file or folder (Invalid argument): a power failure may",
    "TEST_SYNC_FILE=95, cannot sync a file or folder (Operation not supported): a power failure may",
    "TEST_LOCK=37, has no locks (No locks available): a second zerofive in the same folder",
    "TEST_LOCK=38, has no locks (Function not implemented): a second zerofive in the same folder",
    "TEST_RENAME=18, cannot replace a file in one step (Invalid cross-device link): a kill",
  })
  void whatItLacksIsOneWarningAndTheTrainingGoesOn(String setting, String warning)
      throws IOException {
    Launcher.Result first =
        run(setting, "train", "--epochs", "2", "--model", "linear", "--quiet", "--out", "a");
    assertEquals(0, first.code(), first.err());
    assertEquals(1, first.err().lines().count(), first.err());
    String begin = "zerofive: warning: the file system of ";
    assertTrue(first.err().startsWith(begin) && first.err().contains(warning), first.err());
    Launcher.Result resumed = run(setting, "train", "--resume", "a", "--epochs", "3");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(1, warnings(resumed).size(), resumed.err());
    assertEquals(
        0,
        Launcher.run(folder, "train", "--epochs", "3", "--model", "linear", "--out", "b").code());
    assertArrayEquals(model("b"), model("a"));
    Launcher.Result pairs =
        run(setting, "pairs", "--classes", "0,1,5", "--model", "linear", "--epochs", "1");
    assertEquals(0, pairs.code(), pairs.err());
    assertEquals(1, warnings(pairs).size(), pairs.err());
  }

  /** 5 is EIO, 28 ENOSPC, 122 EDQUOT: what was written is lost, which is no lack of a feature. */
  @ParameterizedTest
  @CsvSource({
    "TEST_SYNC_FOLDER=5, Input/output error",
    "TEST_SYNC_FILE=28, No space left on device",
    "TEST_SYNC_FILE=122, Disk quota exceeded",
    "TEST_LOCK=5, Input/output error",
  })
  void aFailingDiskStaysAnError(String setting, String reason) {
    Launcher.Result result = run(setting, "train", "--epochs", "1", "--quiet", "--out", "a");
    assertEquals(6, result.code(), result.err());
    assertEquals(1, result.err().lines().count(), result.err());
    assertTrue(result.err().contains(" cannot be written: " + reason + "; "), result.err());
  }

  @Test
  void withoutLocksAndSyncOfFoldersThereAreTwoWarnings() {
    Launcher.Result result =
        Launcher.run(
            Map.of("LD_PRELOAD", library.toString(), "TEST_SYNC_FOLDER", "22", "TEST_LOCK", "37"),
            folder,
            "train",
            "--epochs",
            "1",
            "--json",
            "--out",
            "a");
    assertEquals(0, result.code(), result.err());
    assertEquals(2, warnings(result).size(), result.err());
    assertEquals(1, result.out().lines().count(), result.out());
  }
}
