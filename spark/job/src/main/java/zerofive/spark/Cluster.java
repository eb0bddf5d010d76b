package zerofive.spark;

import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkException;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.SparkSession;
import zerofive.backend.DeviceException;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.UsageException;
import zerofive.report.console.Terminal;

/** The Spark application: begun when a command first needs it, and ended with the program. */
final class Cluster implements AutoCloseable {
  private static final long POLL_MILLIS = 100;
  private static final long PROGRESS_NANOS = 2_000_000_000L;

  /** Many short trainings share a task, which takes milliseconds of its own; none waits long. */
  private static final int TASKS_A_SLOT = 64;

  private static final int MAX_TRAININGS_A_TASK = 16;

  private final List<String> arguments;
  private SparkSession session;

  Cluster(List<String> arguments) {
    this.arguments = arguments;
  }

  /** The session that spark-submit's settings describe. */
  SparkSession session() {
    if (session == null) {
      try {
        session = SparkSession.builder().appName("zerofive " + arguments.get(0)).getOrCreate();
      } catch (RuntimeException e) {
        if (isMissingMaster(e)) {
          throw new UsageException(
              "there is no Spark master; start this jar by spark-submit --master URL", e);
        }
        throw e;
      }
      if (!arguments.contains("--verbose")) {
        session.sparkContext().setLogLevel("WARN");
      }
    }
    return session;
  }

  private static boolean isMissingMaster(Throwable e) {
    return String.valueOf(e.getMessage()).contains("master URL must be set");
  }

  JavaSparkContext context() {
    return JavaSparkContext.fromSparkContext(session().sparkContext());
  }

  Configuration hadoop() {
    return session().sparkContext().hadoopConfiguration();
  }

  /** How many tasks run at a time, as far as executors have come up. */
  int slots() {
    return Math.max(1, session().sparkContext().defaultParallelism());
  }

  /** The device for all executors. */
  DecidedDevice decide(DeviceRequest asked) {
    return DecidedDevice.of(asked, session().sparkContext().getConf());
  }

  /** The same for receipts and notes. */
  Backends.Choice describe(DecidedDevice device) {
    SparkContext context = session().sparkContext();
    return device.onDriver(
        "on executors of Spark " + context.version() + ", " + context.master(),
        Map.of("application", context.applicationId()));
  }

  /**
   * Trains on executors until all are done or a stop is wanted.
   *
   * @param listener receives each row once, as its task ends; called by this thread
   * @throws DeviceException where an executor refuses the device, or Spark ends the job
   */
  void train(
      TrainingJob job,
      List<TrainingJob.Task> tasks,
      BooleanSupplier stop,
      Consumer<TrainingRow> listener,
      Terminal terminal) {
    if (tasks.isEmpty()) {
      return;
    }
    int perTask = Math.min(MAX_TRAININGS_A_TASK, tasks.size() / (TASKS_A_SLOT * slots()) + 1);
    Broadcast<TrainingJob> shared = context().broadcast(job);
    Arrivals<TrainingRow> arrivals = new Arrivals<>();
    context().sc().register(arrivals);
    Counter counter = new Counter("trained", tasks.size(), terminal);
    BitSet seen = new BitSet();
    run(
        "trainings",
        () ->
            context()
                .parallelize(tasks, (tasks.size() - 1) / perTask + 1)
                .foreach(task -> arrivals.add(shared.value().train(task))),
        stop,
        () -> {
          for (TrainingRow row : arrivals.drain()) {
            if (row.isRefusal()) {
              throw new DeviceException(
                  "an executor refuses: "
                      + row.error()
                      + (row.device() == null ? "" : " (" + row.device().executor() + ")"));
            }
            if (!seen.get(row.index())) {
              seen.set(row.index());
              listener.accept(row);
              counter.step();
            }
          }
        });
    shared.unpersist();
  }

  /** A Spark action. */
  interface Action {
    void run();
  }

  /**
   * Runs an action, and meanwhile looks at what arrives.
   *
   * @param arriving called again and again by this thread, and once more at the end; what it throws
   *     cancels the action
   * @throws DeviceException where Spark ends the action
   */
  void run(String name, Action action, BooleanSupplier stop, Action arriving) {
    String group = name + "-" + System.nanoTime();
    FutureTask<Void> job =
        new FutureTask<>(
            () -> {
              context().setJobGroup(group, "zerofive " + name, false);
              action.run();
              return null;
            });
    Thread thread = new Thread(job, "spark-job");
    thread.setDaemon(true);
    thread.start();
    boolean cancelled = false;
    try {
      while (true) {
        try {
          job.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
          arriving.run();
          return;
        } catch (TimeoutException e) {
          arriving.run();
          if (stop.getAsBoolean() && !cancelled) {
            cancelled = true;
            context().sc().cancelJobGroup(group);
          }
        }
      }
    } catch (ExecutionException e) {
      arriving.run();
      if (!cancelled && !stop.getAsBoolean()) {
        throw failure(e.getCause());
      }
    } catch (InterruptedException e) {
      throw new IllegalStateException("nobody interrupts the main thread", e);
    } catch (RuntimeException e) {
      if (!job.isDone()) {
        context().sc().cancelJobGroup(group);
      }
      throw e;
    }
  }

  private static RuntimeException failure(Throwable cause) {
    for (Throwable e = cause; e != null; e = e.getCause()) {
      if (e instanceof DeviceException refused) {
        return refused;
      }
    }
    if (cause instanceof SparkException) {
      String said = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
      return new DeviceException(
          "Spark ended the job (" + said + ")",
          "look into the executors' logs, then submit it again with the same --out",
          cause);
    }
    return cause instanceof RuntimeException e ? e : new IllegalStateException(cause);
  }

  /** Lines of progress, a few seconds apart. */
  static final class Counter {
    private final String verb;
    private final int total;
    private final Terminal terminal;
    private final long start = System.nanoTime();
    private long printed = start;
    private int done;

    Counter(String verb, int total, Terminal terminal) {
      this.verb = verb;
      this.total = total;
      this.terminal = terminal;
    }

    void step() {
      reached(done + 1);
    }

    void reached(int count) {
      if (count <= done) {
        return;
      }
      done = count;
      long now = System.nanoTime();
      if (now - printed > PROGRESS_NANOS) {
        printed = now;
        terminal.info(
            String.format(
                java.util.Locale.ROOT,
                "%-9s%d of %d, %.0f s",
                verb,
                done,
                total,
                (now - start) / 1e9));
      }
    }
  }

  @Override
  public void close() {
    if (session != null) {
      // Its threads may complain about each other as they end.
      session.sparkContext().setLogLevel("OFF");
      session.stop();
      session = null;
    }
  }
}
