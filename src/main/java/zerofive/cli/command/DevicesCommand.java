package zerofive.cli.command;

import static zerofive.train.Settings.CUBLAS;
import static zerofive.train.Settings.DEVICE;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;
import zerofive.backend.Availability;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Invocation;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.DeviceOptions;
import zerofive.report.console.Terminal;

/** {@code devices}: the devices that can be used here; for the others, the cause and the remedy. */
final class DevicesCommand implements Command {
  @Override
  public String name() {
    return "devices";
  }

  @Override
  public String summary() {
    return "the devices that can train on this machine; for the others, why not and what to do";
  }

  @Override
  public String example() {
    return "zerofive devices --json";
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(
        Arguments.option(DEVICE.withHelp("cuda:N describes that GPU").withChoices("cuda")));
    options.addOption(Arguments.option(CUBLAS));
    options.addOption(
        Arguments.option(
            "unpack",
            "DIR",
            "put the native libraries into DIR and end, as a container's build does; they are"
                + " loaded from there with -Dzerofive.natives=DIR, or where DIR is the folder"
                + " natives beside zerofive.jar"));
    return options.addOption(Arguments.flag("json", "print one JSON object"));
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    Optional<Path> folder = arguments.path("unpack");
    if (folder.isPresent()) {
      Backends.unpack(folder.get()).forEach(left -> invocation.terminal().info("not " + left));
      return ExitCode.DONE;
    }
    DeviceRequest request = DeviceOptions.of(arguments);
    List<Backends.Candidate> candidates = Backends.probeAll(request);
    String auto =
        candidates.stream()
            .filter(candidate -> candidate.availability().usable())
            .findFirst()
            .orElseThrow()
            .backend()
            .name();
    if (line.hasOption("json")) {
      invocation.terminal().json(new Result(auto, candidates.stream().map(Device::of).toList()));
    } else {
      print(candidates, auto, invocation.terminal());
    }
    return ExitCode.DONE;
  }

  private static void print(List<Backends.Candidate> candidates, String auto, Terminal terminal) {
    terminal.result(String.format(Locale.ROOT, "%-10s  %s", "device", "usable"));
    for (Backends.Candidate candidate : candidates) {
      Availability availability = candidate.availability();
      terminal.result(
          String.format(
              Locale.ROOT,
              "%-10s  %-6s  ",
              candidate.backend().name(),
              availability.usable() ? "yes" : "no"),
          availability.usable() || availability.remedy().isEmpty()
              ? availability.detail()
              : availability.detail() + "; " + availability.remedy());
      availability.notes().forEach(note -> terminal.result(" ".repeat(20), note));
      candidate
          .details()
          .forEach(
              (name, value) ->
                  terminal.result(String.format(Locale.ROOT, "%-12s%-19s", "", name), value));
    }
    terminal.result("");
    terminal.result("--device auto takes " + auto);
  }

  /** What {@code --json} prints. */
  private record Result(String auto, List<Device> devices) {}

  private record Device(
      String name,
      boolean usable,
      String detail,
      String remedy,
      List<String> notes,
      Map<String, String> details) {
    static Device of(Backends.Candidate candidate) {
      Availability availability = candidate.availability();
      return new Device(
          candidate.backend().name(),
          availability.usable(),
          availability.detail(),
          availability.remedy(),
          availability.notes(),
          candidate.details());
    }
  }
}
