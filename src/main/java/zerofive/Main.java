package zerofive;

import java.util.List;
import zerofive.cli.Cli;
import zerofive.cli.command.Commands;
import zerofive.report.console.Terminal;

/** Where the program starts: run the command, exit with its code. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    System.exit(new Cli(Commands.ALL, Terminal.system()).run(List.of(args)));
  }
}
