package zerofive.cli;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Locale;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.backend.Availability;
import zerofive.report.Terminal;

/** {@code devices}: what can be used here, and for what cannot the cause and the remedy. */
final class DevicesCommand implements Command {
  private static final DeviceOptions ANY = new DeviceOptions(DeviceOptions.AUTO, 0);

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
    return new Options().addOption(Arguments.flag("json", "print one JSON object"));
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    String auto = Backends.choose(ANY).backend().name();
    if (line.hasOption("json")) {
      invocation.terminal().result(json(auto));
    } else {
      print(auto, invocation.terminal());
    }
    return ExitCode.DONE;
  }

  private static void print(String auto, Terminal terminal) {
    terminal.result(String.format(Locale.ROOT, "%-10s  %s", "device", "usable"));
    for (Backends.Candidate candidate : Backends.probeAll(ANY)) {
      Availability availability = candidate.availability();
      terminal.result(
          String.format(
              Locale.ROOT,
              "%-10s  %-6s  %s",
              candidate.backend().name(),
              availability.usable() ? "yes" : "no",
              availability.usable()
                  ? availability.detail()
                  : availability.detail() + "; " + availability.remedy()));
    }
    terminal.result("");
    terminal.result("--device auto takes " + auto);
  }

  private static String json(String auto) {
    JsonArray devices = new JsonArray();
    for (Backends.Candidate candidate : Backends.probeAll(ANY)) {
      Availability availability = candidate.availability();
      JsonObject device = new JsonObject();
      device.addProperty("name", candidate.backend().name());
      device.addProperty("usable", availability.usable());
      device.addProperty("detail", availability.detail());
      device.addProperty("remedy", availability.remedy());
      devices.add(device);
    }
    JsonObject json = new JsonObject();
    json.addProperty("auto", auto);
    json.add("devices", devices);
    return new Gson().toJson(json);
  }
}
