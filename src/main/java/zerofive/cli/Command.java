package zerofive.cli;

import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Options;

/** One command of the program. */
public interface Command {
  /** Its name on the command line. */
  String name();

  /** What it does, in one line of help. */
  String summary();

  /** An example of its use, as a shell line. */
  String example();

  /** What it takes besides options, as its usage line shows it: {@code PATH...}; empty: nothing. */
  default String operands() {
    return "";
  }

  /** Words that an operand may be, for completion; none: names of files. */
  default List<String> operandChoices() {
    return List.of();
  }

  /** What help prints beyond the options, one entry a paragraph. */
  default List<String> details() {
    return List.of();
  }

  /** Its own options. */
  Options options();

  /** Runs it and returns the exit code; what goes wrong is thrown. */
  int run(CommandLine line, Invocation invocation);
}
