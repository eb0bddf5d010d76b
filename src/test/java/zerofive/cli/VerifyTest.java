package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.IdxFolder;
import zerofive.files.Sha256;
import zerofive.model.format.Safetensors;

/** {@code verify} on small runs, each of its answers once. */
class VerifyTest {
  /** What gives a run's sessions, settings and checkpoint their number. */
  private static final String NUMBER = " *\"arithmetic\": 1,?\\n";

  @TempDir Path folder;
  private IdxFolder data;

  @BeforeEach
  void writeData() throws IOException {
    int[] train = new int[512];
    for (int i = 0; i < train.length; i++) {
      train[i] = i * 7 % 3;
    }
    data =
        new IdxFolder(Files.createDirectory(folder.resolve("data")), 6, 5)
            .train(train)
            .valid(2, 1, 0, 0, 1, 2, 0, 1);
  }

  private Path path(String name) {
    return folder.resolve(name);
  }

  private static Launcher.Result run(String... arguments) {
    Launcher.Result result = InProcess.run(arguments);
    assertEquals(0, result.code(), result.err());
    return result;
  }

  /** A run of two epochs with two threads. */
  private Path train(String... more) {
    List<String> all = new ArrayList<>(List.of("train", "--data", data.name(), "--classes", "0,1"));
    all.addAll(List.of("--model", "mlp:4", "--epochs", "2", "--batch-size", "100"));
    all.addAll(List.of("--threads", "2", "--device", "cpu", "--out", path("run").toString()));
    all.addAll(List.of("--schedule", "constant"));
    for (int i = 0; i < more.length; i += 2) {
      int at = all.indexOf(more[i]);
      if (at >= 0) {
        all.subList(at, at + 2).clear();
      }
    }
    all.addAll(List.of(more));
    run(all.toArray(String[]::new));
    return path("run");
  }

  private Path pairs(String out, String... more) {
    List<String> all =
        new ArrayList<>(List.of("pairs", "--data", data.name(), "--model", "linear"));
    all.addAll(List.of("--epochs", "1", "--seeds", "2", "--out", path(out).toString()));
    all.addAll(List.of(more));
    run(all.toArray(String[]::new));
    return path(out);
  }

  /** Verifies with one thread; nothing is written. */
  private Launcher.Result verify(Path run, String... more) throws IOException {
    Map<String, String> before = digests();
    String[] all =
        Stream.concat(Stream.of("verify", run.toString(), "--threads", "1"), Arrays.stream(more))
            .toArray(String[]::new);
    Launcher.Result result = InProcess.run(all);
    assertEquals(before, digests());
    return result;
  }

  private Map<String, String> digests() throws IOException {
    Map<String, String> digests = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      files
          .filter(Files::isRegularFile)
          .forEach(file -> digests.put(file.toString(), Sha256.of(file)));
    }
    return digests;
  }

  private static String flat(String text) {
    return text.replaceAll("\\s+", " ");
  }

  private static void assertAnswer(int code, Launcher.Result result, String... said) {
    assertEquals(code, result.code(), result.err());
    for (String part : said) {
      assertTrue(flat(result.out()).contains(part), result.out());
    }
    assertTrue(result.out().lines().allMatch(line -> line.length() <= 96), result.out());
  }

  private static void assertRefused(int code, Launcher.Result result, String... said) {
    assertEquals(code, result.code(), result.out() + result.err());
    assertEquals("", result.out());
    for (String part : said) {
      assertTrue(result.err().contains(part), result.err());
    }
    assertFalse(result.err().contains("\tat "), result.err());
  }

  private static Path model(Path run) {
    return run.resolve("model.safetensors");
  }

  /** Sets one value of a tensor and returns the one before. */
  private static float set(Path run, String tensor, int place, float value) {
    Safetensors content = Safetensors.read(model(run));
    float[] values = content.tensors().get(tensor).values();
    float before = values[place];
    values[place] = value;
    content.write(model(run));
    return before;
  }

  private static void replace(Path file, String regex, String by) throws IOException {
    String text = Files.readString(file);
    String changed = text.replaceAll(regex, by);
    assertFalse(text.equals(changed), text);
    Files.writeString(file, changed);
  }

  private static void setReceiptsDigest(Path run, String sha256) throws IOException {
    replace(run.resolve("receipt.json"), "(\"model_sha256\": \")\\w+", "$1" + sha256);
  }

  /** Makes a run one that was made before runs had the number. */
  private static void removeNumber(Path run) throws IOException {
    replace(run.resolve("config.json"), ",?\\s*\"arithmetic\": 1", "");
    replace(run.resolve("receipt.json"), NUMBER, "");
    Path checkpoint = run.resolve("checkpoint.safetensors");
    Safetensors content = Safetensors.read(checkpoint);
    Map<String, String> metadata = new LinkedHashMap<>(content.metadata());
    assertEquals("1", metadata.remove("arithmetic"));
    new Safetensors(metadata, content.tensors()).write(checkpoint);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--model mlp:4",
        "--model linear --augment shift:1",
        "--optimizer adam --lr 0.01 --schedule one-cycle --model mlp:5,3",
        "--classes 0,1,2 --order sequential",
      })
  void theSameBitsAreSaidInOneSentence(String options) throws IOException {
    Path run = train(options.split(" ", -1));
    String sha256 = Sha256.of(model(run));
    Launcher.Result result = verify(run);
    assertAnswer(0, result, "1 thread) computes the same bits as cpu (", "SHA-256 " + sha256);
    assertTrue(flat(result.out()).contains(", 2 threads) did"), result.out());
    JsonObject json = JsonParser.parseString(verify(run, "--json").out()).getAsJsonObject();
    assertEquals("same", json.get("answer").getAsString());
    assertEquals(1, json.get("arithmetic").getAsInt());
    assertEquals(sha256, json.get("computed_sha256").getAsString());
    assertFalse(json.has("weight") || json.has("loss"), json.toString());
  }

  @Test
  void aChangedWeightIsFound() throws IOException {
    Path run = train();
    float before = set(run, "2.weight", 3, 0.125f);
    Launcher.Result result = verify(run);
    assertAnswer(
        7,
        result,
        "changed somebody changed the run's file after its end: " + model(run),
        "2.weight[0, 3] is 0.125 in the file, " + before + " here; the other values are the same");
    JsonObject json = JsonParser.parseString(verify(run, "--json").out()).getAsJsonObject();
    assertEquals("changed", json.get("answer").getAsString());
    JsonObject weight = json.getAsJsonObject("weight");
    assertEquals("2.weight", weight.get("tensor").getAsString());
    assertEquals("[0,3]", weight.get("index").toString());
    assertEquals(before, weight.get("computed").getAsFloat());
    assertEquals(1, weight.get("count").getAsInt());
  }

  @Test
  void aChangeOfTheMetadataAloneIsFound() throws IOException {
    Path run = train();
    Safetensors content = Safetensors.read(model(run));
    Map<String, String> metadata = new LinkedHashMap<>(content.metadata());
    metadata.put("note", "mine");
    new Safetensors(metadata, content.tensors()).write(model(run));
    assertAnswer(7, verify(run), "changed", "all are the same; the files differ in their metadata");
  }

  /** What another machine would leave whose sums are others from the second epoch on. */
  @Test
  void otherBitsAreSaidToBeOfThisMachine() throws IOException {
    Path run = train();
    float before = set(run, "0.bias", 1, 0.5f);
    set(run, "2.bias", 0, 0.25f);
    setReceiptsDigest(run, Sha256.of(model(run)));
    Launcher.Result result = verify(run);
    assertAnswer(
        7,
        result,
        "computes other bits than cpu (",
        model(run) + ", the file that its receipt names",
        "those in metrics.csv are the same in every epoch",
        "0.bias[1] is 0.5 in the file, " + before + " here; 2 of 129 values differ");
    List<String> rows = Files.readAllLines(run.resolve("metrics.csv"));
    String loss = rows.get(2).split(",", -1)[1];
    rows.set(2, rows.get(2).replaceFirst(",[^,]+,", ",0.987654321,"));
    Files.write(run.resolve("metrics.csv"), rows);
    assertAnswer(
        7,
        verify(run),
        "epoch 2 is the first that differs: train_loss 0.987654321 in metrics.csv, " + loss);
    JsonObject json = JsonParser.parseString(verify(run, "--json").out()).getAsJsonObject();
    assertEquals("other_bits_here", json.get("answer").getAsString());
    assertEquals(2, json.getAsJsonObject("loss").get("epoch").getAsInt());
  }

  @Test
  void aDigestThatNobodyComputesIsNamed() throws IOException {
    Path run = train();
    setReceiptsDigest(run, "0".repeat(64));
    assertAnswer(0, verify(run), "same", "receipt.json names another, " + "0".repeat(64));
    set(run, "0.weight", 7, 0.5f);
    Launcher.Result result = verify(run);
    assertAnswer(7, result, "neither " + model(run), "computes neither of them", "0.weight[0, 7]");
    JsonObject json = JsonParser.parseString(verify(run, "--json").out()).getAsJsonObject();
    assertEquals("neither", json.get("answer").getAsString());
  }

  /** Settings that a training does not survive, put in place of those that it was made by. */
  @Test
  void aTrainingThatDivergesHereIsADifference() throws IOException {
    Path run = train();
    replace(run.resolve("config.json"), "(\"lr\": )[^,]+", "$11e38");
    assertAnswer(
        7,
        verify(run),
        "unless the run's config.json was changed since",
        "no model: training diverged in epoch 1",
        "epoch 1 is the first that differs");
  }

  @Test
  void ofSeveralRunsEachIsAnswered() throws IOException {
    Path run = train();
    Path copy = Files.createDirectory(path("copy"));
    for (String file : List.of("config.json", "receipt.json", "metrics.csv", "model.safetensors")) {
      Files.copy(run.resolve(file), copy.resolve(file));
    }
    set(copy, "0.bias", 0, 0.5f);
    Launcher.Result result = verify(copy, run.toString(), "--json");
    assertEquals(7, result.code(), result.err());
    List<String> answers =
        result
            .out()
            .lines()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .map(json -> json.get("answer").getAsString())
            .toList();
    assertEquals(List.of("changed", "same"), answers);
  }

  @Test
  void aModelThatCannotBeReadIsRefused() throws IOException {
    Path run = train();
    byte[] whole = Files.readAllBytes(model(run));
    Files.write(model(run), Arrays.copyOf(whole, whole.length - 4));
    assertRefused(3, verify(run), "model.safetensors");
    Files.write(model(run), whole);
    set(run, "2.bias", 0, Float.NaN);
    assertRefused(3, verify(run), "tensor 2.bias holds NaN");
    Path other = folder.resolve("other");
    train("--model", "mlp:5", "--out", other.toString());
    Files.copy(model(other), model(run), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertRefused(
        3, verify(run), "holds a model 30-5-1, but the run's config.json asks for 30-4-1");
    Files.delete(model(run));
    assertRefused(3, verify(run), "model.safetensors");
    Files.write(model(run), whole);
    Files.writeString(run.resolve("metrics.csv"), "x");
    assertRefused(3, verify(run), "metrics.csv");
    Files.writeString(run.resolve("config.json"), "{");
    assertRefused(3, verify(run), "config.json is damaged");
    assertRefused(3, verify(data.path()), "is not a run folder");
  }

  @Test
  void otherDataIsRefused() throws IOException {
    Path run = train();
    data.valid(2, 1, 0, 0, 1, 2, 0, 0);
    assertRefused(3, verify(run), "their SHA-256 differs");
    Files.move(data.path(), path("elsewhere"));
    assertRefused(3, verify(run), "does not exist; bring it back");
  }

  @Test
  void whatCannotBeComparedHasAReason() throws IOException {
    Path run = train();
    assertRefused(2, verify(run, "--device", "reference"), "name --device cpu");
    assertRefused(2, verify(run, "--sample", "2"), "--sample is for a run of pairs");
    assertRefused(2, InProcess.run("verify"), "needs the folder of a run");
    replace(run.resolve("receipt.json"), "\"arithmetic\": 1", "\"arithmetic\": 2");
    assertRefused(2, verify(run), "arithmetic 1 in one part and with arithmetic 2 in another");
    replace(run.resolve("config.json"), "\"arithmetic\": 1", "\"arithmetic\": 2");
    assertRefused(2, verify(run), "computed with arithmetic 2, and this version of zerofive");
  }

  @Test
  void aRunWithoutANumberIsNotCompared() throws IOException {
    Path reference = train("--device", "reference");
    assertFalse(Files.readString(reference.resolve("config.json")).contains("arithmetic"));
    assertRefused(2, verify(reference), "on reference (", "has no arithmetic number");
    Path run = path("earlier");
    train("--out", run.toString());
    removeNumber(run);
    assertRefused(2, verify(run), "has no arithmetic number");
  }

  @Test
  void anUnfinishedRunIsNotCompared() throws IOException {
    Path run = train();
    replace(run.resolve("config.json"), "(\"epochs\": )2", "$13");
    assertRefused(2, verify(run), "is not finished", "train --resume " + run);
    replace(run.resolve("config.json"), "(\"epochs\": )3", "$12");
    replace(run.resolve("receipt.json"), "(?s),\\s*\"result\": \\{.*?\\}", "");
    assertRefused(2, verify(run), "is not finished", "train --resume " + run);
  }

  @Test
  void aRunThatWasResumedIsVerifiedAsAWhole() throws IOException {
    Path run = train("--early-stop", "9");
    run("train", "--resume", run.toString(), "--epochs", "5", "--threads", "1");
    assertAnswer(0, verify(run), ", 2 threads) and cpu (", ", 1 thread) did");
    String receipt = Files.readString(run.resolve("receipt.json"));
    assertTrue(receipt.contains("\"epochs\": 2") && receipt.contains("\"epochs\": 5"), receipt);
    set(run, "0.bias", 2, 0.5f);
    assertAnswer(7, verify(run), "0.bias[2]");
  }

  @Test
  void aRunWhoseScheduleWasStretchedIsNotCompared() throws IOException {
    Path run = train("--schedule", "cosine");
    assertAnswer(0, verify(run), "same");
    run("train", "--resume", run.toString(), "--epochs", "3");
    assertRefused(2, verify(run), "begun for 2 epochs and resumed for 3, which stretched");
  }

  @Test
  void theNumberIsWhereItBelongsAndAResumptionWithoutItHasOneNote() throws IOException {
    Path run = train();
    for (String file : List.of("config.json", "receipt.json", "report.html")) {
      assertTrue(Files.readString(run.resolve(file)).contains("arithmetic"), file);
    }
    String[] more = {"train", "--resume", run.toString(), "--epochs"};
    Launcher.Result same = run(with(more, "3"));
    assertFalse(same.err().contains("arithmetic") || same.err().contains("warning"), same.err());
    removeNumber(run);
    Launcher.Result resumed = run(with(more, "4", "--threads", "1"));
    String note = "note the run was computed with no arithmetic number, by ";
    assertEquals(2, flat(resumed.err()).split(note, -1).length, resumed.err());
    assertTrue(flat(resumed.err()).contains("is resumed with arithmetic 1, by "), resumed.err());
    assertFalse(resumed.err().contains("warning"), resumed.err());
    assertTrue(Files.readString(run.resolve("config.json")).contains("\"arithmetic\": 1"));
    String receipt = Files.readString(run.resolve("receipt.json"));
    assertEquals(2, receipt.split("\"arithmetic\": 1", -1).length, receipt);
    assertRefused(2, verify(run), "arithmetic 1 in one part and with no arithmetic number in");
    Launcher.Result again = run(with(more, "5"));
    assertFalse(again.err().contains("arithmetic"), again.err());
    Launcher.Result slower = run(with(more, "6", "--device", "reference"));
    assertTrue(flat(slower.err()).contains("is resumed with no arithmetic number"), slower.err());
    assertFalse(Files.readString(run.resolve("config.json")).contains("arithmetic"));
  }

  private static String[] with(String[] arguments, String... more) {
    return Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray(String[]::new);
  }

  /** The rate makes the loss rise at once, so the best epoch is not the last one. */
  @Test
  void aRunThatStoppedEarlyIsVerified() throws IOException {
    Path run = train("--early-stop", "2", "--epochs", "40", "--lr", "9");
    assertTrue(Files.readAllLines(run.resolve("metrics.csv")).size() < 41);
    assertAnswer(0, verify(run), "same");
    set(run, "2.weight", 0, 0.5f);
    assertAnswer(7, verify(run), "changed", "2.weight[0, 0] is 0.5 in the file");
  }

  @Test
  void aRunFromAFileNeedsThatFile() throws IOException {
    Path first = path("first");
    train("--out", first.toString());
    Path run = train("--init-from", model(first).toString(), "--seed", "3");
    assertAnswer(0, verify(run), "same");
    set(first, "0.bias", 0, 0.5f);
    assertRefused(3, verify(run), "is not the file whose weights the run began with");
    Files.delete(model(first));
    assertRefused(
        3,
        verify(run),
        "first/model.safetensors, whose weights the run began with",
        "bring it back");
  }

  @Test
  void rowsOfPairsAreVerified() throws IOException {
    Path run = pairs("pairs");
    assertAnswer(0, verify(run), "the same bits as cpu (", "6 rows checked of 6");
    Path csv = run.resolve("pairs.csv");
    List<String> rows = Files.readAllLines(csv);
    String sha256 = rows.get(3).substring(rows.get(3).lastIndexOf(',') + 1);
    replace(csv, sha256, "0".repeat(64));
    Launcher.Result result = verify(run);
    assertAnswer(
        7,
        result,
        "changed somebody changed the run's file after its end: " + csv,
        "1 of 6 rows checked differ",
        "pair 1,2 with seed 42: ",
        "model " + "0".repeat(64) + " in the table",
        "model " + sha256 + " here");
    JsonObject json = JsonParser.parseString(verify(run, "--json").out()).getAsJsonObject();
    assertEquals("changed", json.get("answer").getAsString());
    JsonObject row = json.getAsJsonArray("different").get(0).getAsJsonObject();
    assertEquals("1", row.get("first").getAsString());
    assertEquals(sha256, row.getAsJsonObject("computed").get("model_sha256").getAsString());
    // Rows 1, 3 and 5; the changed one is the third.
    assertAnswer(7, verify(run, "--sample", "3"), "1 of 3 rows checked differ");
    assertAnswer(0, verify(run, "--sample", "2"), "2 rows checked of 6", "note the table is not");
    // With the receipt's digest they would be another machine's.
    replace(run.resolve("receipt.json"), "(\"pairs_csv_sha256\": \")\\w+", "$1" + Sha256.of(csv));
    assertAnswer(7, verify(run), "computes other bits than", "1 of 6 rows checked differ");
    Files.write(csv, rows);
    replace(csv, ",2,5,0.6", ",1,5,0.8");
    assertAnswer(7, verify(run), "1 error of 5", "2 errors of 5");
    replace(csv, "(?m)[0-9a-f]{64}$", "0".repeat(64));
    assertAnswer(7, verify(run), "neither", "6 of 6 rows checked differ");
  }
}
