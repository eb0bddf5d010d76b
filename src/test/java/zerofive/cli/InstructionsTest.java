package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.backend.cpu.CpuForTests;
import zerofive.data.IdxFolder;
import zerofive.files.Sha256;

/** {@code --device cpu} with what zerofive.instructions names. */
class InstructionsTest {
  private static final String PROPERTY = "zerofive.instructions";

  @TempDir Path folder;

  @AfterEach
  void theBestServesAgain() {
    System.clearProperty(PROPERTY);
  }

  private Launcher.Result train(String instructions) {
    System.setProperty(PROPERTY, instructions);
    int[] labels = {0, 5, 0, 5, 5, 0, 5, 0, 0, 5};
    String data = new IdxFolder(folder, 6, 5).train(labels).valid(labels).name();
    Path run = folder.resolve("run-" + instructions);
    return InProcess.run(
        "train",
        "--data",
        data,
        "--device",
        "cpu",
        "--threads",
        "2",
        "--model",
        "mlp:3",
        "--epochs",
        "2",
        "--batch-size",
        "4",
        "--out",
        run.toString());
  }

  @Test
  void javaAndPortableCodeTrainTheSameModel() throws IOException {
    Set<String> digests = new HashSet<>();
    for (String instructions : List.of("java", "portable")) {
      Launcher.Result result = train(instructions);
      assertEquals(0, result.code(), result.err());
      assertEquals(
          instructions.equals("java") || !CpuForTests.isUsable(),
          result.err().contains("device   cpu (Java, 2 threads)"),
          result.err());
      Path model = folder.resolve("run-" + instructions).resolve("model.safetensors");
      digests.add(Sha256.of(Files.readAllBytes(model)));
    }
    assertEquals(1, digests.size());
  }

  @Test
  void anUnknownNameIsANoteWithTheKnownOnes() {
    Launcher.Result result = train("SSE");
    assertEquals(0, result.code(), result.err());
    String words = result.err().replaceAll("\\s+", " ");
    assertTrue(words.contains("device cpu ("), words);
    assertTrue(
        words.contains(
            "zerofive.instructions is 'SSE', and known are AVX512, AVX2, portable, java; set it to"
                + " one of these or to nothing"),
        words);
  }

  /** A run of any of them is verified by any other; what cannot be had is no note here. */
  @Test
  void verifyTakesExactlyWhatIsNamed() {
    assertEquals(0, train("portable").code());
    String run = folder.resolve("run-portable").toString();
    System.setProperty(PROPERTY, "java");
    Launcher.Result same = InProcess.run("verify", run, "--threads", "1");
    assertEquals(0, same.code(), same.err());
    assertTrue(same.out().contains("cpu (Java, 1 thread) computes the same bits"), same.out());
    System.setProperty(PROPERTY, "SSE");
    Launcher.Result refused = InProcess.run("verify", run);
    assertEquals(4, refused.code(), refused.err());
    assertTrue(refused.err().contains("error: zerofive.instructions is 'SSE'"), refused.err());
  }

  @Test
  void devicesNamesWhatServes() {
    System.setProperty(PROPERTY, "java");
    Launcher.Result result = InProcess.run("devices");
    assertTrue(
        result.out().lines().anyMatch(line -> line.matches("cpu +yes +Java, \\d+ threads?")),
        result.out());
  }
}
