package zerofive.cli;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.backend.Availability;
import zerofive.backend.DeviceException;
import zerofive.report.Terminal;

/** {@code devices}: what can be used here, and for what cannot the cause and the remedy. */
final class DevicesCommand implements Command {
  @Override
  public String name() {
    return "devices";
  }

  @Override
  public String summary() {
    return "what can train on this machine, and for what cannot, why and the remedy";
  }

  @Override
  public String example() {
    return "zerofive devices --json";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(
        Arguments.option("device", "NAME", "cuda:N tells of that card (default: auto)"));
    DeviceOptions.addCublas(options);
    return options.addOption(Arguments.flag("json", "print one JSON object"));
  }

  /** A device, opened where it can be used. */
  private record Report(Backends.Candidate candidate, Map<String, String> details) {
    static Report of(Backends.Candidate candidate) {
      if (!candidate.availability().usable()) {
        return new Report(candidate, Map.of());
      }
      try {
        return new Report(candidate, candidate.backend().details());
      } catch (DeviceException e) {
        return new Report(new Backends.Candidate(candidate.backend(), e.availability()), Map.of());
      }
    }

    boolean isUsable() {
      return candidate.availability().usable();
    }
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    DeviceOptions options = DeviceOptions.of(new Arguments(line));
    List<Report> reports = Backends.probeAll(options).stream().map(Report::of).toList();
    String auto =
        reports.stream()
            .filter(Report::isUsable)
            .findFirst()
            .orElseThrow()
            .candidate()
            .backend()
            .name();
    if (line.hasOption("json")) {
      invocation.terminal().result(json(reports, auto));
    } else {
      print(reports, auto, invocation.terminal());
    }
    return ExitCode.DONE;
  }

  private static void print(List<Report> reports, String auto, Terminal terminal) {
    terminal.result(String.format(Locale.ROOT, "%-10s  %s", "device", "usable"));
    for (Report report : reports) {
      Availability availability = report.candidate().availability();
      terminal.result(
          String.format(
              Locale.ROOT,
              "%-10s  %-6s  ",
              report.candidate().backend().name(),
              availability.usable() ? "yes" : "no"),
          availability.usable() || availability.remedy().isEmpty()
              ? availability.detail()
              : availability.detail() + "; " + availability.remedy());
      report
          .details()
          .forEach(
              (name, value) ->
                  terminal.result(String.format(Locale.ROOT, "%-12s%-19s", "", name), value));
    }
    terminal.result("");
    terminal.result("--device auto takes " + auto);
  }

  private static String json(List<Report> reports, String auto) {
    JsonArray devices = new JsonArray();
    for (Report report : reports) {
      Availability availability = report.candidate().availability();
      JsonObject device = new JsonObject();
      device.addProperty("name", report.candidate().backend().name());
      device.addProperty("usable", availability.usable());
      device.addProperty("detail", availability.detail());
      device.addProperty("remedy", availability.remedy());
      JsonObject details = new JsonObject();
      report.details().forEach(details::addProperty);
      device.add("details", details);
      devices.add(device);
    }
    JsonObject json = new JsonObject();
    json.addProperty("auto", auto);
    json.add("devices", devices);
    return new Gson().toJson(json);
  }
}
