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
record Invocation(List<String> arguments, Terminal terminal, TimeSpent time) {}
