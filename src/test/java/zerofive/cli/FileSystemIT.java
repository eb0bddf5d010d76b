package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
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

  /** Error numbers of Linux: 22 EINVAL, 37 ENOLCK, 18 EXDEV. */
  @ParameterizedTest
  @CsvSource({
    "TEST_SYNC_FOLDER=22, cannot sync a file or folder (Invalid argument): a power failure may",
    "TEST_LOCK=37, has no locks (No locks available): a second zerofive in the same folder",
    "TEST_RENAME=18, cannot replace a file in one step (Invalid cross-device link): a kill",
  })
  void whatItLacksIsOneWarningAndTheTrainingGoesOn(String setting, String warning) {
    String[] train = {
      "train",
      "--epochs",
      "2",
      "--schedule",
      "constant",
      "--model",
      "linear",
      "--quiet",
      "--out",
      "a"
    };
    Launcher.Result first = run(setting, train);
    assertEquals(0, first.code(), first.err());
    assertEquals(1, first.err().lines().count(), first.err());
    String begin = "zerofive: warning: the file system of ";
    assertTrue(first.err().startsWith(begin) && first.err().contains(warning), first.err());
    Launcher.Result resumed = run(setting, "train", "--resume", "a", "--epochs", "3");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(1, warnings(resumed).size(), resumed.err());
  }

  /** 5 is EIO, 122 EDQUOT: what was written is lost, which is no lack of a feature. */
  @ParameterizedTest
  @CsvSource({
    "TEST_SYNC_FOLDER=5, Input/output error",
    "TEST_SYNC_FILE=122, Disk quota exceeded",
  })
  void aFailingDiskStaysAnError(String setting, String reason) {
    Launcher.Result result = run(setting, "train", "--epochs", "1", "--quiet", "--out", "a");
    assertEquals(6, result.code(), result.err());
    assertEquals(1, result.err().lines().count(), result.err());
    assertTrue(result.err().contains(" cannot be written: " + reason + "; "), result.err());
  }

  /**
   * The command that the sentence names, once there is room, ends with the bytes of a whole run.
   */
  @Tag("slow")
  @ParameterizedTest
  @CsvSource({
    "train, model.safetensors, --model linear --epochs 30 --checkpoint-every 1, train --resume a",
    "pairs, errors.svg, --model linear --epochs 1 --classes 0:1:2:3:5, pairs --model linear",
  })
  void aFullDiskInMidRunNamesTheCommandThatResumes(
      String command, String result, String options, String resume) throws IOException {
    List<String> words = new ArrayList<>(List.of(command));
    words.addAll(List.of(options.replace(':', ',').split(" ", -1)));
    words.addAll(List.of("--out", "whole"));
    Launcher.Result whole = Launcher.run(folder, words.toArray(String[]::new));
    assertEquals(0, whole.code(), whole.err());
    words.set(words.size() - 1, "a");
    String room = command.equals("train") ? "TEST_ROOM=60000" : "TEST_ROOM=3200";
    Launcher.Result full = run(room, words.toArray(String[]::new));
    assertEquals(6, full.code(), full.err());
    String error =
        full.err().lines().filter(line -> line.startsWith("zerofive: error")).findFirst().get();
    String remedy = " written: No space left on device; make room or make it writable, then resume";
    assertTrue(error.contains(remedy) && error.contains("/zerofive " + resume), error);
    assertFalse(Files.exists(folder.resolve("a").resolve(result)));
    Launcher.Result resumed =
        Launcher.shell(folder, error.substring(error.indexOf("resume with: ") + 13));
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals(
        Files.readString(folder.resolve("whole").resolve(result), StandardCharsets.ISO_8859_1),
        Files.readString(folder.resolve("a").resolve(result), StandardCharsets.ISO_8859_1));
  }

  @Test
  void withoutAllOfThemTheBytesAreTheSameAndEachIsWarnedOfOnce() throws IOException {
    String[] pairs = {
      "pairs", "--classes", "0,1,5", "--model", "linear", "--epochs", "1", "--json"
    };
    Launcher.Result lacking =
        Launcher.run(
            Map.of(
                "LD_PRELOAD",
                library.toString(),
                "TEST_SYNC_FOLDER",
                "22",
                "TEST_SYNC_FILE",
                "95",
                "TEST_LOCK",
                "38",
                "TEST_RENAME",
                "18"),
            folder,
            Stream.concat(Stream.of(pairs), Stream.of("--out", "a")).toArray(String[]::new));
    assertEquals(0, lacking.code(), lacking.err());
    assertEquals(3, warnings(lacking).size(), lacking.err());
    assertEquals(1, lacking.out().lines().count(), lacking.out());
    Launcher.Result whole =
        Launcher.run(
            folder,
            Stream.concat(Stream.of(pairs), Stream.of("--out", "b")).toArray(String[]::new));
    assertEquals(0, whole.code(), whole.err());
    assertEquals(models("b"), models("a"));
  }

  /** The SHA-256 of each model, which is the last column. */
  private List<String> models(String run) throws IOException {
    return Files.readAllLines(folder.resolve(run).resolve("pairs.csv")).stream()
        .map(row -> row.substring(row.lastIndexOf(',')))
        .toList();
  }
}
