package zerofive.spark;

import static zerofive.train.Settings.INIT_FROM;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import zerofive.cli.Experiment;
import zerofive.cli.Invocation;
import zerofive.cli.command.PairsCommand;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.UsageException;
import zerofive.files.InputException;
import zerofive.model.ModelSpec;
import zerofive.report.console.Terminal;
import zerofive.study.PairResult;
import zerofive.study.PairsRun;
import zerofive.study.PairsTrainer;
import zerofive.study.Trainings;
import zerofive.train.StopSignal;

/** {@code pairs} whose trainings run on executors; its run folder is that of {@code pairs}. */
final class SparkPairs implements PairsCommand.Workplace {
  private final Cluster cluster;
  private final List<String> arguments;
  private DecidedDevice device;

  SparkPairs(Cluster cluster, List<String> arguments) {
    this.cluster = cluster;
    this.arguments = arguments;
  }

  @Override
  public Backends.Choice choose(DeviceRequest asked, ModelSpec model, Invocation invocation) {
    if (asked.threads() > 0) {
      throw new UsageException(
          "--threads " + asked.threads() + ": on Spark spark.task.cpus says it; leave it out");
    }
    invocation.time().mark("start-up");
    device = cluster.decide(asked);
    Backends.Choice choice = cluster.describe(device);
    invocation.time().mark("device");
    return choice;
  }

  @Override
  public int atOnce(Backends.Choice choice, int threads, int trainings) {
    return Math.max(1, Math.min(cluster.slots(), trainings));
  }

  @Override
  public Trainings trainings(
      Experiment experiment, PairsRun run, int atOnce, StopSignal stop, Terminal terminal) {
    return (pairs, listener) -> {
      List<TrainingJob.Task> tasks = new ArrayList<>();
      for (int i = 0; i < pairs.size(); i++) {
        tasks.add(
            new TrainingJob.Task(
                i, PairsTrainer.recipe(experiment.recipe(), pairs.get(i)).toJson()));
      }
      Optional<Path> start = experiment.recipe().get(INIT_FROM).map(Path::of);
      TrainingJob job =
          new TrainingJob(
              device, new SharedData(experiment.data()), start.map(SparkPairs::read).orElse(null));
      List<String> diverged = new ArrayList<>();
      Set<ExecutorDevice> devices = new HashSet<>();
      cluster.train(
          job,
          tasks,
          stop::requested,
          row -> {
            if (devices.add(row.device())) {
              run.receipt().add(row.device().session(arguments), experiment.recipe(), 0);
            }
            if (row.hasResult()) {
              listener.accept(PairResult.of(pairs.get(row.index()), row.result()));
            } else {
              diverged.add(pairs.get(row.index()) + ": " + row.error());
            }
          },
          terminal);
      return diverged;
    };
  }

  private static byte[] read(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }
}
