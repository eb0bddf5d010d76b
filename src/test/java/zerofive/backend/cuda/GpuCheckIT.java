package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** scripts/gpu-check, dry: on the simulated device, from a bundle of links to what Maven built. */
class GpuCheckIT {
  private static final Path HOME =
      Path.of(System.getProperty("zerofive.home", ".")).toAbsolutePath();
  private static final long LIMIT_SECONDS = 240;

  @TempDir Path folder;

  private record Result(int code, String output) {}

  @BeforeEach
  void layOutABundle() throws IOException {
    Assumptions.assumeTrue(
        SimulatedDevice.missing().isEmpty(), "skipped: " + SimulatedDevice.missing());
    Path bundle = Files.createDirectory(folder.resolve("bundle"));
    Path check = Files.createDirectory(bundle.resolve("check"));
    Files.createSymbolicLink(bundle.resolve("runtime"), Path.of(System.getProperty("java.home")));
    Files.createSymbolicLink(bundle.resolve("app"), HOME.resolve("target"));
    Files.copy(HOME.resolve("zerofive"), bundle.resolve("zerofive"));
    assertTrue(bundle.resolve("zerofive").toFile().setExecutable(true));
    int code =
        ToolProvider.findFirst("jar")
            .orElseThrow()
            .run(
                System.out,
                System.err,
                "--create",
                "--file",
                check.resolve("zerofive-tests.jar").toString(),
                "-C",
                HOME.resolve("target/test-classes").toString(),
                ".");
    assertEquals(0, code);
  }

  /** JUnit warns of links that lead out of the folder it deletes. */
  @AfterEach
  void removeTheLinks() throws IOException {
    Files.deleteIfExists(folder.resolve("bundle/runtime"));
    Files.deleteIfExists(folder.resolve("bundle/app"));
  }

  private Result check(Map<String, String> variables, String... options) throws Exception {
    List<String> command = new ArrayList<>(List.of(HOME.resolve("scripts/gpu-check").toString()));
    command.addAll(List.of("--bundle", "bundle", "--out", "out"));
    command.addAll(List.of(options));
    Path output = folder.resolve("output");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().putAll(variables);
    Process process = builder.start();
    try {
      assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "still running");
    } finally {
      process.destroyForcibly();
    }
    return new Result(process.exitValue(), Files.readString(output));
  }

  private Result simulated(Map<String, String> variables, String... options) throws Exception {
    return check(
        variables,
        Stream.concat(
                Stream.of("--simulated", SimulatedDevice.folder().toString(), "--quick"),
                Stream.of(options))
            .toArray(String[]::new));
  }

  /** What each check came to, by its name. */
  private Map<String, String> results() throws IOException {
    JsonObject json =
        JsonParser.parseString(Files.readString(folder.resolve("out/gpu-check.json")))
            .getAsJsonObject();
    Map<String, String> results = new LinkedHashMap<>();
    for (JsonElement check : json.getAsJsonArray("checks")) {
      results.put(
          check.getAsJsonObject().get("name").getAsString(),
          check.getAsJsonObject().get("result").getAsString());
    }
    return results;
  }

  @Test
  void aDryRunPassesAndSaysEverywhereThatItIsOne() throws Exception {
    Result result = simulated(Map.of());
    String log = Files.readString(folder.resolve("out/gpu-check.log"));
    assertEquals(0, result.code(), result.output() + log);
    Map<String, String> results = results();
    assertFalse(results.containsValue("failed"), results.toString());
    for (String name :
        List.of("probe", "streamed-cublas", "graph-stepwise-cublas", "full-card", "time-kernels")) {
      assertEquals("passed", results.get(name), result.output());
    }
    assertEquals("skipped", results.get("racecheck"));
    for (String file : List.of("gpu-check.json", "gpu-check.md", "gpu-check.log")) {
      String text = Files.readString(folder.resolve("out").resolve(file));
      assertTrue(text.contains("SIMULATED device, not a GPU"), file);
    }
    assertTrue(result.output().contains("SIMULATED device, not a GPU"), result.output());
  }

  @Test
  void aCheckThatFailsStopsNoOtherAndIsTold() throws Exception {
    Result result =
        simulated(
            Map.of("ZEROFIVE_SIM", "fail=cuGraphLaunch:1:719"),
            "--only",
            "twice-cublas,time-start");
    assertEquals(1, result.code(), result.output());
    assertEquals(
        Map.of("probe", "passed", "twice-cublas", "failed", "time-start", "passed"),
        results(),
        result.output());
    assertTrue(result.output().contains("gpu-check: FAILED"), result.output());
  }

  @Test
  void withoutACardItSaysSoAndEndsWithFour() throws Exception {
    Assumptions.assumeFalse(
        new CudaBackend(CudaOptions.DEFAULTS).probe().usable(), "skipped: here is a card");
    Result result = check(Map.of());
    assertEquals(4, result.code(), result.output());
    assertTrue(result.output().contains("gpu-check: error: no GPU can be used: "));
  }

  @Test
  void anUnknownCheckIsRefused() throws Exception {
    Result result = check(Map.of(), "--only", "speed");
    assertEquals(2, result.code(), result.output());
    assertTrue(result.output().contains("there is no check 'speed'; known are operations"));
  }
}
