package zerofive.cli;

import java.util.regex.Pattern;
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

  private static final Pattern NAME = Pattern.compile("auto|cpu|reference|cuda(:\\d{1,3})?");

  static void addTo(Options options) {
    options.addOption(
        Arguments.option(
            "device",
            "NAME",
            "auto, cpu, reference (plain Java), cuda or cuda:N (default: "
                + TrainOptions.DEFAULTS.device()
                + ")"));
    options.addOption(Arguments.option("threads", "N", "threads of the CPU (default: all cores)"));
  }

  static DeviceOptions of(Arguments arguments) {
    String device = arguments.text("device").orElse(AUTO);
    if (!isName(device)) {
      throw new UsageException(
          "unknown device '" + device + "'; known are auto, cpu, reference, cuda and cuda:N");
    }
    return new DeviceOptions(device, arguments.integer("threads", 1).orElse(0));
  }

  /** Whether {@code device} names a device. */
  static boolean isName(String device) {
    return NAME.matcher(device).matches();
  }

  /** The device without a card's number. */
  String kind() {
    int colon = device.indexOf(':');
    return colon < 0 ? device : device.substring(0, colon);
  }

  /** How to call a backend: as it was asked for, or by its own name. */
  String name(String backend) {
    return kind().equals(backend) ? device : backend;
  }

  /** Says what was taken, and why nothing better. */
  void note(Backends.Choice choice, Terminal terminal) {
    terminal.note("device   ", choice.describe());
    choice.notes().forEach(note -> terminal.note("         ", note));
    if (threads > 1) {
      terminal.note("         ", "--threads " + threads + ": plain Java computes on one thread");
    }
  }
}
