package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import zerofive.report.chart.Png;

/** Commands on a folder of images of which one file is damaged. */
class ImageFolderCommandsTest {
  @TempDir private Path folder;
  private Path data;
  private Path run;

  @BeforeEach
  void writeImages() throws IOException {
    data = folder.resolve("data");
    run = folder.resolve("run");
    for (String half : List.of("train", "val", "test")) {
      for (int i = 0; i < 4; i++) {
        image(half + "/dark/" + i + ".png", 10 * i);
        image(half + "/light/" + i + ".png", 255 - 10 * i);
      }
    }
    image("test/dark/wrong.png", 250);
    Files.write(data.resolve("train/dark/bad.png"), new byte[] {1, 2, 3});
  }

  private void image(String path, int grey) throws IOException {
    Path file = data.resolve(path);
    Files.createDirectories(file.getParent());
    byte[] pixels = new byte[6];
    Arrays.fill(pixels, (byte) grey);
    Files.write(file, Png.grey(3, 2, pixels));
  }

  private Launcher.Result run(String... more) {
    List<String> words = new ArrayList<>(List.of(more));
    words.addAll(List.of("--device", "reference"));
    return InProcess.run(words.toArray(String[]::new));
  }

  private Launcher.Result train(String... more) {
    List<String> words =
        new ArrayList<>(List.of("train", "--classes", "all", "--model", "linear", "--epochs", "3"));
    words.addAll(List.of("--data", data.toString(), "--out", run.toString()));
    words.addAll(List.of(more));
    return run(words.toArray(String[]::new));
  }

  private String evaluate(String... more) {
    List<String> words =
        new ArrayList<>(List.of("evaluate", "--json", "--skip-unreadable", "--data"));
    words.addAll(List.of(data.toString(), "--model", run + "/model.safetensors"));
    words.addAll(List.of(more));
    Launcher.Result result = run(words.toArray(String[]::new));
    assertEquals(0, result.code(), result.err());
    return JsonParser.parseString(result.out()).getAsJsonObject().get("images").getAsString();
  }

  @Test
  void aDamagedImageStopsATrainingWithTheOptionThatGoesOn() {
    Launcher.Result refused = train();
    assertEquals(3, refused.code());
    assertEquals(1, refused.err().lines().count(), refused.err());
    assertTrue(refused.err().contains("bad.png"), refused.err());
    assertTrue(refused.err().contains("--skip-unreadable"), refused.err());
    assertTrue(Files.notExists(run), "nothing is left of it");
  }

  @Test
  void leftOutItIsNamedCountedAndLeftOutAgainByAResumedRun() throws IOException {
    Launcher.Result trained = train("--skip-unreadable");
    assertEquals(0, trained.code(), trained.err());
    String said = (trained.out() + trained.err()).replaceAll("\\s+", " ");
    assertTrue(said.contains("an image that cannot be read is left out"), said);
    assertTrue(said.contains("val is used for validation"), said);
    String receipt = Files.readString(run.resolve("receipt.json"));
    assertTrue(receipt.contains("\"unreadable_images\": 1"), receipt);
    Launcher.Result resumed = run("train", "--resume", run.toString(), "--epochs", "4");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals("8", evaluate());
    assertEquals("9", evaluate("--split", "test"));
  }

  @Test
  void aPathWithoutAFolderIsMissingDataAndAWordIsAnUnknownName() {
    for (String command : List.of("train", "lr-find", "pairs")) {
      Launcher.Result missing = run(command, "--data", folder + "/nowhere");
      assertEquals(3, missing.code(), missing.err());
      assertTrue(missing.err().contains("nowhere does not exist; name a folder"), missing.err());
    }
    Launcher.Result file = run("train", "--data", data + "/train/dark/bad.png");
    assertEquals(3, file.code(), file.err());
    assertTrue(file.err().contains("bad.png is a file; name a folder"), file.err());
    assertEquals(3, InProcess.run("data", "show", "./nowhere").code());
    assertEquals(2, run("train", "--data", "nowhere").code());
  }
}
