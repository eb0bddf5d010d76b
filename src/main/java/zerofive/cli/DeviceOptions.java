package zerofive.cli;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.apache.commons.cli.Options;
import zerofive.report.Terminal;

/**
 * Which device, and what may be chosen of it.
 *
 * @param device {@code auto}, {@code cpu}, {@code reference}, {@code cuda} or {@code cuda:N}
 * @param threads 0 for all cores
 * @param settings the options that only a card has, as they were given
 */
record DeviceOptions(String device, int threads, Map<String, String> settings) {
  static final String AUTO = "auto";

  /** Their names on the command line. */
  static final List<String> SETTINGS =
      List.of("cublas", "precision", "cuda-session", "resident-mb");

  private static final Pattern NAME = Pattern.compile("auto|cpu|reference|cuda(:\\d{1,3})?");

  static void addTo(Options options) {
    options.addOption(
        Arguments.choice(
            "device",
            "NAME",
            "auto, cpu, reference (plain Java), cuda or cuda:N (default: "
                + TrainOptions.DEFAULTS.device()
                + ")",
            "auto",
            "cpu",
            "reference",
            "cuda"));
    options.addOption(Arguments.option("threads", "N", "threads of the CPU (default: all cores)"));
    addCublas(options);
    options.addOption(
        Arguments.choice(
            "precision",
            "NAME",
            "cuda: fp32, or tf32 on tensor cores (default: fp32)",
            "fp32",
            "tf32"));
    options.addOption(
        Arguments.choice(
            "cuda-session",
            "NAME",
            "cuda: graph, or stepwise, one launch at a time (default: graph)",
            "graph",
            "stepwise"));
    options.addOption(
        Arguments.option(
            "resident-mb",
            "N",
            "cuda: stream sets of more than N MiB (default: those that do not fit)"));
  }

  /** Where cuBLAS is taken from. */
  static void addCublas(Options options) {
    options.addOption(
        Arguments.choice(
            "cublas",
            "DIR",
            "cuda: cuBLAS's folder, or none to do without (default: look for it)",
            "none"));
  }

  static DeviceOptions of(Arguments arguments) {
    String device = arguments.text("device").orElse(AUTO);
    if (!isName(device)) {
      throw new UsageException(
          "unknown device '" + device + "'; known are auto, cpu, reference, cuda and cuda:N");
    }
    Map<String, String> settings = new TreeMap<>();
    for (String name : SETTINGS) {
      arguments
          .parsed(name, value -> Backends.setting(name, value))
          .ifPresent(value -> settings.put(name, value));
    }
    return new DeviceOptions(device, arguments.integer("threads", 1).orElse(0), settings);
  }

  /** Whether {@code device} names a device. */
  static boolean isName(String device) {
    return NAME.matcher(device).matches();
  }

  /** The same device with another number of threads. */
  DeviceOptions withThreads(int number) {
    return new DeviceOptions(device, number, settings);
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

  /** The card's number; 0 where none is named. */
  int card() {
    int colon = device.indexOf(':');
    return colon < 0 ? 0 : Integer.parseInt(device.substring(colon + 1));
  }

  /** Says what was taken, and why nothing better. */
  void note(Backends.Choice choice, Terminal terminal) {
    terminal.note("device   ", choice.describe());
    choice.notes().forEach(note -> terminal.note("         ", note));
    if (threads > 1 && choice.backend().name().equals("reference")) {
      terminal.note("         ", "--threads " + threads + ": plain Java computes on one thread");
    }
  }
}
