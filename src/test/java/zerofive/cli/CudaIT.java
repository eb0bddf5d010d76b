package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.backend.cuda.SimulatedDevice;
import zerofive.data.IdxFolder;

/** The CUDA backend through the real launcher, on the simulated device. */
class CudaIT {
  /** The column of pairs.csv. */
  private static final int SECONDS = 8;

  @TempDir Path folder;

  @BeforeEach
  void simulated() {
    assumeTrue(SimulatedDevice.missing().isEmpty(), "skipped: " + SimulatedDevice.missing());
  }

  /** JUnit warns of links that lead out of the folder it deletes. */
  @AfterEach
  void removeTheLinks() throws IOException {
    Files.deleteIfExists(folder.resolve("blas"));
    Files.deleteIfExists(folder.resolve("drivers/libcuda.so.1"));
    Files.deleteIfExists(folder.resolve("drivers/libnvidia-ptxjitcompiler.so.1"));
  }

  private Launcher.Result run(String settings, String... arguments) {
    return Launcher.run(SimulatedDevice.variables(settings), folder, arguments);
  }

  /** With system properties of the JVM. */
  private Launcher.Result runWith(String properties, String settings, String... arguments) {
    Map<String, String> variables = new HashMap<>(SimulatedDevice.variables(settings));
    variables.put("ZEROFIVE_JAVA_OPTS", properties);
    return Launcher.run(variables, folder, arguments);
  }

  @Test
  void devicesTellsOfTheCardAndAutoTakesIt() {
    Launcher.Result table = run("", "devices");
    assertEquals(0, table.code(), table.err());
    assertTrue(table.out().contains("cuda        yes     Simulated CUDA device 0"), table.out());
    assertTrue(table.out().contains("--device auto takes cuda"), table.out());
    assertTrue(table.out().lines().allMatch(line -> line.length() <= 96 || line.contains("/")));
    JsonObject json = JsonParser.parseString(run("", "devices", "--json").out()).getAsJsonObject();
    assertEquals("cuda", json.get("auto").getAsString());
    JsonObject details =
        json.getAsJsonArray("devices").get(0).getAsJsonObject().getAsJsonObject("details");
    assertEquals("8.6", details.get("compute capability").getAsString());
    assertTrue(details.get("matrix products").getAsString().startsWith("cuBLAS 12 in /"));
  }

  @Test
  void aTrainingOnTheCardFollowsPlainJavaAndRepeatsItself() throws IOException {
    String[] train = {"train", "--preset", "notebook", "--epochs", "2"};
    Launcher.Result first = run("", with(train, "--out", "first"));
    assertEquals(0, first.code(), first.err());
    assertTrue(first.err().contains("device   cuda (Simulated CUDA device 0"), first.err());
    Launcher.Result second =
        runWith("-Dzerofive.cuda.session=stepwise", "", with(train, "--out", "second"));
    assertEquals(0, second.code(), second.err());
    assertArrayEquals(model("first"), model("second"));
    assertEquals(0, run("", with(train, "--device", "reference", "--out", "java")).code());
    String[] gpu = lastRow("first");
    String[] java = lastRow("java");
    for (int column : new int[] {1, 2}) {
      double expected = Double.parseDouble(java[column]);
      assertEquals(expected, Double.parseDouble(gpu[column]), 1e-5 * expected);
    }
    JsonObject receipt =
        JsonParser.parseString(Files.readString(folder.resolve("first/receipt.json")))
            .getAsJsonObject();
    JsonObject session = receipt.getAsJsonArray("sessions").get(0).getAsJsonObject();
    assertTrue(session.getAsJsonObject("device_details").has("kernels' SHA-256"));
  }

  /** A resumed run keeps the precision it began with, and says where another was asked for. */
  @Test
  void aResumedRunKeepsItsPrecision() throws IOException {
    String[] train = {
      "train", "--epochs", "1", "--schedule", "constant", "--precision", "tf32", "--out", "run"
    };
    assertEquals(0, run("", train).code());
    Launcher.Result kept = run("", "train", "--resume", "run", "--epochs", "2");
    assertEquals(0, kept.code(), kept.err());
    assertTrue(kept.err().contains("cuBLAS 12 in tf32"), kept.err());
    assertFalse(kept.err().contains("warning"), kept.err());
    Launcher.Result other =
        run("", "train", "--resume", "run", "--epochs", "3", "--precision", "fp32");
    assertEquals(0, other.code(), other.err());
    assertTrue(other.err().contains("warning: the run was computed by"), other.err());
  }

  /** The CPU's bits: on either device a run is verified, and goes on. */
  @Tag("slow")
  @Test
  void theExactEngineHasTheBitsOfTheCpu() throws IOException {
    String[] train = {"train", "--model", "linear", "--epochs", "2", "--augment", "shift:1"};
    Launcher.Result gpu = run("", with(train, "--device", "cuda", "--exact", "--out", "gpu"));
    assertEquals(0, gpu.code(), gpu.err());
    assertEquals(1, config("gpu").get("arithmetic").getAsInt());
    assertTrue(config("gpu").getAsJsonObject("device_settings").get("exact").getAsBoolean());
    // Without cuBLAS it is the default.
    String[] none = {"--device", "cuda", "--cublas", "none", "--out", "none"};
    Launcher.Result unasked = run("", with(train, none));
    assertEquals(0, unasked.code(), unasked.err());
    assertFalse(unasked.err().contains("no cuBLAS was found"), unasked.err());
    assertEquals(1, config("none").get("arithmetic").getAsInt());
    assertArrayEquals(model("gpu"), model("none"));
    // On the CPU it changes nothing.
    assertEquals(0, run("", with(train, "--device", "cpu", "--exact", "--out", "cpu")).code());
    assertArrayEquals(model("cpu"), model("gpu"));
    Launcher.Result verified = run("", "verify", "gpu", "--device", "cpu");
    assertEquals(0, verified.code(), verified.out() + verified.err());
    verified = run("", "verify", "cpu", "--device", "cuda");
    assertEquals(0, verified.code(), verified.out() + verified.err());
    Launcher.Result moved =
        run("", "train", "--resume", "cpu", "--device", "cuda", "--epochs", "3");
    assertEquals(0, moved.code(), moved.err());
    assertFalse(moved.err().contains("was computed"), moved.err());
    assertEquals(0, run("", "train", "--resume", "gpu", "--epochs", "3").code());
    assertArrayEquals(model("cpu"), model("gpu"));
  }

  /** A run that changes to the exact engine says so; its bits are then of neither. */
  @Test
  void whoAsksForExactnessLaterIsToldSo() throws IOException {
    String[] train = {"train", "--model", "linear", "--epochs", "1", "--out", "run"};
    assertEquals(0, run("", train).code());
    Launcher.Result exact = run("", "train", "--resume", "run", "--epochs", "2", "--exact");
    assertEquals(0, exact.code(), exact.err());
    String said = exact.err().replaceAll("\\s+", " ");
    assertTrue(said.contains("the run was computed with no arithmetic number, by"), said);
    assertTrue(said.contains("and is resumed with arithmetic 1, by"), said);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--device reference | 2 | --exact asks for the CPU's bits, and the device reference has its",
        "--precision tf32 --device cuda | 4 | --precision tf32 needs cuBLAS, and --exact computes"
      })
  void exactnessIsRefusedWhereItCannotBe(String options, int code, String message) {
    Launcher.Result result = run("", with(("train --exact " + options).split(" ")));
    assertEquals(code, result.code(), result.err());
    assertTrue(result.err().contains(message), result.err());
  }

  /** Without what a clock said. */
  private List<String> figures(String run) throws IOException {
    Path csv = folder.resolve(run).resolve("pairs.csv");
    return Files.exists(csv)
        ? Files.readAllLines(csv).stream().map(CudaIT::untimed).toList()
        : List.of();
  }

  private static String untimed(String row) {
    List<String> fields = new ArrayList<>(List.of(row.split(",", -1)));
    fields.remove(SECONDS);
    return String.join(",", fields);
  }

  /** Three seeds of some pairs of four classes, with options more. */
  private String[] pairs(String out, String... more) throws IOException {
    Path data = folder.resolve("data");
    if (!Files.exists(data)) {
      int[] labels = IntStream.range(0, 128).map(i -> i * 7 % 4).toArray();
      new IdxFolder(Files.createDirectory(data), 28, 28)
          .train(labels)
          .valid(Arrays.copyOf(labels, 64));
    }
    return with(("pairs --data data --batch-size 32 --seeds 3 --out " + out).split(" "), more);
  }

  /**
   * Pairs of two GPUs have the bytes of the CPU, and the receipt names both; one that is named by
   * its number trains alone.
   */
  @Test
  void pairsUseEveryGpuAndHaveTheBytesOfTheCpu() throws IOException {
    assertEquals(0, run("", pairs("cpu", "--device", "cpu", "--epochs", "1")).code());
    Launcher.Result both =
        run("devices=2,multiprocessors=2", pairs("two", "--device", "cuda", "--epochs", "1"));
    assertEquals(0, both.code(), both.err());
    assertTrue(both.err().contains("as many at a time as a GPU holds"), both.err());
    assertEquals(figures("cpu"), figures("two"));
    String receipt = Files.readString(folder.resolve("two/receipt.json"));
    assertTrue(receipt.contains("device 0, 1.0 GiB, CUDA 12.6, exact; Simulated CUDA device 1"));
    String[] second = pairs("one", "--device", "cuda:1", "--epochs", "1", "--classes", "0,1");
    Launcher.Result alone = run("devices=2", second);
    assertEquals(0, alone.code(), alone.err());
    receipt = Files.readString(folder.resolve("one/receipt.json"));
    assertTrue(receipt.contains("\"Simulated CUDA device 1, 1.0 GiB, CUDA 12.6, exact\""), receipt);
  }

  /** Without cuBLAS the exact engine computes, so it sweeps. */
  @Test
  void pairsWithoutCublasAreExactToo() throws IOException {
    String[] own = {"--device", "cuda", "--cublas", "none", "--epochs", "1", "--classes", "0,1"};
    Launcher.Result result = run("", pairs("own", own));
    assertEquals(0, result.code(), result.err());
    assertTrue(result.err().contains("as many at a time as a GPU holds"), result.err());
    assertTrue(Files.readString(folder.resolve("own/config.json")).contains("arithmetic"));
  }

  /** One multiprocessor trains two at a time; what has a row is kept. */
  @Tag("slow")
  @ParameterizedTest
  @CsvSource({"INT, 130", "KILL, 137"})
  void pairsThatAreStoppedGoOn(String signal, int code) throws Exception {
    String[] command = pairs("run", "--device", "cuda", "--epochs", "6");
    Map<String, String> variables = SimulatedDevice.variables("multiprocessors=1");
    Launcher.Running running = Launcher.start(variables, folder, command);
    while (figures("run").size() < 2 && running.process().isAlive()) {
      Thread.sleep(5);
    }
    running.signal(signal);
    Launcher.Result stopped = running.await();
    assertEquals(code, stopped.code(), stopped.err());
    int rows = figures("run").size();
    assertTrue(rows >= 2 && rows < 19, "rows: " + rows);
    if (signal.equals("INT")) {
      String said = "stopped after " + (rows - 1) + " of 18 trainings";
      assertTrue(stopped.err().contains(said), stopped.err());
    }
    Launcher.Result resumed = Launcher.run(variables, folder, command);
    assertEquals(0, resumed.code(), resumed.err());
    assertTrue(resumed.err().contains((rows - 1) + " are done already"), resumed.err());
    assertEquals(0, run("", pairs("cpu", "--device", "cpu", "--epochs", "6")).code());
    assertEquals(figures("cpu"), figures("run"));
  }

  /** The run keeps its last checkpoint, and ends with the bits of an undisturbed one. */
  @Tag("slow")
  @Test
  void aRunThatLostItsCardGoesOn() throws IOException {
    String[] train = {"train", "--epochs", "4", "--device", "cuda", "--checkpoint-every", "1"};
    String stepwise = "-Dzerofive.cuda.session=stepwise";
    assertEquals(0, runWith(stepwise, "", with(train, "--out", "whole")).code());
    Launcher.Result lost =
        runWith(stepwise, "fail=cublasSgemm:500:14", with(train, "--out", "lost"));
    assertEquals(4, lost.code(), lost.err());
    assertTrue(lost.err().contains("CUBLAS_STATUS_INTERNAL_ERROR"), lost.err());
    assertFalse(Files.exists(folder.resolve("lost/model.safetensors")));
    Launcher.Result resumed = run("", "train", "--resume", "lost");
    assertEquals(0, resumed.code(), resumed.err());
    assertFalse(resumed.err().contains("warning"), resumed.err());
    assertArrayEquals(model("whole"), model("lost"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fail=cuLaunchKernel:40:719 | CUDA_ERROR_LAUNCH_FAILED | --resume",
        "memory=1M | CUDA_ERROR_OUT_OF_MEMORY | --batch-size",
        "memory=9M | CUDA_ERROR_OUT_OF_MEMORY: it takes 8.5 MiB, and | fewer --classes",
        "driver=11040 | knows CUDA 11.4 at most | driver 525",
        "cc=6.1 | compute capability 6.1 | Turing",
        "devices=0 | CUDA_ERROR_NO_DEVICE | --gpus all",
        "fail=cuInit:1:999 | CUDA_ERROR_UNKNOWN | nvidia-uvm",
        "fail=cuMemHostAlloc:2:2 | the host, not the GPU | more memory"
      })
  void anExplicitCardThatFailsIsOneSentenceAndExit4(String settings, String cause, String remedy) {
    Launcher.Result result = run(settings, "train", "--epochs", "2", "--device", "cuda");
    assertEquals(4, result.code(), result.err());
    String error =
        result
            .err()
            .lines()
            .filter(line -> line.startsWith("zerofive: error: "))
            .findFirst()
            .orElse("");
    assertTrue(error.contains(cause) && error.contains(remedy), result.err());
    assertFalse(result.err().contains("\tat "), result.err());
  }

  @Test
  void autoGoesOnWithoutABrokenDriverAndSaysWhy() throws IOException {
    Path drivers = Files.createDirectory(folder.resolve("drivers"));
    Files.writeString(drivers.resolve("libcuda.so.1"), "\u007fELF");
    Map<String, String> variables = Map.of("LD_LIBRARY_PATH", drivers.toString());
    Launcher.Result auto = Launcher.run(variables, folder, "train", "--epochs", "1");
    assertEquals(0, auto.code(), auto.err());
    assertTrue(auto.err().contains("not cuda:"), auto.err());
    Launcher.Result asked =
        Launcher.run(variables, folder, "train", "--epochs", "1", "--device", "cuda");
    assertEquals(4, asked.code(), asked.err());
    assertTrue(asked.err().contains(drivers.resolve("libcuda.so.1").toString()), asked.err());
  }

  /** A folder with links to some of the simulated driver's libraries. */
  private Path driver(String... libraries) throws IOException {
    Path drivers = Files.createDirectory(folder.resolve("drivers"));
    for (String library : libraries) {
      Files.createSymbolicLink(drivers.resolve(library), SimulatedDevice.folder().resolve(library));
    }
    return drivers;
  }

  @Test
  void aDriverThatDoesNotFindItsCompilerIsOneSentenceAndExit4() throws IOException {
    Path drivers = driver("libcuda.so.1");
    Map<String, String> variables = Map.of("LD_LIBRARY_PATH", drivers.toString());
    Launcher.Result result = Launcher.run(variables, folder, "train", "--device", "cuda");
    assumeTrue(result.code() != 0, "skipped: this machine has a real driver's compiler");
    assertEquals(4, result.code(), result.err());
    assertTrue(result.err().contains("does not find libnvidia-ptxjitcompiler.so.1"), result.err());
    assertTrue(result.err().contains("name its folder in LD_LIBRARY_PATH"), result.err());
  }

  @Test
  void aCublasThatIsFoundAndCannotBeLoadedIsDoneWithout() throws IOException {
    Path drivers = driver("libcuda.so.1", "libnvidia-ptxjitcompiler.so.1");
    Path real = SimulatedDevice.folder();
    Files.copy(real.resolve("libcublas.so.12"), drivers.resolve("libcublas.so.12"));
    Files.copy(real.resolve("libcublasLt.so.12"), drivers.resolve("libcublasLt.so.12"));
    makeUnloadable(drivers.resolve("libcublas.so.12"));
    Map<String, String> variables = Map.of("LD_LIBRARY_PATH", drivers.toString());
    Launcher.Result found = Launcher.run(variables, folder, "devices");
    assertTrue(found.out().contains("--device auto takes cuda"), found.out());
    assertTrue(found.out().contains("cannot be loaded"), found.out());
    String[] asked = {"train", "--device", "cuda", "--cublas", drivers.toString()};
    assertEquals(4, Launcher.run(variables, folder, asked).code());
  }

  /** Moves every segment by a byte in memory, not in the file: the loader maps whole pages. */
  private static void makeUnloadable(Path library) throws IOException {
    byte[] bytes = Files.readAllBytes(library);
    ByteBuffer elf = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    int table = (int) elf.getLong(32);
    for (int segment = 0; segment < elf.getShort(56); segment++) {
      int address = table + 56 * segment + 16;
      elf.putLong(address, elf.getLong(address) + 1);
    }
    Files.write(library, bytes);
  }

  /** It is there, but another program has it for itself. */
  @Test
  void autoGoesOnWithoutACardThatCannotBeOpenedAndSaysWhy() {
    String busy = "fail=cuDevicePrimaryCtxRetain:1:46";
    Launcher.Result auto = run(busy, "train", "--epochs", "1", "--out", "auto");
    assertEquals(0, auto.code(), auto.err());
    assertTrue(auto.err().contains("not cuda: opening GPU 0 failed"), auto.err());
    assertTrue(run(busy, "devices").out().contains("--device auto takes cpu"));
    Launcher.Result asked = run(busy, "train", "--device", "cuda", "--out", "asked");
    assertEquals(4, asked.code(), asked.err());
    assertFalse(Files.exists(folder.resolve("asked")), "a run that never began leaves nothing");
  }

  @Tag("slow")
  @Test
  void aRunGoesOnElsewhereAndWithOtherSettingsWhichAreToldWhereTheyChangeBits() throws IOException {
    Files.createSymbolicLink(folder.resolve("blas"), SimulatedDevice.folder());
    String[] train = {
      "train", "--epochs", "1", "--schedule", "constant", "--cublas", "blas", "--out", "run"
    };
    assertEquals(0, run("", train).code());
    Path elsewhere = Files.createDirectory(folder.resolve("elsewhere"));
    Launcher.Result same = resume(elsewhere, "--epochs", "2");
    assertEquals(0, same.code(), same.err());
    assertFalse(same.err().contains("warning"), same.err());
    Launcher.Result tf32 = resume(elsewhere, "--epochs", "3", "--precision", "tf32");
    assertEquals(0, tf32.code(), tf32.err());
    assertTrue(tf32.err().contains("resumed with"), tf32.err());
    Path config = folder.resolve("run/config.json");
    Files.writeString(config, Files.readString(config).replace("\"tf32\"", "\"fp16\""));
    assertEquals(3, resume(elsewhere, "--epochs", "4").code());
    assertEquals(0, resume(elsewhere, "--epochs", "4", "--precision", "tf32").code());
  }

  private Launcher.Result resume(Path from, String... more) {
    return Launcher.run(
        SimulatedDevice.variables(""),
        from,
        with(new String[] {"train", "--resume", folder.resolve("run").toString()}, more));
  }

  @Test
  void withoutCublasTheExactEngineServesAndItIsSaid() throws IOException {
    Path drivers = driver("libcuda.so.1", "libnvidia-ptxjitcompiler.so.1");
    Map<String, String> variables = Map.of("LD_LIBRARY_PATH", drivers.toString());
    String[] train = {"train", "--model", "linear", "--epochs", "1", "--device", "cuda"};
    Launcher.Result result = Launcher.run(variables, folder, with(train, "--out", "run"));
    assertEquals(0, result.code(), result.err());
    assumeTrue(
        result.err().contains("the exact engine"), "skipped: this machine has a cuBLAS installed");
    assertTrue(
        result
            .err()
            .replaceAll("\\s+", " ")
            .contains("the exact engine, since no cuBLAS was found; install cuBLAS 12"),
        result.err());
    assertTrue(result.err().replaceAll("\\s+", " ").contains(", exact)"), result.err());
    assertEquals(1, config("run").get("arithmetic").getAsInt());
    // Asked for by none, it is named by none; where cuBLAS is found the run goes on by it.
    assertFalse(config("run").getAsJsonObject("device_settings").has("exact"));
    assertEquals(0, run("", "verify", "run").code());
    Launcher.Result moved = run("", "train", "--resume", "run", "--epochs", "2");
    assertEquals(0, moved.code(), moved.err());
    String said = moved.err().replaceAll("\\s+", " ");
    assertTrue(said.contains("the run was computed with arithmetic 1, by"), said);
    assertTrue(said.contains("and is resumed with no arithmetic number, by"), said);
    Launcher.Result tf32 = Launcher.run(variables, folder, with(train, "--precision", "tf32"));
    assertEquals(4, tf32.code());
    assertTrue(tf32.err().contains("tf32 needs cuBLAS"), tf32.err());
    Launcher.Result elsewhere =
        Launcher.run(variables, folder, with(train, "--cublas", drivers.toString()));
    assertEquals(4, elsewhere.code());
    assertTrue(elsewhere.err().contains(drivers.toString()), elsewhere.err());
  }

  @Test
  void aPrecisionThatIsNoneIsRefused() {
    Launcher.Result result = run("", "train", "--precision", "fp16");
    assertEquals(2, result.code(), result.err());
    assertTrue(result.err().contains("--precision: unknown precision 'fp16'"), result.err());
  }

  @Test
  void aSessionThatIsNoneIsRefused() {
    String property = "zerofive.cuda.session";
    Launcher.Result result = runWith("-D" + property + "=fast", "", "train");
    assertEquals(4, result.code(), result.err());
    String error = "zerofive: error: the system property " + property + ": ";
    assertTrue(result.err().startsWith(error), result.err());
    assertTrue(result.err().contains("unknown CUDA session 'fast'"), result.err());
    assertEquals(1, result.err().lines().count(), result.err());
  }

  private static String[] with(String[] arguments, String... more) {
    String[] all = new String[arguments.length + more.length];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return all;
  }

  private JsonObject config(String run) throws IOException {
    return JsonParser.parseString(Files.readString(folder.resolve(run).resolve("config.json")))
        .getAsJsonObject();
  }

  private byte[] model(String run) throws IOException {
    return Files.readAllBytes(folder.resolve(run).resolve("model.safetensors"));
  }

  private String[] lastRow(String run) throws IOException {
    var rows = Files.readAllLines(folder.resolve(run).resolve("metrics.csv"));
    return rows.get(rows.size() - 1).split(",", -1);
  }
}
