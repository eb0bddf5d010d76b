package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.IdxFolder;
import zerofive.files.Sha256;
import zerofive.run.RunFolder;

/** {@code pairs} on a small data set of four classes: six pairs. */
class PairsTest {
  private static final int SECONDS = 8;

  @TempDir Path folder;
  private IdxFolder data;

  @BeforeEach
  void writeData() throws IOException {
    int[] train = new int[40];
    for (int i = 0; i < train.length; i++) {
      train[i] = i * 7 % 4;
    }
    data =
        new IdxFolder(Files.createDirectory(folder.resolve("data")), 4, 5)
            .train(train)
            .valid(3, 2, 1, 0, 0, 1, 2, 3, 3);
  }

  private Launcher.Result pairs(String out, String... options) {
    List<String> all = new ArrayList<>(List.of("pairs", "--data", data.name()));
    all.addAll(List.of("--epochs", "3", "--batch-size", "7", "--out", path(out).toString()));
    all.addAll(List.of(options));
    return InProcess.run(all.toArray(String[]::new));
  }

  private Launcher.Result merge(String out, String... shares) {
    Stream<String> folders = Stream.of(shares).map(share -> path(share).toString());
    return InProcess.run(
        Stream.concat(Stream.of("pairs", "--out", path(out).toString(), "--merge"), folders)
            .toArray(String[]::new));
  }

  private Path path(String name) {
    return folder.resolve(name);
  }

  private List<String> rows(String run) throws IOException {
    return Files.readAllLines(path(run).resolve("pairs.csv"));
  }

  /** The rows without what a clock said. */
  private List<String> figures(String run) throws IOException {
    return rows(run).stream()
        .map(
            row -> {
              List<String> fields = new ArrayList<>(List.of(row.split(",", -1)));
              fields.remove(SECONDS);
              return String.join(",", fields);
            })
        .toList();
  }

  private static void assertDone(Launcher.Result result) {
    assertEquals(0, result.code(), result.err());
  }

  private void assertRefused(int code, Launcher.Result result, String... said) {
    String error =
        result.err().lines().filter(line -> line.contains("error: ")).findFirst().orElse("");
    assertEquals(code, result.code(), result.err());
    for (String part : said) {
      assertTrue(error.contains(part), error);
    }
    assertFalse(result.err().contains("\tat "), result.err());
  }

  @ParameterizedTest
  @CsvSource({
    "auto, mlp:3, 3, --optimizer adam",
    "auto, linear, 1, --schedule cosine",
    "reference, mlp:3, 2, --order sequential",
  })
  void eachTrainingHasTheBitsOfTrain(String device, String model, String threads, String more)
      throws IOException {
    List<String> options =
        new ArrayList<>(List.of("--device", device, "--model", model, "--seed", "7"));
    options.addAll(List.of(more.split(" ", -1)));
    List<String> several = new ArrayList<>(options);
    several.addAll(List.of("--seeds", "2", "--threads", threads));
    assertDone(pairs("all", several.toArray(String[]::new)));
    List<String> rows = rows("all");
    assertEquals(13, rows.size());
    for (String row : rows.subList(1, rows.size())) {
      String[] fields = row.split(",", -1);
      List<String> train = new ArrayList<>(List.of("train", "--data", data.name()));
      train.addAll(options);
      train.remove("--seed");
      train.remove("7");
      Path run = path("run" + fields[0] + fields[1] + fields[2]);
      train.addAll(List.of("--classes", fields[0] + "," + fields[1], "--seed", fields[2]));
      train.addAll(List.of("--epochs", "3", "--batch-size", "7", "--out", run.toString()));
      assertDone(InProcess.run(train.toArray(String[]::new)));
      assertEquals(Sha256.of(run.resolve("model.safetensors")), fields[9], row);
      String[] last = Files.readAllLines(run.resolve("metrics.csv")).get(3).split(",", -1);
      assertEquals(last[4], fields[3], row);
      assertEquals(last[1], fields[6], row);
      assertEquals(last[2], fields[7], row);
    }
  }

  @Test
  void aStartFileBeginsEachTraining() throws IOException {
    Path run = path("start");
    assertDone(
        InProcess.run(
            "train",
            "--data",
            data.name(),
            "--classes",
            "0,1",
            "--epochs",
            "1",
            "--model",
            "mlp:3",
            "--out",
            run.toString()));
    String start = run.resolve("model.safetensors").toString();
    assertDone(pairs("started", "--init-from", start, "--classes", "2,0,3"));
    assertEquals(
        List.of("2,0", "2,3", "0,3"),
        rows("started").stream().skip(1).map(row -> row.substring(0, 3)).toList());
    assertTrue(Files.readString(path("started/receipt.json")).contains(Sha256.of(Path.of(start))));
  }

  @Test
  void severalSeedsHaveAMeanAndASpread() throws IOException {
    Launcher.Result result = pairs("all", "--classes", "0,3", "--seeds", "3", "--json");
    assertDone(result);
    List<String> rows = rows("all");
    double[] errors =
        rows.stream()
            .skip(1)
            .mapToDouble(row -> Double.parseDouble(row.split(",", -1)[3]))
            .toArray();
    assertEquals(3, errors.length);
    double mean = (errors[0] + errors[1] + errors[2]) / 3;
    double squares = 0;
    for (double one : errors) {
      squares += (one - mean) * (one - mean);
    }
    JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
    JsonObject pair = json.getAsJsonArray("pairs").get(0).getAsJsonObject();
    assertEquals(mean, pair.get("errors").getAsDouble(), 1e-12);
    assertEquals(Math.sqrt(squares / 2), pair.get("errors_deviation").getAsDouble(), 1e-12);
    assertEquals(1 - mean / 5, json.get("accuracy").getAsDouble(), 1e-12);
    assertEquals(Math.sqrt(squares / 2) / 5, json.get("accuracy_deviation").getAsDouble(), 1e-12);
    assertTrue(result.err().contains("mean of 3 seeds"), result.err());
  }

  @Test
  void whatIsMissingIsTrainedAndNothingElse() throws IOException {
    assertDone(pairs("all"));
    List<String> whole = figures("all");
    Path csv = path("all/pairs.csv");
    List<String> rows = rows("all");
    Files.write(csv, List.of(rows.get(0), rows.get(5), rows.get(2)));
    Files.writeString(csv, rows.get(3).substring(0, 20), StandardOpenOption.APPEND);
    Launcher.Result again = pairs("all", "--threads", "1");
    assertDone(again);
    assertTrue(again.err().contains("2 are done already"), again.err());
    assertEquals(whole, figures("all"));
    // With the seconds: these rows were kept, not made anew.
    assertEquals(rows.get(5), rows("all").get(5));
    assertEquals(rows.get(2), rows("all").get(2));
    String receipt = Files.readString(path("all/receipt.json"));
    Launcher.Result done = pairs("all");
    assertDone(done);
    assertTrue(done.out().contains("over 6 pairs"), done.out());
    assertEquals(receipt, Files.readString(path("all/receipt.json")));
  }

  @ParameterizedTest
  @CsvSource({
    "--lr 0.1, 'lr 0.2, not 0.1'",
    "'--classes 0,1,2', pairs_of",
    "--seeds 2, 'seeds 1, not 2'",
    "--model linear, model mlp:30",
    "--shard 1/2, 'shard 1/1, not 1/2'",
  })
  void aFolderOfOtherSettingsIsRefused(String options, String said) throws IOException {
    assertDone(pairs("all"));
    List<String> rows = rows("all");
    assertRefused(6, pairs("all", options.split(" ", -1)), path("all").toString(), said, "--out");
    assertEquals(rows, rows("all"));
  }

  @Test
  void aFolderOfAnotherKindIsRefused() throws IOException {
    assertDone(
        InProcess.run(
            "train",
            "--data",
            data.name(),
            "--epochs",
            "1",
            "--classes",
            "0,1",
            "--out",
            path("run").toString()));
    assertRefused(3, pairs("run"), "is not a run of pairs");
    assertDone(pairs("pairs", "--classes", "0,1"));
    assertRefused(
        3,
        InProcess.run("train", "--resume", path("pairs").toString()),
        path("pairs") + " is a run of pairs; resume it by pairs");
    Files.createDirectory(path("mine"));
    Files.writeString(path("mine/notes.txt"), "mine");
    assertRefused(6, pairs("mine"), "is not empty");
    assertRefused(3, merge("out", "mine"), "is not a run folder");
    assertFalse(Files.exists(path("out")));
  }

  @Test
  void aFolderInUseIsRefused() throws IOException {
    assertDone(pairs("all"));
    try (RunFolder first = RunFolder.find(path("all"))) {
      first.lock();
      assertRefused(3, pairs("all"), "is in use");
    }
  }

  @Test
  void otherDataIsRefused() throws IOException {
    assertDone(pairs("all"));
    data.valid(3, 2, 1, 0, 0, 1, 2, 3, 2);
    assertRefused(3, pairs("all"), "SHA-256 differs");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0,1,42,1,4,0.75,0.1,0.1,0.1,abc",
        "0,1,43,1,4,0.75,0.1,0.1,0.1,",
        "9,1,42,1,4,0.75,0.1,0.1,0.1,",
        "0,1,42,5,4,0.75,0.1,0.1,0.1,",
        "0,1,42,x,4,0.75,0.1,0.1,0.1,",
        "0,1",
        "",
      })
  void aDamagedRowIsNamed(String row) throws IOException {
    assertDone(pairs("all"));
    String sha256 = row.endsWith(",") ? "0".repeat(64) : "";
    Files.write(path("all/pairs.csv"), List.of(rows("all").get(0), row + sha256));
    assertRefused(3, pairs("all"), "pairs.csv: line 2 is damaged");
    Files.write(path("all/pairs.csv"), List.of("another header", "x"));
    assertRefused(3, pairs("all"), "line 1 is not");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{", "[]", "{\"pairs_of\":[\"0\"],\"seeds\":1}", "{\"pairs_of\":3}"})
  void damagedSettingsAreRefused(String json) throws IOException {
    assertDone(pairs("all"));
    Files.writeString(path("all/config.json"), json);
    assertRefused(3, pairs("all"), "config.json is damaged");
  }

  @Test
  void sharesMakeTheWhole() throws IOException {
    assertDone(pairs("whole", "--seeds", "2"));
    for (int share = 1; share <= 3; share++) {
      assertDone(pairs("share" + share, "--seeds", "2", "--shard", share + "/3"));
      assertEquals(5, rows("share" + share).size());
    }
    Launcher.Result merged = merge("merged", "share3", "share1", "share2");
    assertDone(merged);
    assertEquals(figures("whole"), figures("merged"));
    assertEquals(
        Files.readString(path("whole/errors.svg")), Files.readString(path("merged/errors.svg")));
    assertEquals(
        Files.readString(path("whole/config.json")), Files.readString(path("merged/config.json")));
    JsonObject receipt =
        JsonParser.parseString(Files.readString(path("merged/receipt.json"))).getAsJsonObject();
    assertEquals(3, receipt.getAsJsonArray("sessions").size());
    assertEquals(
        Sha256.of(path("merged/pairs.csv")),
        receipt.getAsJsonObject("result").get("pairs_csv_sha256").getAsString());
    assertTrue(merged.out().contains("over 6 pairs"), merged.out());
    // What was joined is a run like any other.
    assertDone(pairs("merged", "--seeds", "2"));

    assertRefused(6, merge("merged", "share1"), "is not empty");
    assertRefused(3, merge("out", "share1", "share2"), "in none of the folders");
    assertRefused(3, merge("out", "share1", "share2", "share1", "share3"), "is in both");
    assertRefused(3, merge("out", "share1", "nowhere"), "nowhere");
    assertDone(pairs("other", "--seeds", "2", "--shard", "3/3", "--lr", "0.25"));
    assertRefused(3, merge("out", "share1", "share2", "other"), "lr 0.25, not 0.2");
    data.valid(3, 2, 1, 0, 0, 1, 2, 3, 2);
    assertDone(pairs("data2", "--seeds", "2", "--shard", "3/3"));
    assertRefused(3, merge("out", "share1", "share2", "data2"), "other data");
    assertFalse(Files.exists(path("out")));
  }

  /** A table of the time before runs had a number is finished by no device that has one. */
  @Test
  void oneTableHasOneArithmetic() throws IOException {
    assertDone(pairs("old", "--seeds", "2", "--shard", "1/2"));
    assertDone(pairs("new", "--seeds", "2", "--shard", "2/2"));
    Path config = path("old/config.json");
    String json = Files.readString(config);
    assertTrue(json.contains("\"arithmetic\": 1"), json);
    Files.writeString(config, json.replaceFirst(" *\"arithmetic\": 1,\n", ""));
    String refusal = "one table has no mixture of them; ";
    assertRefused(
        2,
        merge("out", "new", "old"),
        path("old") + " was made with no arithmetic number, not with arithmetic 1",
        refusal + "train that shard again as " + path("new") + " was");
    assertFalse(Files.exists(path("out")));
    // With no training left to do, nothing is mixed.
    assertDone(pairs("old", "--seeds", "2", "--shard", "1/2"));
    List<String> rows = rows("old");
    Files.write(path("old/pairs.csv"), rows.subList(0, 3));
    assertRefused(
        2,
        pairs("old", "--seeds", "2", "--shard", "1/2"),
        path("old") + " was made with no arithmetic number, not with arithmetic 1",
        refusal + "name another folder with --out");
    assertEquals(rows.subList(0, 3), rows("old"));
    Files.writeString(config, json);
    assertDone(pairs("old", "--seeds", "2", "--shard", "1/2"));
    assertDone(merge("out", "new", "old"));
  }

  /** At an absurd rate, a white image in both classes of a pair makes its loss infinite. */
  @Test
  void aPairThatDivergesIsNamedAndTheOthersAreKept() throws IOException {
    int[] labels = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
    byte[] pixels = new byte[labels.length * 20];
    for (int white : List.of(2, 3, 6, 10)) {
      Arrays.fill(pixels, white * 20, (white + 1) * 20, (byte) 255);
    }
    byte[] images = IdxFolder.join(IdxFolder.header(8, labels.length, 4, 5), pixels);
    data.train(labels).put(IdxFolder.TRAIN_IMAGES, images);
    data.valid(labels).put(IdxFolder.VALID_IMAGES, images);
    Launcher.Result result = pairs("all", "--model", "linear", "--lr", "3e38");
    assertRefused(
        5,
        result,
        "pair 2,3 with seed 42: training diverged in epoch",
        "start again with a smaller --lr",
        "5 trainings that did not are kept in " + path("all/pairs.csv"));
    assertEquals(6, rows("all").size());
    assertFalse(Files.exists(path("all/errors.svg")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--loss cross-entropy | a pair has two",
        "--seeds 0 | less than 1",
        "--shard 3/2 | there is no shard 3 of 2",
        "--shard 2 | is not a shard",
        "--shard 0/2 | there is no shard",
        "--shard 7/7 | --shard 7/7 is empty: there are 6 trainings in all",
        "--classes 0,1 --shard 2/2 | --shard 2/2 is empty: there is 1 training in all",
        "--seeds 2000000000 | 6 pairs with 2000000000 seeds are more than 400000 trainings",
        "--seed 9223372036854775807 --seeds 2 | reach beyond the largest number",
        "--augment shift:4 | out of sight; shift at most by 3",
        "--shard auto/4 | is not a shard",
        "--merge x --lr 1 | --data cannot stand beside --merge",
        "--checkpoint-every 3 | checkpoint-every",
        "--resume x | resume",
      })
  void whatMakesNoSenseIsRefused(String options, String said) {
    assertRefused(2, pairs("all", options.split(" ", -1)), said);
    assertFalse(Files.exists(path("all")));
  }

  @Test
  void aMergeNeedsAPlace() {
    assertRefused(2, InProcess.run("pairs", "--merge", "a", "b"), "--merge needs --out DIR");
  }

  @Test
  void theTableFitsTheTerminal() {
    Launcher.Result result = pairs("all");
    assertDone(result);
    assertNotEquals("", result.out());
    assertTrue(result.out().lines().allMatch(line -> line.length() <= 96), result.out());
    assertTrue(result.err().lines().allMatch(line -> line.length() <= 96), result.err());
  }
}
