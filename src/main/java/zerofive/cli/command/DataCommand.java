package zerofive.cli.command;

import static zerofive.train.Settings.CLASSES;
import static zerofive.train.Settings.SEED;
import static zerofive.train.Settings.SKIP_UNREADABLE;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Invocation;
import zerofive.cli.option.Arguments;
import zerofive.cli.option.UsageException;
import zerofive.data.ClassFilter;
import zerofive.data.DataRequest;
import zerofive.data.DataRequest.Split;
import zerofive.data.DataSet;
import zerofive.data.remote.DataSetRegistry;
import zerofive.data.remote.Fetch;
import zerofive.data.remote.RemoteFile;
import zerofive.files.AtomicFile;
import zerofive.report.chart.SampleGrid;
import zerofive.report.console.DataText;
import zerofive.report.console.FetchProgress;
import zerofive.report.console.Format;
import zerofive.report.console.Terminal;
import zerofive.train.Setting;
import zerofive.train.Setting.Group;

/** {@code data}: which data sets there are, fetching one, looking at one. */
final class DataCommand implements Command {
  private static final int SHEET_COUNT = 10;
  private static final int MAX_COUNT = 1000;
  private static final Setting<Integer> COUNT =
      Setting.integer("count", Group.DATA, 1)
          .unset(0, SHEET_COUNT + " in a file, what fits side by side in a terminal")
          .help("show: images of each class")
          .build();
  private static final Set<String> OF_SHOW = Set.of("classes", "count", "seed", "out");

  @Override
  public String name() {
    return "data";
  }

  @Override
  public String summary() {
    return "data sets: list them, fetch one, look at one";
  }

  @Override
  public String example() {
    return "zerofive data show fashion-mnist --classes sandal,bag";
  }

  @Override
  public String operands() {
    return "list | fetch NAME | show [NAME|DIR]";
  }

  @Override
  public List<String> operandChoices() {
    List<String> words = new ArrayList<>(List.of("list", "fetch", "show"));
    words.addAll(DataSetRegistry.names());
    return words;
  }

  @Override
  public List<String> details() {
    return List.of(
        "Fetched files are checked by their SHA-256 and kept in the user's cache"
            + " ($XDG_CACHE_HOME/zerofive/data); a fetch that was stopped is resumed."
            + " Proxies are those of https_proxy and http_proxy. With ZEROFIVE_MIRROR=ADDRESS files"
            + " come from ADDRESS/NAME/FILE instead (EMNIST's from ADDRESS/emnist/gzip.zip).",
        "Classes have names (fashion-mnist: sandal, bag; emnist-letters: a to z; kmnist: ki, su)"
            + " and their labels' numbers. EMNIST's images lie on their side in its files and are"
            + " turned upright. In a folder of images, train/CLASS/*.png and valid/CLASS/*.png (or"
            + " .jpg), classes are called as their folders; all images must have one size.");
  }

  @Override
  public Options options() {
    Options options = new Options();
    options.addOption(
        Arguments.option(
            CLASSES
                .withHelp("show: 0,5 or sandal,bag or all")
                .withDefault(ClassFilter.ALL, "all")));
    options.addOption(
        Arguments.option(SKIP_UNREADABLE.withHelp("show: leave out files that cannot be read")));
    options.addOption(Arguments.option(COUNT));
    options.addOption(Arguments.option(SEED.withHelp("show: which images")));
    options.addOption(
        Arguments.option("out", "FILE.png", "show: write a PNG, a row for each class"));
    return options.addOption(Arguments.flag("json", "print one JSON object"));
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    Arguments arguments = new Arguments(line);
    List<String> operands = line.getArgList();
    String action = operands.isEmpty() ? "" : operands.get(0);
    int maxOperands = action.equals("list") ? 1 : 2;
    if (operands.size() > maxOperands) {
      throw new UsageException("data " + action + " takes no '" + operands.get(maxOperands) + "'");
    }
    if (!action.equals("show")) {
      for (Option option : line.getOptions()) {
        if (OF_SHOW.contains(option.getLongOpt())) {
          throw new UsageException("--" + option.getLongOpt() + " is an option of data show only");
        }
      }
    }
    Optional<String> operand =
        operands.size() == 2 ? Optional.of(operands.get(1)) : Optional.empty();
    switch (action) {
      case "list" -> list(arguments.has("json"), invocation.terminal());
      case "fetch" -> fetch(operand, arguments.has("json"), invocation.terminal());
      case "show" -> show(operand.orElse(DataSetRegistry.MNIST), arguments, invocation);
      default ->
          throw new UsageException(
              "data needs one of list, fetch NAME, show [NAME|DIR]; see zerofive data --help");
    }
    return ExitCode.DONE;
  }

  private static void list(boolean asJson, Terminal terminal) {
    if (asJson) {
      terminal.json(
          new AllListed(
              DataSetRegistry.entries().stream().map(entry -> Listed.of(entry, null)).toList()));
      return;
    }
    String format = "%-16s%-19s%-9s%-9s%-10s%-9s%s";
    terminal.result(
        String.format(
            Locale.ROOT,
            format,
            "name",
            "training + valid.",
            "classes",
            "size",
            "download",
            "here",
            "licence"));
    for (DataSetRegistry.Entry entry : DataSetRegistry.entries()) {
      terminal.result(
          String.format(
              Locale.ROOT,
              format,
              entry.name(),
              Format.count(entry.train()) + " + " + Format.count(entry.valid()),
              entry.classes().size(),
              entry.side() + " x " + entry.side(),
              entry.isBundled() ? "-" : Format.bytes(entry.bytes()),
              entry.isBundled() ? "bundled" : Fetch.has(entry) ? "yes" : "no",
              entry.licence()));
    }
    terminal.result("");
    terminal.result(
        "The two of EMNIST come in one file. Train on a set with --data NAME, which fetches it.");
  }

  /** A data set for {@code --json}; {@code folder} only where it was just fetched. */
  private record Listed(
      String name,
      int trainingImages,
      int validationImages,
      List<String> classes,
      int height,
      int width,
      long downloadBytes,
      boolean bundled,
      boolean here,
      String licence,
      List<RemoteFile> files,
      String folder) {
    static Listed of(DataSetRegistry.Entry entry, String folder) {
      return new Listed(
          entry.name(),
          entry.train(),
          entry.valid(),
          entry.classes(),
          entry.side(),
          entry.side(),
          entry.bytes(),
          entry.isBundled(),
          Fetch.has(entry),
          entry.licence(),
          entry.files(),
          folder);
    }
  }

  private record AllListed(List<Listed> data) {}

  private record Sheet(String data, String file, List<String> rows) {}

  private static void fetch(Optional<String> operand, boolean asJson, Terminal terminal) {
    String name =
        operand.orElseThrow(
            () -> new UsageException("data fetch needs a name; zerofive data list shows them"));
    DataSetRegistry.Entry entry =
        DataSetRegistry.find(name)
            .orElseThrow(
                () ->
                    new UsageException(
                        "unknown data set '"
                            + name
                            + "'; known are "
                            + String.join(", ", DataSetRegistry.names())));
    String where = "bundled";
    if (!entry.isBundled()) {
      try (FetchProgress progress = new FetchProgress(terminal)) {
        where = Fetch.download(entry, progress).toString();
      }
    }
    if (asJson) {
      terminal.json(Listed.of(entry, where));
    } else if (entry.isBundled()) {
      terminal.result(name + " is bundled, there is nothing to fetch");
    } else {
      terminal.result(name + " is here, its SHA-256 checked: " + where);
    }
  }

  private static void show(String name, Arguments arguments, Invocation invocation) {
    Terminal terminal = invocation.terminal();
    Arguments.checkData(name);
    Optional<Integer> count = arguments.get(COUNT);
    count
        .filter(number -> number > MAX_COUNT)
        .ifPresent(
            number -> {
              throw new UsageException("--count " + number + " is more than " + MAX_COUNT);
            });
    long seed = arguments.getOrDefault(SEED);
    Optional<Path> out = arguments.path("out");
    DataSet data =
        invocation.load(
            new DataRequest(
                name,
                arguments.get(CLASSES).orElse(ClassFilter.ALL),
                Split.VALID,
                arguments.getOrDefault(SKIP_UNREADABLE)));
    SampleGrid sheet = new SampleGrid(data, seed);
    if (out.isEmpty()) {
      DataText.print(data, terminal);
      sheet.print(terminal, count.orElse(0));
      return;
    }
    AtomicFile.write(out.get(), ByteBuffer.wrap(sheet.png(count.orElse(SHEET_COUNT))));
    if (arguments.has("json")) {
      terminal.json(new Sheet(data.name(), out.get().toString(), data.classes()));
    } else {
      terminal.result("data     ", DataText.describe(data));
      data.notes().forEach(note -> terminal.result("note     ", note));
      terminal.result("rows     ", String.join(", ", data.classes()));
      terminal.result("sheet    " + out.get());
    }
  }
}
