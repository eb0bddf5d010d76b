package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.files.Sha256;

/**
 * Files that an earlier version wrote (commit e7ca3fc, the reference): they are still read, and
 * what is made of them has the same bits. The reference computes them on every machine.
 */
class SpecimensTest {
  private static final List<String> FILES =
      List.of(
          "config.json",
          "metrics.csv",
          "receipt.json",
          "checkpoint.safetensors",
          "model.safetensors",
          "pairs.csv");

  @TempDir Path folder;

  /** A copy of a specimen's folder. */
  private Path copy(String name) throws IOException {
    Path copy = Files.createDirectory(folder.resolve(name));
    for (String file : FILES) {
      try (InputStream specimen =
          SpecimensTest.class.getResourceAsStream("/specimens/" + name + "/" + file)) {
        if (specimen != null) {
          Files.copy(specimen, copy.resolve(file));
        }
      }
    }
    return copy;
  }

  /** Of the run's model, without the images' size, which the earlier version did not write. */
  private static String sha256(Path run) throws IOException {
    return Sha256.of(EarlierModel.of(run.resolve("model.safetensors")));
  }

  private static Launcher.Result run(String... arguments) {
    Launcher.Result result = InProcess.run(arguments);
    assertEquals(0, result.code(), result.err());
    return result;
  }

  /** Killed after four of eight epochs; the digest is that of a run that was not. */
  @ParameterizedTest
  @CsvSource({
    "unfinished, e7bd20c2ee3411776d0ba3a2660ec3f3436732646b5cffc1934495935bfe1c87",
    "statistics, 321753678961211c851acf770850c82258f02232431d9b4f2dbca91bf96577c1",
  })
  void anUnfinishedRunIsResumed(String name, String sha256) throws IOException {
    Path run = copy(name);
    List<String> before = Files.readAllLines(run.resolve("metrics.csv"));
    Launcher.Result result = run("train", "--resume", run.toString());
    assertTrue(result.err().contains("after epoch 4 of 8"), result.err());
    boolean former = before.get(0).contains("gradient_norm");
    assertEquals(former, result.err().contains("columns of --statistics"), result.err());
    assertEquals(sha256, sha256(run));
    List<String> after = Files.readAllLines(run.resolve("metrics.csv"));
    assertEquals(before, after.subList(0, 5));
    assertEquals(9, after.size());
    int columns = before.get(0).split(",", -1).length;
    assertTrue(after.stream().allMatch(row -> row.split(",", -1).length == columns));
    assertEquals(former, after.get(8).endsWith(",".repeat(6)), after.get(8));
  }

  /** The options {@code --cuda-session} and {@code --resident-mb} have left; the bits stay. */
  @Test
  void aRunWithFormerSettingsOfItsDeviceIsResumed() throws IOException {
    Path run = copy("unfinished");
    Path config = run.resolve("config.json");
    String former = "{\"cuda-session\": \"stepwise\", \"resident-mb\": \"17\"}";
    Files.writeString(config, Files.readString(config).replace("{}", former));
    Launcher.Result result = run("train", "--resume", run.toString());
    assertTrue(
        result.err().replaceAll("\\s+", " ").contains("sets cuda-session and resident-mb, which"),
        result.err());
    assertEquals("e7bd20c2ee3411776d0ba3a2660ec3f3436732646b5cffc1934495935bfe1c87", sha256(run));
  }

  @Test
  void aFinishedRunSaysSoAndGoesOn() throws IOException {
    Path run = copy("finished");
    Launcher.Result finished = run("train", "--resume", run.toString());
    assertTrue(finished.out().contains("is finished, after epoch 3"), finished.out());
    run("train", "--resume", run.toString(), "--epochs", "4");
    assertEquals("cd4c10a3d1856df449b2cdb535b6a4604b21a3c0b8977a1d7cf974a6e1ff75fc", sha256(run));
  }

  @Test
  void aModelIsEvaluatedAndExported() throws IOException {
    Path model = copy("finished").resolve("model.safetensors");
    Launcher.Result evaluated =
        run("evaluate", "--json", "--device", "reference", "--model", model.toString());
    JsonObject json = JsonParser.parseString(evaluated.out()).getAsJsonObject();
    assertEquals(39, json.get("errors").getAsInt());
    assertEquals("[[999,11],[28,1000]]", json.get("confusion").toString());
    for (String format : List.of("onnx", "safetensors", "npz")) {
      Path out = folder.resolve("model." + format);
      run("export", "--model", model.toString(), "--format", format, "--out", out.toString());
      assertTrue(Files.size(out) > 784 * 4 * Float.BYTES, format);
    }
    // What the file does not say, such as the images' size, is not made up.
    assertEquals(Sha256.of(model), Sha256.of(folder.resolve("model.safetensors")));
  }

  @Test
  void sharesOfPairsGoOnAndAreMerged() throws IOException {
    Path first = copy("share1");
    Path second = copy("share2");
    Path csv = first.resolve("pairs.csv");
    List<String> rows = Files.readAllLines(csv);
    Files.write(csv, rows.subList(0, 2));
    String settings =
        "--device reference --model linear --epochs 1"
            + " --lr 0.5 --momentum 0 --schedule constant --batch-size 256";
    String shard = settings + " --classes 0,1,5 --shard 1/2 --out " + first;
    Launcher.Result resumed = run(("pairs " + shard).split(" ", -1));
    assertTrue(resumed.err().contains("1 are done already"), resumed.err());
    assertEquals(rows.get(1), Files.readAllLines(csv).get(1));
    Path again = folder.resolve("again");
    run(("train " + settings + " --classes 1,5 --quiet --out " + again).split(" ", -1));
    assertEquals(model(rows.get(2)), sha256(again));
    String written = Sha256.of(again.resolve("model.safetensors"));
    assertEquals(written, model(Files.readAllLines(csv).get(2)));
    Path merged = folder.resolve("merged");
    run("pairs", "--out", merged.toString(), "--merge", first.toString(), second.toString());
    assertEquals(
        List.of(
            "8e405daa7fefc720684fc11dfef53b39b7d268b00a33b81c57f588446b79a777",
            "122a0f5b20ada0a81fb90e90020b20d9f05cb863ed95c225dfcff3d6c63955d3",
            written),
        Files.readAllLines(merged.resolve("pairs.csv")).stream()
            .skip(1)
            .map(SpecimensTest::model)
            .toList());
  }

  private static String model(String row) {
    return row.substring(row.lastIndexOf(',') + 1);
  }
}
