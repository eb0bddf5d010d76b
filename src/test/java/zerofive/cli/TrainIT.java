package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code ./zerofive train} through the real launcher: what it prints, writes and survives. */
class TrainIT {
  @TempDir Path folder;

  private static Set<String> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(file -> file.getFileName().toString())
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static byte[] model(Path run) throws IOException {
    return Files.readAllBytes(run.resolve("model.safetensors"));
  }

  @Test
  void theMainJobWritesItsRunFolder() throws IOException {
    Launcher.Result result = Launcher.run(folder, "train", "--epochs", "2");
    assertEquals(0, result.code(), result.err());
    List<Path> runs;
    try (Stream<Path> found = Files.list(folder.resolve("runs"))) {
      runs = found.toList();
    }
    assertEquals(1, runs.size());
    Path run = runs.get(0);
    assertTrue(run.getFileName().toString().endsWith("-mlp-30"), run.toString());
    assertEquals(
        Set.of(
            ".lock",
            "config.json",
            "metrics.csv",
            "model.safetensors",
            "checkpoint.safetensors",
            "accuracy.svg",
            "loss.svg",
            "confusion.csv",
            "report.html",
            "receipt.json"),
        files(run));
    String report = Files.readString(run.resolve("report.html"));
    assertTrue(report.contains("<h1>mlp:30 on mnist, 0 vs 5</h1>"), report);
    assertTrue(report.contains("train --epochs 2</code>"), report);
    assertTrue(result.out().contains("report.html"), result.out());
    List<String> metrics = Files.readAllLines(run.resolve("metrics.csv"));
    assertEquals(
        "epoch,train_loss,valid_loss,accuracy,errors,train_seconds,valid_seconds", metrics.get(0));
    assertEquals(3, metrics.size());
    assertTrue(result.out().startsWith("epoch  train_loss  valid_loss  accuracy  errors"));
    assertTrue(result.out().contains("time     "), result.out());
    assertTrue(result.out().contains(folder.relativize(run).toString()), result.out());
    assertTrue(result.err().contains("0 vs 5: 11,344 training and 1,872 validation"));
    assertFalse((result.out() + result.err()).contains("\033"), "no colours outside a terminal");
    assertTrue(result.out().lines().allMatch(line -> line.length() <= 96), result.out());
    JsonObject receipt =
        JsonParser.parseString(Files.readString(run.resolve("receipt.json"))).getAsJsonObject();
    assertEquals(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        receipt
            .getAsJsonObject("data")
            .getAsJsonObject("sha256")
            .get("train-images-idx3-ubyte")
            .getAsString());
    assertEquals(42, receipt.get("seed").getAsLong());
    assertEquals(
        "train",
        receipt
            .getAsJsonArray("sessions")
            .get(0)
            .getAsJsonObject()
            .getAsJsonArray("command_line")
            .get(0)
            .getAsString());
  }

  /** Neither of them loads a decoder of pictures, or what looks for plug-ins of decoders. */
  @Test
  void theSameSeedGivesTheSameBytes() throws IOException {
    for (String run : List.of("a", "b")) {
      Path classes = folder.resolve(run + ".log");
      Launcher.Result result =
          Launcher.run(
              Map.of("ZEROFIVE_JAVA_OPTS", "-Xlog:class+load:file=" + classes),
              folder,
              "train",
              "--epochs",
              "2",
              "--out",
              run);
      assertEquals(0, result.code(), result.err());
      String loaded = Files.readString(classes);
      assertTrue(loaded.contains("zerofive.train.Trainer "), loaded);
      assertFalse(loaded.contains("javax.imageio") || loaded.contains("java.awt"), loaded);
    }
    assertArrayEquals(model(folder.resolve("a")), model(folder.resolve("b")));
    assertEquals(timeless(folder.resolve("a")), timeless(folder.resolve("b")));
  }

  /** A run's report without what differs from day to day: times, and the folder asked for. */
  private static String timeless(Path run) throws IOException {
    return Files.readString(run.resolve("report.html"))
        .replaceAll("(?s)<section[^>]*id=\"time\">.*?</section>", "")
        .replaceAll("<dt>Training</dt><dd>[^<]*<", "")
        .replaceAll("started</th><td>[^<]*<", "")
        .replace("--out " + run.getFileName(), "");
  }

  @ParameterizedTest
  @CsvSource({"INT, 130", "TERM, 143"})
  void aSignalSavesAndAResumedRunEndsWithTheSameBytes(String signal, int code) throws Exception {
    String[] settings = {
      "--optimizer", "adam", "--lr", "0.01", "--model", "linear", "--augment", "shift:2"
    };
    Path whole = folder.resolve("whole");
    // So many that the signal comes before the last.
    assertEquals(0, train(whole, "200", settings).await().code());
    Path part = folder.resolve("part");
    Launcher.Running running = train(part, "200", settings);
    awaitRows(part, 12);
    running.signal(signal);
    Launcher.Result stopped = running.await();
    assertEquals(code, stopped.code(), stopped.err());
    assertTrue(stopped.err().contains("--resume " + part), stopped.err());
    assertFalse(Files.exists(part.resolve("model.safetensors")));
    Launcher.Result resumed = Launcher.run(folder, "train", "--resume", "part");
    assertEquals(0, resumed.code(), resumed.err());
    assertArrayEquals(model(whole), model(part));
  }

  @Tag("slow")
  @Test
  void aKillAtAnyMomentLeavesARunThatCanBeResumed() throws Exception {
    String[] settings = {
      "--momentum", "0.9", "--lr", "0.05", "--model", "linear", "--early-stop", "30"
    };
    Path whole = folder.resolve("whole");
    assertEquals(0, train(whole, "60", settings).await().code());
    for (int rows : new int[] {0, 1, 9, 25}) {
      Path killed = folder.resolve("killed" + rows);
      Launcher.Running running = train(killed, "60", settings);
      awaitRows(killed, rows);
      running.signal("KILL");
      assertEquals(137, running.await().code());
      Launcher.Result resumed = Launcher.run(folder, "train", "--resume", killed.toString());
      assertEquals(0, resumed.code(), resumed.err());
      assertArrayEquals(model(whole), model(killed), "killed after " + rows + " rows");
    }
  }

  private Launcher.Running train(Path run, String epochs, String... settings) {
    return Launcher.start(
        folder,
        Stream.concat(
                Stream.of("train", "--epochs", epochs, "--out", run.toString()),
                Stream.of(settings))
            .toArray(String[]::new));
  }

  private static void awaitRows(Path run, int rows) throws Exception {
    Path metrics = run.resolve("metrics.csv");
    Path config = run.resolve("config.json");
    for (int i = 0; i < 6000; i++) {
      if (Files.exists(config) && Files.readAllLines(metrics).size() > rows) {
        return;
      }
      Thread.sleep(5);
    }
    throw new AssertionError("no " + rows + " rows in " + metrics);
  }

  /** The moment the run folder is made: whatever is left must be a run, or free to begin one. */
  @Tag("slow")
  @Test
  void aSignalAtTheBeginningLeavesARunOrNothing() throws Exception {
    for (int shot = 0; shot < 8; shot++) {
      Path run = folder.resolve("shot" + shot);
      Launcher.Running running = train(run, "2", "--model", "linear");
      while (running.process().isAlive() && !Files.readString(running.err()).contains("device ")) {
        Thread.sleep(1);
      }
      Thread.sleep(shot);
      running.signal("TERM");
      Launcher.Result stopped = running.await();
      assertEquals(143, stopped.code(), stopped.err());
      Launcher.Result next =
          Files.exists(run.resolve("config.json"))
              ? Launcher.run(folder, "train", "--resume", run.toString())
              : train(run, "2", "--model", "linear").await();
      assertEquals(0, next.code(), next.err());
    }
  }

  @Test
  void aFinishedRunSaysSoAndGoesOnWhenAsked() throws IOException {
    Path run = folder.resolve("run");
    Launcher.Result watched = train(run, "2", "--schedule", "constant", "--tensorboard").await();
    assertEquals(0, watched.code(), watched.err());
    Launcher.Result again = Launcher.run(folder, "train", "--resume", "run");
    assertEquals(0, again.code(), again.err());
    assertTrue(again.out().contains("is finished"), again.out());
    Launcher.Result less = Launcher.run(folder, "train", "--resume", "run", "--epochs", "1");
    assertEquals(2, less.code(), less.err());
    Launcher.Result beside = Launcher.run(folder, "train", "--resume", "run", "--lr", "1");
    assertEquals(2, beside.code(), beside.err());
    Launcher.Result more = Launcher.run(folder, "train", "--resume", "run", "--epochs", "3");
    assertEquals(0, more.code(), more.err());
    List<String> rows = Files.readAllLines(run.resolve("metrics.csv"));
    assertEquals(4, rows.size());
    assertEquals(2, files(run).stream().filter(name -> name.contains(".tfevents.")).count());
    // Being watched changes no bit either.
    Path whole = folder.resolve("whole");
    assertEquals(0, train(whole, "3", "--schedule", "constant").await().code());
    assertArrayEquals(model(whole), model(run));
  }

  @Test
  void anEarlyStopKeepsTheBestEpochAndSaysSo() throws IOException {
    Path run = folder.resolve("run");
    Launcher.Result result =
        train(run, "60", "--model", "linear", "--lr", "3", "--early-stop", "2", "--json").await();
    assertEquals(0, result.code(), result.err());
    JsonObject json = JsonParser.parseString(result.out()).getAsJsonObject();
    assertTrue(json.get("stopped_early").getAsBoolean(), result.out());
    int kept = json.getAsJsonObject("kept").get("epoch").getAsInt();
    assertEquals(kept + 2, Files.readAllLines(run.resolve("metrics.csv")).size() - 1);
    assertTrue(result.err().contains("\nkept     "), result.err());
    assertTrue(result.err().lines().allMatch(line -> line.length() <= 96), result.err());
    JsonObject receipt =
        JsonParser.parseString(Files.readString(run.resolve("receipt.json"))).getAsJsonObject();
    assertEquals(kept, receipt.getAsJsonObject("result").get("epoch").getAsInt());
    String errors = json.getAsJsonObject("kept").get("errors").getAsString();
    assertEquals(errors, receipt.getAsJsonObject("result").get("errors").getAsString());
    Path svg = run.resolve("loss.svg");
    assertTrue(Files.readString(svg).contains("the model: epoch " + kept), svg.toString());
    Launcher.Result again =
        Launcher.run(folder, "train", "--resume", run.toString(), "--epochs", "90");
    assertEquals(0, again.code(), again.err());
    assertTrue(again.out().contains("it stopped early, after epoch " + (kept + 2)), again.out());
  }

  /** What a kill or a full disk during the report of a longer run leaves. */
  @Test
  void aRunWhoseReportFailedIsNotFinished() throws IOException {
    Path run = folder.resolve("run");
    assertEquals(0, train(run, "2", "--model", "linear").await().code());
    Files.delete(run.resolve("confusion.csv"));
    Files.createDirectory(run.resolve("confusion.csv"));
    assertTrue(Files.isRegularFile(run.resolve("report.html")));
    Launcher.Result failed = Launcher.run(folder, "train", "--resume", "run", "--epochs", "3");
    assertEquals(6, failed.code(), failed.err());
    assertFalse(Files.exists(run.resolve("report.html")), "of another length");
    Files.delete(run.resolve("confusion.csv"));
    Launcher.Result again = Launcher.run(folder, "train", "--resume", "run");
    assertEquals(0, again.code(), again.err());
    assertTrue(again.out().contains("after epoch 3"), again.out());
    assertTrue(Files.isRegularFile(run.resolve("confusion.csv")));
    assertTrue(Files.readString(run.resolve("report.html")).contains(", after epoch 2</td>"));
    String receipt = Files.readString(run.resolve("receipt.json"));
    Launcher.Result finished = Launcher.run(folder, "train", "--resume", "run");
    assertTrue(finished.out().contains("is finished"), finished.out());
    assertEquals(receipt, Files.readString(run.resolve("receipt.json")));
  }

  @Test
  void aDivergedRunExitsWithFiveAndKeepsItsCheckpoint() throws IOException {
    Path run = folder.resolve("run");
    Launcher.Result result = train(run, "5", "--lr", "1e38").await();
    assertEquals(5, result.code(), result.err());
    assertTrue(result.err().contains("smaller --lr"), result.err());
    assertTrue(Files.exists(run.resolve("checkpoint.safetensors")));
    assertFalse(Files.exists(run.resolve("model.safetensors")));
    assertFalse(Files.exists(run.resolve("report.html")));
  }

  /** A limit on the size of files stands for a full disk: both make a write fail half-way. */
  @Test
  void aFullDiskIsToldInOneSentenceAndLeavesNothingHalfWritten() throws IOException {
    Launcher.Result result =
        Launcher.shell(folder, "ulimit -f 60; \"$ZEROFIVE\" train --epochs 2 --out run");
    assertEquals(6, result.code(), result.err());
    String error =
        result.err().lines().filter(line -> line.startsWith("zerofive: error")).findFirst().get();
    assertTrue(error.contains("checkpoint.safetensors") && error.contains("too large"), error);
    assertFalse(result.err().contains("\tat "), result.err());
    assertEquals(Set.of(), files(folder));
  }

  @Test
  void aFullStandardOutputIsToldAndABrokenPipeIsNot() {
    Launcher.Result full =
        Launcher.shell(folder, "\"$ZEROFIVE\" train --epochs 1 --out a >/dev/full");
    assertEquals(6, full.code(), full.err());
    assertTrue(full.err().contains("standard output cannot be written"), full.err());
    Launcher.Result pipe =
        Launcher.shell(
            folder, "{ \"$ZEROFIVE\" train --epochs 3 --out b; echo code $? >&2; } | head -n 1");
    assertTrue(pipe.err().contains("code 0"), pipe.err());
  }

  @Test
  void quietPrintsResultsOnly() {
    Launcher.Result result =
        Launcher.run(folder, "train", "--epochs", "1", "--quiet", "--out", "run");
    assertEquals(0, result.code());
    assertEquals("", result.err());
    assertTrue(result.out().contains("final    "), result.out());
  }
}
