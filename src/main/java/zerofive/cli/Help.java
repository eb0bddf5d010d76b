package zerofive.cli;

import java.util.List;
import java.util.Locale;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.report.Terminal;

/** The help texts, made from the options themselves. */
final class Help {
  private Help() {}

  static void program(List<Command> commands, Terminal terminal) {
    terminal.result(
        "zerofive trains small image classifiers: on MNIST, 0 against 5, in one command.");
    terminal.result("");
    terminal.result("usage: zerofive COMMAND [OPTIONS]");
    terminal.result("");
    for (Command command : commands) {
      terminal.result(String.format(Locale.ROOT, "  %-11s %s", command.name(), command.summary()));
    }
    terminal.result("");
    terminal.result(
        "  zerofive COMMAND --help tells a command's options; zerofive --version the version.");
  }

  static void command(Command command, Options options, Terminal terminal) {
    terminal.result(
        ("usage: zerofive " + command.name() + " [OPTIONS] " + command.operands()).stripTrailing());
    terminal.result("");
    terminal.result("  " + command.summary());
    terminal.result("");
    int column = 0;
    for (Option option : options.getOptions()) {
      column = Math.max(column, left(option).length() + 4);
    }
    for (Option option : options.getOptions()) {
      String line = String.format(Locale.ROOT, "  %-" + (column - 2) + "s", left(option));
      for (String word : option.getDescription().split(" ", -1)) {
        if (line.length() + 1 + word.length() > terminal.width()) {
          terminal.result(line.stripTrailing());
          line = " ".repeat(column);
        }
        line += line.endsWith(" ") ? word : " " + word;
      }
      terminal.result(line);
    }
    terminal.result("");
    terminal.result("example: " + command.example());
  }

  private static String left(Option option) {
    return "--" + option.getLongOpt() + (option.hasArg() ? " " + option.getArgName() : "");
  }
}
