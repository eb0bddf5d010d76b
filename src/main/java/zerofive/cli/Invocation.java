package zerofive.cli;

import java.util.List;
import zerofive.report.Terminal;
import zerofive.report.TimeSpent;

/**
 * One use of the program.
 *
 * @param arguments as given, for the receipt
 * @param terminal where results and notes go
 * @param time where the time went so far
 */
record Invocation(List<String> arguments, Terminal terminal, TimeSpent time) {
  private static final int LABEL = 9;

  /** How the user calls this program, for commands to be copied: {@code ./zerofive}. */
  static String program() {
    return System.getProperty("zerofive.program", "zerofive");
  }

  /** Says where the time went. */
  void printTime() {
    String label = "time     ";
    for (String line : time.toLines(Terminal.WIDTH - LABEL)) {
      terminal.result(label + line);
      label = " ".repeat(LABEL);
    }
  }
}
