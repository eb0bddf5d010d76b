package zerofive.cli.command;

import java.util.List;
import zerofive.cli.Command;

/** All commands, in the order of the program's help. */
public final class Commands {
  /** One of each. */
  public static final List<Command> ALL =
      List.of(
          new TrainCommand(),
          new ReproduceCommand(),
          new LrFindCommand(),
          new EvaluateCommand(),
          new PredictCommand(),
          new ExportCommand(),
          new PairsCommand(),
          new VerifyCommand(),
          new DevicesCommand(),
          new DataCommand(),
          new BenchCommand(),
          new CompletionCommand(Commands::all));

  private Commands() {}

  private static List<Command> all() {
    return ALL;
  }
}
