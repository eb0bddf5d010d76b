package zerofive.cli;

import java.io.File;
import java.util.List;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;
import zerofive.backend.DeviceException;
import zerofive.cli.option.UsageException;
import zerofive.files.FileGuarantees;
import zerofive.files.InputException;
import zerofive.files.JavaHeap;
import zerofive.files.OutputException;
import zerofive.report.console.Terminal;
import zerofive.run.NotComparableException;
import zerofive.train.DivergedException;

/** Parses the command line, runs the command, and says in one sentence what went wrong. */
public final class Cli {
  private final List<Command> commands;
  private final Terminal terminal;
  private final PhaseTimer time = new PhaseTimer();

  /** A program with these commands, in the order of its help, that prints to a terminal. */
  public Cli(List<Command> commands, Terminal terminal) {
    this.commands = commands;
    this.terminal = terminal;
  }

  /** Runs one command line and returns its exit code. */
  public int run(List<String> arguments) {
    boolean verbose = arguments.contains("--verbose");
    FileGuarantees.onWarning(warning -> terminal.error("zerofive: warning: " + warning));
    try {
      int code = dispatch(arguments);
      terminal.checkResults();
      return code;
    } catch (UsageException | NotComparableException e) {
      return fail(ExitCode.USAGE, e, verbose);
    } catch (InputException e) {
      int code = fail(ExitCode.INPUT, e, verbose);
      e.lines().forEach(line -> terminal.error("    " + line));
      return code;
    } catch (DeviceException e) {
      return fail(ExitCode.DEVICE, e, verbose);
    } catch (DivergedException e) {
      return fail(ExitCode.DIVERGED, e, verbose);
    } catch (OutputException e) {
      return fail(ExitCode.OUTPUT, e, verbose);
    } catch (OutOfMemoryError e) {
      terminal.error(
          "zerofive: error: the Java heap of "
              + JavaHeap.mebibytes()
              + " MiB is too small for this; choose a smaller --batch-size, model or class list, or "
              + JavaHeap.remedy());
      return ExitCode.DEVICE;
    } catch (RuntimeException | StackOverflowError e) {
      terminal.error(
          "zerofive: error: a defect of zerofive: "
              + e
              + "; please report it with the output of"
              + " --verbose");
      if (verbose) {
        terminal.trace(e);
      }
      return ExitCode.DEFECT;
    }
  }

  private int fail(int code, RuntimeException e, boolean verbose) {
    terminal.error("zerofive: error: " + e.getMessage());
    if (verbose) {
      terminal.trace(e);
    }
    return code;
  }

  private int dispatch(List<String> arguments) {
    if (arguments.isEmpty() || arguments.get(0).equals("--help") || arguments.get(0).equals("-h")) {
      Help.program(commands, terminal);
      return arguments.isEmpty() ? ExitCode.USAGE : ExitCode.DONE;
    }
    if (arguments.get(0).equals("--version")) {
      terminal.result(Version.read().toString());
      return ExitCode.DONE;
    }
    if (arguments.get(0).equals("help")) {
      return help(arguments.subList(1, arguments.size()));
    }
    Command command = command(arguments.get(0));
    List<String> rest = arguments.subList(1, arguments.size());
    Options options = allOptions(command);
    if (rest.contains("--help") || rest.contains("-h")) {
      Help.command(command, options, terminal);
      return ExitCode.DONE;
    }
    CommandLine line = parse(command, options, rest);
    if (line.hasOption("quiet")) {
      terminal.setQuiet();
    }
    return command.run(line, new Invocation(arguments, terminal, time));
  }

  private int help(List<String> names) {
    if (names.size() > 1) {
      throw new UsageException("help takes one command at a time; see zerofive --help");
    }
    if (names.isEmpty()) {
      Help.program(commands, terminal);
    } else {
      Command command = command(names.get(0));
      Help.command(command, allOptions(command), terminal);
    }
    return ExitCode.DONE;
  }

  private Command command(String name) {
    List<String> known = commands.stream().map(Command::name).toList();
    if (!known.contains(name)) {
      String question = EditDistance.question("", name, known);
      throw new UsageException(
          "unknown command '"
              + name
              + "'"
              + (question.isEmpty() ? "; known are " + String.join(", ", known) : question)
              + "; see zerofive --help");
    }
    return commands.get(known.indexOf(name));
  }

  /** A command's own options and those that every command has. */
  public static Options allOptions(Command command) {
    Options options = new Options();
    command.options().getOptions().forEach(options::addOption);
    options.addOption(Option.builder().longOpt("quiet").desc("print results only").get());
    options.addOption(
        Option.builder().longOpt("verbose").desc("print a stack trace with an error").get());
    options.addOption(Option.builder("h").longOpt("help").desc("print this help and exit").get());
    return options;
  }

  private static CommandLine parse(Command command, Options options, List<String> arguments) {
    CommandLine line;
    try {
      line =
          DefaultParser.builder()
              .setAllowPartialMatching(false)
              .setStripLeadingAndTrailingQuotes(false)
              .get()
              .parse(options, arguments.toArray(String[]::new));
    } catch (UnrecognizedOptionException e) {
      String question =
          EditDistance.question(
              "--",
              e.getOption().replaceFirst("^-+", "").replaceFirst("=.*", ""),
              options.getOptions().stream().map(Option::getLongOpt).toList());
      throw new UsageException(
          "unrecognized option: "
              + e.getOption()
              + (new File(e.getOption()).exists()
                  ? "; the file of this name is ./" + e.getOption()
                  : question)
              + "; see zerofive "
              + command.name()
              + " --help",
          e);
    } catch (ParseException e) {
      throw new UsageException(
          sentence(e.getMessage()) + "; see zerofive " + command.name() + " --help", e);
    }
    if (command.operands().isEmpty() && !line.getArgList().isEmpty()) {
      throw new UsageException(
          "unexpected argument '"
              + line.getArgList().get(0)
              + "'; see zerofive "
              + command.name()
              + " --help");
    }
    for (Option option : line.getOptions()) {
      if (!option.hasArgs()
          && line.getOptionValues(option) != null
          && line.getOptionValues(option).length > 1) {
        throw new UsageException("--" + option.getLongOpt() + " is given twice; give it once");
      }
    }
    return line;
  }

  /** The library's message, begun in lower case as all our sentences. */
  private static String sentence(String message) {
    return message.isEmpty()
        ? "the options make no sense"
        : Character.toLowerCase(message.charAt(0)) + message.substring(1);
  }
}
