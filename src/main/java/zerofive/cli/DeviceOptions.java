package zerofive.cli;

import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.report.Terminal;

/**
 * Which device, and how many of its threads.
 *
 * @param device {@code auto}, {@code cpu}, {@code reference}, {@code cuda} or {@code cuda:N}
 * @param threads 0 for all cores
 */
record DeviceOptions(String device, int threads) {
  static final String AUTO = "auto";

  static void addTo(Options options) {
    list().forEach(options::addOption);
  }

  private static List<Option> list() {
    return List.of(
        Arguments.option(
            "device", "NAME", "auto, cpu, reference (plain Java), cuda or cuda:N (default: auto)"),
        Arguments.option("threads", "N", "threads of the CPU (default: all cores)"));
  }

  static DeviceOptions of(Arguments arguments) {
    String device = arguments.text("device").orElse(AUTO);
    Backends.checkName(device);
    return new DeviceOptions(device, arguments.integer("threads", 1).orElse(0));
  }

  /** The device to compute on, with its notes printed. */
  Backends.Choice choose(Terminal terminal) {
    Backends.Choice choice = Backends.choose(device);
    terminal.note("device   " + choice.describe());
    choice.notes().forEach(note -> terminal.note("         " + note));
    if (threads > 1) {
      terminal.note("         --threads " + threads + ": plain Java computes on one thread");
    }
    return choice;
  }
}
