package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.data.ClassFilter;
import zerofive.data.DataSets;
import zerofive.data.ImageSet;
import zerofive.data.image.GreyImage;
import zerofive.data.image.Pictures;

/** {@code predict --shard} and {@code --merge}: what several processes make is what one makes. */
class PredictShardTest {
  private static final int FILES = 7;

  @TempDir static Path shared;
  @TempDir Path folder;

  private static Path model;
  private static Path images;

  @BeforeAll
  static void train() {
    Path run = shared.resolve("run");
    assertEquals(0, run("train", "--epochs", "1", "--quiet", "--out", run.toString()).code());
    model = run.resolve("model.safetensors");
    ImageSet digits = DataSets.load("mnist", ClassFilter.parse("0,5")).valid();
    int size = digits.imageSize();
    images = shared.resolve("images");
    for (int i = 0; i < FILES; i++) {
      byte[] pixels = Arrays.copyOfRange(digits.pixels(), i * size, (i + 1) * size);
      byte[] png = Pictures.png(new GreyImage(pixels, digits.width(), digits.height()));
      Pictures.write(images.resolve((i % 2 == 0 ? "a/" : "b/") + i + ".png"), png);
    }
    Pictures.write(images.resolve("a/empty.png"), new byte[0]);
    Pictures.write(images.resolve("b/damaged.png"), new byte[20]);
  }

  @BeforeEach
  void predictThreeShards() {
    for (int i = 1; i <= 3; i++) {
      // Both files that cannot be read are the last of their folder: shards 2 and 3 have one each.
      assertEquals(i == 1 ? 0 : 3, predict(i + ".csv", "--shard", i + "/3").code());
    }
  }

  private static Launcher.Result run(Object... arguments) {
    return InProcess.run(Arrays.stream(arguments).map(String::valueOf).toArray(String[]::new));
  }

  private Launcher.Result predict(String out, String... options) {
    List<Object> all = new ArrayList<>(List.of("predict", "--model", model, images));
    all.addAll(List.of("--out", folder.resolve(out)));
    all.addAll(List.of(options));
    return run(all.toArray());
  }

  private Launcher.Result merge(String out, String... files) {
    List<Object> all = new ArrayList<>(List.of("predict", "--out", folder.resolve(out)));
    all.add("--merge");
    List.of(files).forEach(file -> all.add(folder.resolve(file)));
    return run(all.toArray());
  }

  private static void assertRefused(int code, Launcher.Result result, String said) {
    assertEquals(code, result.code(), result.err());
    assertTrue(result.err().contains(said), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
  }

  @Test
  void mergedShardsAreTheFileOfOneProcess() throws IOException {
    Launcher.Result whole = predict("whole.csv");
    assertRefused(3, whole, "2 images could not be read, 7 predicted");
    Launcher.Result merged = merge("merged.csv", "3.csv", "1.csv", "2.csv");
    assertRefused(3, merged, "2 images could not be read; the shards gave the reasons");
    assertEquals(
        Files.readString(folder.resolve("whole.csv")),
        Files.readString(folder.resolve("merged.csv")));
    assertEquals(8, Files.readAllLines(folder.resolve("merged.csv")).size());
  }

  @Test
  void linesOfJsonAreMergedToo() throws IOException {
    assertEquals(3, predict("whole.jsonl", "--json").code());
    assertEquals(0, predict("1.jsonl", "--json", "--shard", "1/2").code());
    assertEquals(3, predict("2.jsonl", "--json", "--shard", "2/2").code());
    assertEquals(3, merge("merged.jsonl", "1.jsonl", "2.jsonl").code());
    assertEquals(
        Files.readString(folder.resolve("whole.jsonl")),
        Files.readString(folder.resolve("merged.jsonl")));
  }

  @Test
  void aShardSaysWhoComputedIt() throws IOException {
    String description = Files.readString(folder.resolve("1.csv.json"));
    assertTrue(description.contains("\"backend\": \"cpu\""), description);
    assertTrue(description.contains("\"--shard\""), description);
  }

  @Test
  void aMissingShardAndOneThatIsThereTwiceAreRefused() {
    assertRefused(2, merge("m.csv", "1.csv", "3.csv"), "shard 2/3 is in none of the files");
    assertRefused(2, merge("m.csv", "1.csv", "2.csv", "1.csv"), "shard 1/3 is in both");
    assertEquals(3, predict("of2.csv", "--shard", "2/2").code());
    assertRefused(2, merge("m.csv", "1.csv", "of2.csv"), "made with shard 2/2, not shard 1/3 as");
    assertFalse(Files.exists(folder.resolve("m.csv")));
  }

  @ParameterizedTest
  @CsvSource({
    "--fit, always, fit always",
    "--json,, format json",
    "--device, reference, arithmetic"
  })
  void otherOptionsAreRefused(String option, String value, String said) {
    String[] options =
        value == null
            ? new String[] {"--shard", "2/3", option}
            : new String[] {"--shard", "2/3", option, value};
    assertEquals(3, predict("other.csv", options).code());
    assertRefused(2, merge("m.csv", "1.csv", "other.csv", "3.csv"), "was made with " + said);
  }

  @Test
  void anotherModelAndAnotherListingAreRefused() throws IOException {
    Path other = folder.resolve("run");
    run("train", "--epochs", "1", "--seed", "1", "--quiet", "--out", other);
    Path one = images.resolve("a/0.png");
    Path two = images.resolve("a/2.png");
    Path out = folder.resolve("other.csv");
    run(
        "predict",
        "--model",
        other.resolve("model.safetensors"),
        images,
        "--shard",
        "2/3",
        "--out",
        out);
    assertRefused(2, merge("m.csv", "1.csv", "other.csv", "3.csv"), "was made with model ");
    run("predict", "--model", model, one, two, two, "--shard", "2/3", "--out", out);
    assertRefused(2, merge("m.csv", "1.csv", "other.csv", "3.csv"), "was made with listing ");
  }

  @Test
  void aFileThatWasChangedOrIsNotDescribedIsRefused() throws IOException {
    Path second = folder.resolve("2.csv");
    Files.writeString(second, Files.readString(second).replace(",5,", ",0,"));
    assertRefused(3, merge("m.csv", "1.csv", "2.csv", "3.csv"), "its SHA-256 is another");
    Path description = folder.resolve("2.csv.json");
    Files.writeString(description, "{\"shard\": 2}");
    assertRefused(3, merge("m.csv", "1.csv", "2.csv", "3.csv"), "2.csv.json is damaged");
    Files.delete(description);
    assertRefused(3, merge("m.csv", "1.csv", "2.csv", "3.csv"), "2.csv.json is missing");
  }

  @Test
  void whatMakesNoShardIsRefused() {
    assertRefused(
        2, predict("x.csv", "--shard", "1/10"), "--shard 1/10 is empty: there are 9 files");
    assertRefused(
        2, run("predict", "--model", model, images, "--shard", "1/2"), "--shard needs --out FILE");
    assertRefused(2, merge("1.csv", "1.csv", "2.csv", "3.csv"), "1.csv is one of the shards");
    assertRefused(
        2, run("predict", "--json", "--merge", "1.csv"), "--json cannot stand beside --merge");
    assertRefused(2, run("predict", "--merge", folder.resolve("1.csv")), "--merge needs --out");
  }
}
