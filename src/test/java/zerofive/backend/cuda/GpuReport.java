package zerofive.backend.cuda;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.StreamSupport;

/**
 * Makes gpu-check.json and gpu-check.md of what scripts/gpu-check left in a folder, and prints the
 * figures. {@code FOLDER OUT TITLE}: checks.tsv has name, result, seconds and words; the others are
 * JSON as GpuTimings and gpu_peers.py print it, and whichever is missing is left out.
 */
final class GpuReport {
  private static final String NET = "mlp:30";
  private static final String EAGER = "torch eager";
  private static final String TORCH_GRAPH = "torch graph of the step";
  private static final double MOST_US_A_STEP = 25;
  private static final double LEAST_UPLOAD = 0.9;

  /** Where bandwidth is compared: small copies measure the waiting. */
  private static final long LARGE_BYTES = 100_000_000;

  private final Path folder;
  private final StringBuilder markdown = new StringBuilder();
  private final JsonObject json = new JsonObject();

  private GpuReport(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] arguments) throws IOException {
    GpuReport report = new GpuReport(Path.of(arguments[0]));
    Path out = Path.of(arguments[1]);
    report.make(arguments[2]);
    String text = report.markdown.toString();
    Files.writeString(out.resolve("gpu-check.md"), text);
    Files.writeString(
        out.resolve("gpu-check.json"),
        new GsonBuilder().setPrettyPrinting().create().toJson(report.json) + "\n");
    System.out.print(text);
  }

  private void make(String title) throws IOException {
    json.addProperty("title", title);
    markdown.append("# ").append(title).append("\n");
    device();
    checks();
    Map<String, Map<String, Double>> steps = steps();
    targets(steps);
    epochs(steps);
    kernels();
    copies();
    start();
    commands();
  }

  private List<JsonObject> read(String file) throws IOException {
    Path path = folder.resolve(file);
    if (!Files.exists(path)) {
      return List.of();
    }
    return Files.readAllLines(path).stream()
        .filter(line -> line.startsWith("{"))
        .map(line -> JsonParser.parseString(line).getAsJsonObject())
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

  private void device() throws IOException {
    for (JsonObject probe : read("devices.json")) {
      json.add("devices", probe);
      JsonObject card = probe.getAsJsonArray("devices").get(0).getAsJsonObject();
      markdown.append("\n").append(card.get("detail").getAsString()).append("\n");
      card.getAsJsonObject("details")
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
  }

  private void checks() throws IOException {
    JsonArray checks = new JsonArray();
    table("Checks", List.of("check", "result", "seconds", "what was seen"));
    for (String line : Files.readAllLines(folder.resolve("checks.tsv"))) {
      String[] fields = line.split("\t", 4);
      row(List.of(fields[0], fields[1], fields[2], fields[3].replace("|", "/")));
      JsonObject check = new JsonObject();
      check.addProperty("name", fields[0]);
      check.addProperty("result", fields[1]);
      check.addProperty("seconds", Double.parseDouble(fields[2]));
      check.addProperty("seen", fields[3]);
      checks.add(check);
    }
    json.add("checks", checks);
  }

  /** Medians of all epochs, microseconds a step, by model and by who trained. */
  private Map<String, Map<String, Double>> steps() throws IOException {
    Map<String, Map<String, List<Double>>> all = new LinkedHashMap<>();
    for (JsonObject line : read("steps.jsonl")) {
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
                  Timing timing =
                      new Timing(epochs.stream().mapToDouble(Double::doubleValue).toArray());
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

  private void targets(Map<String, Map<String, Double>> steps) throws IOException {
    Map<String, Double> net = steps.getOrDefault(NET, Map.of());
    table("Targets, net of the notebook, batch 256", List.of("target", "seen", "met"));
    target(
        "single launches: at most a third of PyTorch eager's time",
        ratio(best(net, "stepwise"), net.get(EAGER)),
        seen -> seen <= 1 / 3.0);
    target(
        "graph session: at most 25 us a step", best(net, "graph"), seen -> seen <= MOST_US_A_STEP);
    target(
        "graph session over PyTorch's CUDA graph of the step: below 1",
        ratio(best(net, "graph"), net.get(TORCH_GRAPH)),
        seen -> seen < 1);
    List<JsonObject> large =
        rows("copies.json", "copies").stream()
            .filter(row -> row.get("bytes").getAsLong() >= LARGE_BYTES)
            .toList();
    for (String path : List.of("staged", "streamed")) {
      target(
          path + " upload over a plain pinned copy, 128 MB and more: at least 0.9",
          large.stream().mapToDouble(row -> bandwidth(row, path) / bandwidth(row, "pinned")).min(),
          seen -> seen >= LEAST_UPLOAD);
    }
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

  private List<JsonObject> rows(String file, String member) throws IOException {
    return read(file).stream()
        .flatMap(object -> StreamSupport.stream(object.getAsJsonArray(member).spliterator(), false))
        .map(JsonElement::getAsJsonObject)
        .toList();
  }

  private void kernels() throws IOException {
    List<JsonObject> kernels = rows("kernels.json", "kernels");
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
    json.add("kernels", GpuTimings.array(kernels));
  }

  private static double bandwidth(JsonObject row, String path) {
    return row.getAsJsonObject(path).get("gb_per_s").getAsDouble();
  }

  private void copies() throws IOException {
    List<JsonObject> copies = rows("copies.json", "copies");
    if (copies.isEmpty()) {
      return;
    }
    table("Copies to the card, GB/s", List.of("bytes", "plain pinned", "staged", "streamed"));
    for (JsonObject copy : copies) {
      row(
          List.of(
              copy.get("bytes").getAsString(),
              number(bandwidth(copy, "pinned")),
              number(bandwidth(copy, "staged")),
              number(bandwidth(copy, "streamed"))));
    }
    json.add("copies", GpuTimings.array(copies));
  }

  private void start() throws IOException {
    List<JsonObject> starts = read("start.json");
    if (starts.size() < 2) {
      return;
    }
    table(
        "Start-up, milliseconds", List.of("part", "driver's cache empty", "driver's cache filled"));
    for (String part : starts.get(0).keySet()) {
      List<String> cells = new ArrayList<>(List.of(part));
      starts.subList(0, 2).forEach(one -> cells.add(milliseconds(one, part)));
      row(cells);
    }
    json.add("start_us", GpuTimings.array(starts));
  }

  private static String milliseconds(JsonObject parts, String part) {
    return Optional.ofNullable(parts.get(part))
        .map(micros -> number(micros.getAsDouble() / 1e3))
        .orElse("");
  }

  private void commands() throws IOException {
    List<JsonObject> commands = read("commands.json");
    if (commands.isEmpty()) {
      return;
    }
    table("Whole commands, exec to exit, seconds", List.of("command", "median", "runs"));
    for (JsonObject command : commands) {
      row(
          List.of(
              command.get("command").getAsString(),
              number(command.get("median_us").getAsDouble() / 1e6),
              command.get("runs").getAsString()));
    }
    json.add("commands", GpuTimings.array(commands));
  }
}
