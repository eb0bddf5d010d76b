package zerofive.cli;

import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.report.console.Terminal;

/** The help texts, made from the commands and options themselves. */
final class Help {
  private static final String[][] EXIT_CODES = {
    {"0", "done"},
    {"1", "a defect of ours; please report it"},
    {"2", "wrong usage, or an unknown name of a data set, class, model or loss"},
    {"3", "bad or missing data or model file, or no network"},
    {"4", "the device asked for cannot be used"},
    {"5", "the training diverged: a loss or weight is NaN or infinite"},
    {"6", "output cannot be written"},
    {"7", "verify: this machine does not compute the bits of the run's model"},
    {"127", "no JDK or Maven to build with"},
    {"130", "interrupted by Ctrl-C, after saving; 143 by SIGTERM, likewise"}
  };

  private static final String[][] ENVIRONMENT = {
    {"ZEROFIVE_JAVA_OPTS", "options of the JVM, such as -Xmx2g"},
    {"XDG_CACHE_HOME", "cache of downloaded data and of native libraries (default: ~/.cache)"},
    {"ZEROFIVE_MIRROR", "the address that data sets are fetched from instead of their own"},
    {"https_proxy", "the proxy that they are fetched through; http_proxy, no_proxy likewise"},
    {"NO_COLOR", "if set, no colours"},
    {"JAVA_HOME", "the JDK to use (default: the java on the PATH)"}
  };

  /** Where what a command does stands beside its name. */
  private static final int NAME_COLUMN = 14;

  private Help() {}

  static void program(List<Command> commands, Terminal terminal) {
    terminal.result(
        "zerofive trains small image classifiers: on MNIST, 0 against 5, in one command.");
    terminal.result("");
    terminal.result("usage: zerofive COMMAND [OPTIONS]");
    terminal.result("");
    for (Command command : commands) {
      print(row(command.name(), NAME_COLUMN), command.summary(), terminal);
    }
    print(row("help", NAME_COLUMN), "help on one command: zerofive help COMMAND", terminal);
    terminal.result("");
    print("", "Every command has --help; zerofive --version prints the version.", terminal);
    table("exit codes", EXIT_CODES, terminal);
    table("environment", ENVIRONMENT, terminal);
  }

  static void command(Command command, Options options, Terminal terminal) {
    terminal.result(
        ("usage: zerofive " + command.name() + " [OPTIONS] " + command.operands()).stripTrailing());
    terminal.result("");
    print("  ", command.summary(), terminal);
    terminal.result("");
    int column = 0;
    for (Option option : options.getOptions()) {
      column = Math.max(column, left(option).length() + 4);
    }
    for (Option option : options.getOptions()) {
      print(row(left(option), column), option.getDescription(), terminal);
    }
    for (String paragraph : command.details()) {
      terminal.result("");
      print("", paragraph, terminal);
    }
    terminal.result("");
    terminal.result("example: " + command.example());
  }

  private static void table(String title, String[][] rows, Terminal terminal) {
    terminal.result("");
    terminal.result(title);
    int column = 0;
    for (String[] entry : rows) {
      column = Math.max(column, entry[0].length() + 4);
    }
    for (String[] entry : rows) {
      print(row(entry[0], column), entry[1], terminal);
    }
  }

  /** A term at the left margin, filled up to the column where its explanation begins. */
  private static String row(String term, int column) {
    return String.format(Locale.ROOT, "  %-" + (column - 2) + "s", term);
  }

  /** Words in lines that the terminal holds; all but the first begin below the first word. */
  private static void print(String label, String text, Terminal terminal) {
    String line = label;
    boolean started = false;
    for (String word : text.split(" ", -1)) {
      if (started && line.length() + 1 + word.length() > terminal.width()) {
        terminal.result(line);
        line = " ".repeat(label.length());
        started = false;
      }
      line += started ? " " + word : word;
      started = true;
    }
    terminal.result(line);
  }

  private static String left(Option option) {
    return "--" + option.getLongOpt() + (option.hasArg() ? " " + option.getArgName() : "");
  }
}
