package zerofive.cli.command;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import zerofive.cli.Cli;
import zerofive.cli.Command;
import zerofive.cli.ExitCode;
import zerofive.cli.Invocation;
import zerofive.cli.option.Choices;
import zerofive.cli.option.UsageException;

/** {@code completion}: a script that teaches a shell the commands, their options and values. */
final class CompletionCommand implements Command {
  private static final List<String> SHELLS = List.of("bash", "zsh");

  private final Supplier<List<Command>> commands;

  /** Completes {@code commands}, of which it is one itself. */
  CompletionCommand(Supplier<List<Command>> commands) {
    this.commands = commands;
  }

  @Override
  public String name() {
    return "completion";
  }

  @Override
  public String summary() {
    return "a script that completes commands and options in bash or zsh";
  }

  @Override
  public String example() {
    return "eval \"$(zerofive completion bash)\"";
  }

  @Override
  public String operands() {
    return "bash|zsh";
  }

  @Override
  public List<String> operandChoices() {
    return SHELLS;
  }

  @Override
  public List<String> details() {
    return List.of(
        "Put the example's line into ~/.bashrc, or with zsh in place of bash into ~/.zshrc, after"
            + " its compinit. The program must be on the PATH: a link to the launcher will do.");
  }

  @Override
  public Options options() {
    return new Options();
  }

  @Override
  public int run(CommandLine line, Invocation invocation) {
    List<String> operands = line.getArgList();
    if (operands.size() != 1 || !SHELLS.contains(operands.get(0))) {
      throw new UsageException("completion needs the name of one shell: bash or zsh");
    }
    List<String> script = operands.get(0).equals("bash") ? bash() : zsh();
    script.forEach(invocation.terminal()::result);
    return ExitCode.DONE;
  }

  private List<String> bash() {
    List<String> script = new ArrayList<>();
    script.add("_zerofive() {");
    script.add("  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}");
    script.add("  COMPREPLY=()");
    script.add("  if ((COMP_CWORD == 1)); then");
    script.add("    mapfile -t COMPREPLY < <(compgen -W '" + words(names()) + "' -- \"$word\")");
    script.add("    return");
    script.add("  fi");
    script.add("  case ${COMP_WORDS[1]}:$before in");
    for (Command command : commands.get()) {
      for (Option option : Cli.allOptions(command).getOptions()) {
        String pattern = "    " + command.name() + ":--" + option.getLongOpt() + ") ";
        if (option.hasArg()) {
          script.add(pattern + values(option) + " return ;;");
        }
      }
    }
    script.add("  esac");
    script.add("  local words=");
    script.add("  case ${COMP_WORDS[1]} in");
    for (Command command : commands.get()) {
      List<String> words = new ArrayList<>(command.operandChoices());
      Cli.allOptions(command).getOptions().forEach(option -> words.add("--" + option.getLongOpt()));
      script.add("    " + command.name() + ") words='" + words(words) + "' ;;");
    }
    script.add("    help) words='" + words(names()) + "' ;;");
    script.add("  esac");
    script.add("  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")");
    script.add("  [ ${#COMPREPLY[@]} -gt 0 ] || _zerofive_files -f");
    script.add("}");
    script.add("_zerofive_files() {");
    script.add("  compopt -o filenames");
    script.add("  local found");
    script.add("  mapfile -t found < <(compgen \"$1\" -- \"$word\")");
    script.add("  COMPREPLY+=(\"${found[@]}\")");
    script.add("}");
    script.add("complete -F _zerofive zerofive");
    return script;
  }

  /** What fills COMPREPLY with an option's values. */
  private static String values(Option option) {
    List<String> choices = choices(option);
    String named =
        choices.isEmpty()
            ? ""
            : "mapfile -t COMPREPLY < <(compgen -W '" + words(choices) + "' -- \"$word\");";
    return switch (kind(option)) {
      case FOLDER -> named + " _zerofive_files -d;";
      case FILE -> named + " _zerofive_files -f;";
      case OTHER -> named;
    };
  }

  private List<String> zsh() {
    List<String> script = new ArrayList<>();
    script.add("#compdef zerofive");
    script.add("_zerofive() {");
    script.add("  local -a commands=(");
    for (Command command : commands.get()) {
      script.add("    " + quoted(command.name() + ":" + command.summary()));
    }
    script.add("    'help:help on a command'");
    script.add("  )");
    script.add("  if (( CURRENT == 2 )); then");
    script.add("    _describe command commands");
    script.add("    return");
    script.add("  fi");
    script.add("  local command=$words[2]");
    script.add("  shift words");
    script.add("  (( CURRENT-- ))");
    script.add("  case $command in");
    for (Command command : commands.get()) {
      script.add("    " + command.name() + ")");
      script.add("      _arguments \\");
      for (Option option : Cli.allOptions(command).getOptions()) {
        script.add("        " + quoted(specification(option)) + " \\");
      }
      script.add(
          "        "
              + quoted(
                  command.operandChoices().isEmpty()
                      ? "*:file:_files"
                      : "*:word:(" + words(command.operandChoices()) + ")"));
      script.add("      ;;");
    }
    script.add("    help) _describe command commands ;;");
    script.add("  esac");
    script.add("}");
    script.add("compdef _zerofive zerofive");
    return script;
  }

  /** An option as zsh's _arguments has it: {@code --name[what it does]:VALUE:(values)}. */
  private static String specification(Option option) {
    String described =
        "--"
            + option.getLongOpt()
            + "["
            + option.getDescription().replace("[", "\\[").replace("]", "\\]")
            + "]";
    if (!option.hasArg()) {
      return described;
    }
    List<String> choices = choices(option);
    String named = words(choices).replace(":", "\\:");
    return described
        + ":"
        + option.getArgName().toLowerCase(Locale.ROOT)
        + ":"
        + switch (kind(option)) {
          case FOLDER -> choices.isEmpty() ? "_files -/" : "{compadd -- " + named + "; _files -/}";
          case FILE -> "_files";
          case OTHER -> choices.isEmpty() ? " " : "(" + named + ")";
        };
  }

  /** What an option's value is. */
  private enum Kind {
    FOLDER,
    FILE,
    OTHER
  }

  private static Kind kind(Option option) {
    String name = option.getArgName();
    if (name.contains("DIR") || name.contains("RUN")) {
      return Kind.FOLDER;
    }
    return name.contains("FILE") || name.contains("PATH") ? Kind.FILE : Kind.OTHER;
  }

  private static List<String> choices(Option option) {
    return option.getConverter() instanceof Choices choices ? choices.values() : List.of();
  }

  private List<String> names() {
    List<String> names = new ArrayList<>();
    commands.get().forEach(command -> names.add(command.name()));
    names.addAll(List.of("help", "--help", "--version"));
    return names;
  }

  private static String words(List<String> words) {
    return String.join(" ", words);
  }

  /** As a shell takes it word for word. */
  private static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
