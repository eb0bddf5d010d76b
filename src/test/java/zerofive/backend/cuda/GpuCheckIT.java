package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * scripts/gpu-check, dry: on the simulated device, from a bundle of links to what Maven built. The
 * dry run of all checks from a real bundle is scripts/test-gpu-check.
 */
class GpuCheckIT {
  private static final Path HOME =
      Path.of(System.getProperty("zerofive.home", ".")).toAbsolutePath();
  private static final String CONSOLE =
      "junit-platform-console-standalone-" + System.getProperty("junit-console.version") + ".jar";
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
    Files.copy(HOME.resolve("target/check").resolve(CONSOLE), check.resolve(CONSOLE));
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

  private Process start(Map<String, String> variables, String... options) throws IOException {
    List<String> command = new ArrayList<>(List.of(HOME.resolve("scripts/gpu-check").toString()));
    command.addAll(List.of("--bundle", "bundle", "--out", "out"));
    command.addAll(List.of(options));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("output").toFile());
    builder.environment().putAll(variables);
    return builder.start();
  }

  private Result check(Map<String, String> variables, String... options) throws Exception {
    Process process = start(variables, options);
    try {
      assertTrue(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "still running");
    } finally {
      process.destroyForcibly();
    }
    return new Result(process.exitValue(), Files.readString(folder.resolve("output")));
  }

  private Result simulated(Map<String, String> variables, String only) throws Exception {
    return check(variables, "--simulated", SimulatedDevice.folder().toString(), "--only", only);
  }

  /** What each check came to, by its name. */
  private Map<String, String> results() throws IOException {
    Map<String, String> results = new LinkedHashMap<>();
    for (JsonObject line : lines()) {
      if (line.has("check")) {
        results.put(line.get("check").getAsString(), line.get("result").getAsString());
      }
    }
    return results;
  }

  /** The whole lines of gpu-check.jsonl. */
  private List<JsonObject> lines() throws IOException {
    Path file = folder.resolve("out/gpu-check.jsonl");
    String text = Files.exists(file) ? Files.readString(file) : "";
    return text.substring(0, text.lastIndexOf('\n') + 1)
        .lines()
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
        .toList();
  }

  private String out(String file) throws IOException {
    return Files.readString(folder.resolve("out").resolve(file));
  }

  /** With a few of its checks; scripts/test-gpu-check has all. */
  @Tag("slow")
  @Test
  void aDryRunPassesAndSaysEverywhereThatItIsOne() throws Exception {
    Result result =
        simulated(Map.of(), "stepwise-cublas,time-steps,time-profile,time-commands,racecheck");
    assertEquals(0, result.code(), result.output() + out("gpu-check.log"));
    Map<String, String> results = results();
    assertEquals("skipped", results.remove("time-profile"), result.output());
    assertEquals("skipped", results.remove("racecheck"), result.output());
    assertEquals(4, results.size(), results.toString());
    assertEquals(Set.of("passed"), Set.copyOf(results.values()), results.toString());
    for (String file : List.of("gpu-check.json", "gpu-check.md", "gpu-check.log")) {
      assertTrue(out(file).contains("SIMULATED device, not a GPU"), file);
    }
    assertTrue(result.output().contains("SIMULATED device, not a GPU"), result.output());
    assertTrue(out("gpu-check.log").contains("$ nvidia-smi -q"), "the machine is described");
    String report = out("gpu-check.md");
    assertTrue(
        Pattern.compile("- mlp:30: own kernels \\S+ us a step, cuBLAS ").matcher(report).find());
    assertTrue(
        Pattern.compile("- Better: by step .*linear.*; by command .*train").matcher(report).find());
  }

  @Tag("slow")
  @Test
  void aCheckThatFailsStopsNoOther() throws Exception {
    Result result =
        simulated(Map.of("ZEROFIVE_SIM", "fail=cuGraphLaunch:1:719"), "twice-cublas,time-start");
    assertEquals(1, result.code(), result.output());
    assertEquals(
        Map.of("probe", "passed", "twice-cublas", "failed", "time-start", "passed"),
        results(),
        result.output());
    assertTrue(result.output().contains("gpu-check: FAILED"), result.output());
  }

  @Tag("slow")
  @Test
  void aKillLeavesWhatWasMeasuredUntilThen() throws Exception {
    Process process =
        start(
            Map.of(),
            "--simulated",
            SimulatedDevice.folder().toString(),
            "--only",
            "time-kernels,time-start,time-commands");
    try {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
      while (lines().stream().noneMatch(line -> isTiming(line, "start"))) {
        assertTrue(process.isAlive() && System.nanoTime() < deadline, "no start was timed");
        Thread.sleep(20);
      }
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly().waitFor();
    }
    assertEquals("passed", results().get("time-kernels"));
    assertTrue(out("gpu-check.md").contains("## Operations, microseconds each"));
    // What was measured after that report can be made a report of.
    GpuReport.main(new String[] {folder.resolve("out").toString()});
    assertTrue(out("gpu-check.md").contains("## Start-up, milliseconds"));
  }

  private static boolean isTiming(JsonObject line, String name) {
    return line.has("timing") && line.get("timing").getAsString().equals(name);
  }

  @Test
  void earlierResultsAreNotMixedWithNewOnes() throws Exception {
    Files.createDirectory(folder.resolve("out"));
    Files.writeString(folder.resolve("out/gpu-check.jsonl"), "{}\n");
    Result result = simulated(Map.of(), "time-start");
    assertEquals(2, result.code(), result.output());
    assertTrue(result.output().contains("holds the results of an earlier gpu-check"));
    assertEquals("{}\n", out("gpu-check.jsonl"));
  }

  @Test
  void withoutAGpuItSaysSoAndEndsWithFour() throws Exception {
    Assumptions.assumeFalse(
        new CudaBackend(CudaOptions.DEFAULTS).probe().usable(), "skipped: here is a GPU");
    Result result = check(Map.of());
    assertEquals(4, result.code(), result.output());
    assertTrue(result.output().contains("gpu-check: error: there is no usable GPU: "));
    assertTrue(out("gpu-check.log").contains("== which libraries the loader looked for"));
  }

  @Test
  void anUnknownCheckIsRefused() throws Exception {
    Result result = check(Map.of(), "--only", "speed");
    assertEquals(2, result.code(), result.output());
    assertTrue(
        result
            .output()
            .contains("there is no check 'speed'; known are exact pairs operations-quick"));
  }
}
