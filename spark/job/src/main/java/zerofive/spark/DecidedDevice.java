package zerofive.spark;

import java.io.Serializable;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.apache.spark.SparkConf;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.cli.device.Backends;
import zerofive.cli.device.DeviceRequest;
import zerofive.cli.option.UsageException;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/**
 * The device that the driver decided on for all executors. Each obeys or refuses; none falls back.
 *
 * @param kind {@code cpu}, {@code cuda} or {@code reference}
 * @param threads of each task
 * @param settings that only a GPU has
 * @param arithmetic that it computes; null where its bits are its own
 */
record DecidedDevice(String kind, int threads, TreeMap<String, String> settings, Integer arithmetic)
    implements Serializable {
  private static final String GPU = "gpu";
  private static final String CUDA = "cuda";

  /** One of each in an executor, for all its tasks. */
  private static final ConcurrentMap<DeviceRequest, Backends.Choice> HERE =
      new ConcurrentHashMap<>();

  /**
   * What options ask for, on a cluster that gives each task so much.
   *
   * @throws UsageException where a GPU is asked for and Spark gives none, or one by its number
   */
  static DecidedDevice of(DeviceRequest asked, SparkConf conf) {
    boolean givesGpus = conf.getDouble("spark.task.resource.gpu.amount", 0) > 0;
    if (!asked.device().equals(asked.kind())) {
      throw new UsageException(
          "--device "
              + asked.device()
              + " names a GPU by its number, and Spark gives each task its own; use --device cuda");
    }
    if (asked.kind().equals(CUDA) && !givesGpus) {
      throw new UsageException(
          "--device cuda needs GPUs that Spark gives to tasks, and spark.task.resource.gpu.amount"
              + " is not set; see docs/spark.md for the four settings");
    }
    String kind =
        asked.kind().equals(DeviceRequest.AUTO) ? (givesGpus ? CUDA : "cpu") : asked.kind();
    int threads = conf.getInt("spark.task.cpus", 1);
    DeviceRequest decided = new DeviceRequest(kind, threads, asked.settings()).exactByDefault();
    return new DecidedDevice(
        kind,
        threads,
        new TreeMap<>(decided.settings()),
        Backends.arithmetic(decided).orElse(null));
  }

  /**
   * The device in this task, by the address that Spark gave it.
   *
   * @throws DeviceException where Spark gave none, or it cannot be used here, or computes other
   *     bits
   */
  Backends.Choice here() {
    String device = kind;
    if (kind.equals(CUDA)) {
      ResourceInformation gpus = TaskContext.get().resourcesJMap().get(GPU);
      if (gpus == null || gpus.addresses().length == 0) {
        throw new DeviceException(
            "Spark gave this task no GPU", "set spark.executor.resource.gpu.amount", null);
      }
      device = CUDA + ":" + gpus.addresses()[0];
      if (!DeviceRequest.isName(device)) {
        throw new DeviceException(
            "Spark gave the GPU address '" + gpus.addresses()[0] + "', which is not a number",
            "let the discovery script print numbers",
            null);
      }
    }
    return HERE.computeIfAbsent(
        new DeviceRequest(device, threads, settings),
        request -> Backends.obey(request, Optional.ofNullable(arithmetic)));
  }

  /** Whether only one task at a time may compute on it. */
  boolean isExclusive() {
    return kind.equals(CUDA);
  }

  /** The device as the driver has it: by name, for receipts; nothing computes on it here. */
  Backends.Choice onDriver(String cluster, Map<String, String> details) {
    return new Backends.Choice(new Elsewhere(this), cluster, details, java.util.List.of());
  }

  /** A backend of the executors. */
  private record Elsewhere(DecidedDevice device) implements Backend {
    @Override
    public String name() {
      return device.kind();
    }

    @Override
    public OptionalInt arithmetic() {
      return device.arithmetic() == null
          ? OptionalInt.empty()
          : OptionalInt.of(device.arithmetic());
    }

    @Override
    public Availability probe() {
      return Availability.usable("on executors");
    }

    @Override
    public TrainingSession open(
        TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
      throw new IllegalStateException("executors train, not the driver");
    }

    @Override
    public Predictor openPredictor(Parameters model) {
      throw new IllegalStateException("executors predict, not the driver");
    }
  }
}
