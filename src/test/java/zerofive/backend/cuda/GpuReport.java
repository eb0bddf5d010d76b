package zerofive.backend.cuda;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes gpu-check.md and gpu-check.json of the lines in gpu-check.jsonl, all in one folder, and
 * prints the former. A line is a check's result, or a figure as GpuTimings, gpu_peers.py and
 * gpu-check itself print it; a table whose lines are missing is left out, so that the report of a
 * run that was killed holds what that run has measured.
 */
final class GpuReport {
  private static final String NET = "mlp:30";
  private static final String EAGER = "torch eager";
  private static final String TORCH_GRAPH = "torch graph of the step";
  private static final String OWN_GRAPH = "zerofive own graph";
  private static final String CUBLAS_GRAPH = "zerofive cublas graph";
  private static final double MAX_US_A_STEP = 25;
  private static final double MIN_UPLOAD = 0.9;

  /** Where bandwidth is compared: small copies measure the waiting. */
  private static final long LARGE_BYTES = 100_000_000;

  /** Below this fraction of difference neither of two figures is called the better. */
  private static final double SPREAD = 0.03;

  private final List<JsonObject> lines;
  private final StringBuilder markdown = new StringBuilder();
  private final JsonObject json = new JsonObject();

  private GpuReport(List<JsonObject> lines) {
    this.lines = lines;
  }

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    GpuReport report = new GpuReport(read(folder.resolve("gpu-check.jsonl")));
    report.make();
    String text = report.markdown.toString();
    write(folder.resolve("gpu-check.md"), text);
    write(
        folder.resolve("gpu-check.json"),
        new GsonBuilder().setPrettyPrinting().create().toJson(report.json) + "\n");
    System.out.print(text);
  }

  /** What is no whole object was torn when its writer was killed. */
  private static List<JsonObject> read(Path file) throws IOException {
    List<JsonObject> objects = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      try {
        objects.add(JsonParser.parseString(line).getAsJsonObject());
      } catch (JsonParseException | IllegalStateException e) {
        System.err.println("left out: " + line);
      }
    }
    return objects;
  }

  /** A reader sees the old report or the new one. */
  private static void write(Path file, String text) throws IOException {
    Path making = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(making, text);
    Files.move(making, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  private void make() {
    lines.stream().filter(line -> line.has("title")).forEach(this::title);
    checks();
    Map<String, Map<String, Double>> steps = steps();
    Map<String, Double> commands = commands();
    targets(steps);
    epochs(steps);
    sweeps();
    kernels();
    profile();
    copies();
    start();
    wholeCommands(commands);
    defaults(steps, commands);
  }

  private List<JsonObject> timings(String name) {
    return lines.stream()
        .filter(line -> line.has("timing") && line.get("timing").getAsString().equals(name))
        .toList();
  }

  private void table(String heading, List<String> columns) {
    markdown.append("\n## ").append(heading).append("\n\n");
    row(columns);
    row(columns.stream().map(column -> "---").toList());
  }

  private void row(List<String> cells) {
    markdown.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.2f" : "%.0f", value);
  }

  private static String median(JsonObject timing) {
    return number(timing.get("median_us").getAsDouble());
  }

  private void title(JsonObject line) {
    String title = line.get("title").getAsString();
    json.addProperty("title", title);
    json.add("probe", line.get("probe"));
    markdown.append("# ").append(title).append("\n");
    JsonObject device =
        line.getAsJsonObject("probe").getAsJsonArray("devices").get(0).getAsJsonObject();
    markdown.append("\n").append(device.get("detail").getAsString()).append("\n");
    device
        .getAsJsonObject("details")
        .entrySet()
        .forEach(
            detail ->
                markdown
                    .append("- ")
                    .append(detail.getKey())
                    .append(": ")
                    .append(detail.getValue().getAsString())
                    .append("\n"));
  }

  private void checks() {
    JsonArray checks = new JsonArray();
    table("Checks", List.of("check", "result", "seconds", "what was seen"));
    for (JsonObject line : lines) {
      if (line.has("check")) {
        checks.add(line);
        row(
            Stream.of("check", "result", "seconds", "seen")
                .map(member -> line.get(member).getAsString().replace("|", "/"))
                .toList());
      }
    }
    json.add("checks", checks);
  }

  /** Medians of all epochs, microseconds a step, by model and by who trained. */
  private Map<String, Map<String, Double>> steps() {
    Map<String, Map<String, List<Double>>> all = new LinkedHashMap<>();
    for (JsonObject line : timings("steps")) {
      if (line.has("microseconds_per_step")) {
        List<Double> epochs =
            all.computeIfAbsent(line.get("model").getAsString(), key -> new LinkedHashMap<>())
                .computeIfAbsent(line.get("who").getAsString(), key -> new ArrayList<>());
        line.getAsJsonArray("microseconds_per_step")
            .forEach(epoch -> epochs.add(epoch.getAsDouble()));
      }
    }
    Map<String, Map<String, Double>> medians = new LinkedHashMap<>();
    JsonArray rows = new JsonArray();
    all.forEach(
        (model, byWho) ->
            byWho.forEach(
                (who, epochs) -> {
                  Timing timing = timing(epochs);
                  medians
                      .computeIfAbsent(model, key -> new LinkedHashMap<>())
                      .put(who, timing.median());
                  JsonObject row = timing.json();
                  row.addProperty("model", model);
                  row.addProperty("who", who);
                  rows.add(row);
                }));
    json.add("microseconds_per_step", rows);
    return medians;
  }

  private void targets(Map<String, Map<String, Double>> steps) {
    Map<String, Double> net = steps.getOrDefault(NET, Map.of());
    table("Targets, net of the notebook, batch 256", List.of("target", "seen", "met"));
    target(
        "single launches: at most a third of PyTorch eager's time",
        ratio(best(net, "stepwise"), net.get(EAGER)),
        seen -> seen <= 1 / 3.0);
    target(
        "graph session: at most 25 us a step", best(net, "graph"), seen -> seen <= MAX_US_A_STEP);
    target(
        "graph session over PyTorch's CUDA graph of the step: below 1",
        ratio(best(net, "graph"), net.get(TORCH_GRAPH)),
        seen -> seen < 1);
    List<JsonObject> large =
        timings("copies").stream()
            .filter(row -> row.get("bytes").getAsLong() >= LARGE_BYTES)
            .toList();
    target(
        "staged upload over a plain pinned copy, 128 MB and more: at least 0.9",
        large.stream()
            .mapToDouble(row -> bandwidth(row, "staged") / bandwidth(row, "pinned"))
            .min(),
        seen -> seen >= MIN_UPLOAD);
  }

  /** Asked of a figure. */
  private interface Bound {
    boolean holds(double seen);
  }

  private void target(String name, OptionalDouble seen, Bound bound) {
    String met = seen.isEmpty() ? "not measured" : bound.holds(seen.getAsDouble()) ? "yes" : "no";
    row(List.of(name, seen.isEmpty() ? "" : number(seen.getAsDouble()), met));
    JsonObject target = new JsonObject();
    target.addProperty("target", name);
    seen.ifPresent(value -> target.addProperty("seen", value));
    target.addProperty("met", met);
    if (!json.has("targets")) {
      json.add("targets", new JsonArray());
    }
    json.getAsJsonArray("targets").add(target);
  }

  /** The faster of our two matrix products. */
  private static OptionalDouble best(Map<String, Double> net, String session) {
    return net.entrySet().stream()
        .filter(entry -> entry.getKey().startsWith("zerofive") && entry.getKey().endsWith(session))
        .mapToDouble(Map.Entry::getValue)
        .min();
  }

  private static OptionalDouble ratio(OptionalDouble ours, Double theirs) {
    return ours.isEmpty() || theirs == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(ours.getAsDouble() / theirs);
  }

  private void epochs(Map<String, Map<String, Double>> steps) {
    if (steps.isEmpty()) {
      return;
    }
    table(
        "Training, microseconds a step, median of all epochs",
        List.of("model", "who", "us a step", "over PyTorch eager"));
    steps.forEach(
        (model, byWho) ->
            byWho.forEach(
                (who, micros) -> {
                  OptionalDouble ratio = ratio(OptionalDouble.of(micros), byWho.get(EAGER));
                  row(
                      List.of(
                          model,
                          who,
                          number(micros),
                          ratio.isEmpty() ? "" : number(ratio.getAsDouble())));
                }));
  }

  private void sweeps() {
    List<JsonObject> sweeps = timings("sweeps");
    if (sweeps.isEmpty()) {
      return;
    }
    table(
        "Trainings side by side, an epoch of two digits with its measurement",
        List.of("model", "trainings", "milliseconds", "epochs of a training a second"));
    for (JsonObject sweep : sweeps) {
      row(
          List.of(
              sweep.get("model").getAsString(),
              sweep.get("trainings").getAsString(),
              milliseconds(sweep.getAsJsonObject("epoch"), "median_us"),
              number(sweep.get("epochs_per_second").getAsDouble())));
    }
    json.add("sweeps", array(sweeps));
  }

  private void kernels() {
    List<JsonObject> kernels = timings("kernels");
    if (kernels.isEmpty()) {
      return;
    }
    table("Operations, microseconds each", List.of("operation", "launched", "in a graph"));
    for (JsonObject kernel : kernels) {
      row(
          List.of(
              kernel.get("name").getAsString(),
              median(kernel.getAsJsonObject("launched")),
              median(kernel.getAsJsonObject("graph"))));
    }
    json.add("kernels", array(kernels));
  }

  /** Each kernel's duration on the GPU alone, without the launch, as ncu counts it. */
  private void profile() {
    Map<String, List<Double>> micros = new LinkedHashMap<>();
    for (JsonObject line : timings("ncu")) {
      micros
          .computeIfAbsent(
              line.get("kernel").getAsString() + ", grid " + line.get("grid").getAsString(),
              key -> new ArrayList<>())
          .add(line.get("us").getAsDouble());
    }
    if (micros.isEmpty()) {
      return;
    }
    table(
        "Kernels of a training of the notebook's net, microseconds on the GPU, by ncu",
        List.of("kernel", "median", "launches"));
    JsonArray all = new JsonArray();
    micros.forEach(
        (kernel, times) -> {
          Timing timing = timing(times);
          row(List.of(kernel, number(timing.median()), Integer.toString(times.size())));
          JsonObject object = timing.json();
          object.addProperty("kernel", kernel);
          all.add(object);
        });
    json.add("ncu", all);
  }

  private static Timing timing(List<Double> micros) {
    return new Timing(micros.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static JsonArray array(List<JsonObject> objects) {
    JsonArray array = new JsonArray();
    objects.forEach(array::add);
    return array;
  }

  private static double bandwidth(JsonObject row, String path) {
    return row.getAsJsonObject(path).get("gb_per_s").getAsDouble();
  }

  private void copies() {
    List<JsonObject> copies = timings("copies");
    if (copies.isEmpty()) {
      return;
    }
    table("Copies to the GPU, GB/s", List.of("bytes", "plain pinned", "staged"));
    for (JsonObject copy : copies) {
      row(
          List.of(
              copy.get("bytes").getAsString(),
              number(bandwidth(copy, "pinned")),
              number(bandwidth(copy, "staged"))));
    }
    json.add("copies", array(copies));
  }

  private void start() {
    List<JsonObject> starts = timings("start");
    if (starts.isEmpty()) {
      return;
    }
    List<String> columns = new ArrayList<>(List.of("part"));
    starts.forEach(one -> columns.add("driver's cache " + one.get("cache").getAsString()));
    table("Start-up, milliseconds", columns);
    for (String part : starts.get(0).keySet()) {
      if (!part.equals("timing") && !part.equals("cache")) {
        List<String> cells = new ArrayList<>(List.of(part));
        starts.forEach(one -> cells.add(milliseconds(one, part)));
        row(cells);
      }
    }
    json.add("start_us", array(starts));
  }

  private static String milliseconds(JsonObject parts, String part) {
    return Optional.ofNullable(parts.get(part))
        .map(micros -> number(micros.getAsDouble() / 1e3))
        .orElse("");
  }

  /** Median seconds by command. */
  private Map<String, Double> commands() {
    Map<String, List<Double>> all = new LinkedHashMap<>();
    for (JsonObject line : timings("commands")) {
      all.computeIfAbsent(line.get("command").getAsString(), key -> new ArrayList<>())
          .add(line.get("us").getAsDouble());
    }
    Map<String, Double> medians = new LinkedHashMap<>();
    all.forEach((command, micros) -> medians.put(command, timing(micros).median() / 1e6));
    json.add("commands", array(timings("commands")));
    return medians;
  }

  private void wholeCommands(Map<String, Double> commands) {
    if (!commands.isEmpty()) {
      table("Whole commands, from start to exit, median seconds", List.of("command", "seconds"));
      commands.forEach((command, seconds) -> row(List.of(command, number(seconds))));
    }
  }

  /** Which defaults these figures speak for; the defaults themselves are the program's. */
  private void defaults(Map<String, Map<String, Double>> steps, Map<String, Double> commands) {
    Map<String, String> byStep = new LinkedHashMap<>();
    Map<String, String> byCommand = new LinkedHashMap<>();
    List<String> sentences = new ArrayList<>();
    steps.forEach(
        (model, byWho) -> {
          Double own = byWho.get(OWN_GRAPH);
          Double cublas = byWho.get(CUBLAS_GRAPH);
          if (own != null && cublas != null) {
            byStep.put(model, better(own, "own kernels", cublas, "cuBLAS"));
            sentences.add(
                model + ": own kernels " + number(own) + " us a step, cuBLAS " + number(cublas));
          }
        });
    for (String command : commands.keySet()) {
      Double own = commands.get(command + " --cublas none");
      Double cublas = commands.get(command);
      if (own != null) {
        byCommand.put(command, better(own, "own kernels", cublas, "cuBLAS"));
        sentences.add(
            command + ": own kernels " + number(own) + " s, cuBLAS " + number(cublas) + " s");
      }
    }
    Double cuda = commands.get("train --device cuda");
    Double cpu = commands.get("train --device cpu");
    String conclusion = "";
    if (cuda != null && cpu != null) {
      sentences.add("the default command: CUDA " + number(cuda) + " s, CPU " + number(cpu) + " s");
      conclusion = "; for the default command " + better(cuda, "CUDA", cpu, "the CPU");
    }
    if (byStep.isEmpty() && byCommand.isEmpty()) {
      return;
    }
    markdown.append("\n## Defaults these figures speak for\n\n");
    sentences.add(
        "Better: by step " + grouped(byStep) + "; by command " + grouped(byCommand) + conclusion);
    sentences.forEach(sentence -> markdown.append("- ").append(sentence).append("\n"));
    JsonArray array = new JsonArray();
    sentences.forEach(array::add);
    json.add("defaults", array);
  }

  private static String better(double one, String nameOfOne, double other, String nameOfOther) {
    if (Math.abs(one - other) <= SPREAD * Math.min(one, other)) {
      return "either";
    }
    return one < other ? nameOfOne : nameOfOther;
  }

  /** {@code own kernels (linear, mlp:30), cuBLAS (mlp:2048)}. */
  private static String grouped(Map<String, String> betterByCase) {
    Map<String, List<String>> cases = new LinkedHashMap<>();
    betterByCase.forEach(
        (name, better) -> cases.computeIfAbsent(better, key -> new ArrayList<>()).add(name));
    return cases.isEmpty()
        ? "not measured"
        : cases.entrySet().stream()
            .map(entry -> entry.getKey() + " (" + String.join("; ", entry.getValue()) + ")")
            .collect(Collectors.joining(", "));
  }
}
