package zerofive.spark;

import java.util.List;
import zerofive.cli.Cli;
import zerofive.cli.command.PairsCommand;
import zerofive.report.console.Terminal;

/** What {@code spark-submit} starts: a command of zerofive whose work is done by executors. */
public final class Main {
  private Main() {}

  /** Runs one command line and exits with its code. */
  public static void main(String[] args) {
    if (System.getProperty("zerofive.program") == null) {
      System.setProperty("zerofive.program", "zerofive-spark.jar");
    }
    System.exit(run(List.of(args)));
  }

  private static int run(List<String> arguments) {
    try (Cluster cluster = new Cluster(arguments)) {
      return new Cli(
              List.of(
                  new PairsCommand(new SparkPairs(cluster, arguments)),
                  new SweepCommand(cluster),
                  new PredictCommand(cluster)),
              Terminal.system())
          .run(arguments);
    }
  }
}
