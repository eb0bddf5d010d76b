package zerofive.backend.cuda;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import zerofive.backend.DeviceException;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.ops.ElementType;
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.data.IdxFolder;
import zerofive.data.remote.DataSetRegistry;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.ModelSpec;

/**
 * What scripts/gpu-check times on the GPU, one mode a process. Each prints JSON, an object a line,
 * as soon as a figure is known, so that a run that is killed keeps what it has measured.
 *
 * <pre>
 * steps [DATA]          reads lines "MODEL PRODUCT SESSION EPOCHS", answers each with its epochs
 * kernels full|dry      every operation at the shapes of the notebook's net
 * sweeps full|dry       epochs of many trainings side by side
 * copies full|dry       our uploads beside a plain pinned copy
 * start CACHE           how long each part of the start-up takes; CACHE says how full the driver's cache is
 * commands ROUNDS       reads lines "NAME tab COMMAND", runs each ROUNDS times, in turns, from start to exit
 * full-memory COMMAND   a command while this process holds all of the GPU's memory
 * digits DIR            no timing: writes a data set of 512 and 256 small images as IDX files
 * </pre>
 */
final class GpuTimings {
  private static final int BATCH = 256;
  private static final float RATE = 0.5f;
  private static final int WARM_UP_EPOCHS = 3;
  private static final int SIDE = 28;

  private GpuTimings() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<String> rest = List.of(arguments).subList(1, arguments.length);
    boolean dryRun = rest.equals(List.of("dry"));
    switch (arguments[0]) {
      case "steps" -> steps(rest.isEmpty() ? DataSetRegistry.MNIST : rest.get(0));
      case "kernels" -> KernelTimings.print(dryRun);
      case "sweeps" -> SweepTimings.print(dryRun);
      case "copies" -> CopyTimings.print(dryRun);
      case "start" -> start(rest.get(0));
      case "commands" -> commands(Integer.parseInt(rest.get(0)));
      case "full-memory" -> System.exit(onFullMemory(rest));
      case "digits" -> writeDigits(Path.of(rest.get(0)));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /**
   * A line of results, at once: whoever asked may wait for it.
   *
   * @param timing which of the report's tables it belongs to
   */
  static void print(String timing, JsonObject json) {
    JsonObject line = new JsonObject();
    line.addProperty("timing", timing);
    json.entrySet().forEach(member -> line.add(member.getKey(), member.getValue()));
    System.out.println(new Gson().toJson(line));
    System.out.flush();
  }

  private static BufferedReader requests() {
    return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
  }

  /** The first GPU with our own kernels, the exact engine, or with the cuBLAS that is found. */
  static CudaOptions options(String product, SessionKind session) {
    Optional<String> cublas =
        product.equals("own") ? Optional.of(CublasLibrary.NONE) : Optional.empty();
    return new CudaOptions(0, cublas, Precision.FP32, session);
  }

  // Epochs.

  /** A session on real MNIST, 0 against 5, that has been trained a few epochs. */
  private static final class Trained {
    private final TrainingSession session;
    private final DataSet data;
    private final float[] rates;
    private int epoch;

    Trained(CudaBackend backend, DataSet data, String model) {
      this.data = data;
      Architecture architecture =
          new Architecture(data.train().imageSize(), ModelSpec.parse(model).hidden(), 1);
      Optimizer optimizer = Optimizer.sgd();
      TrainingPlan plan = new TrainingPlan(architecture, Loss.BCE, optimizer, BATCH);
      TrainingState start =
          TrainingState.initial(Initializer.PYTORCH.create(architecture, 1), optimizer);
      session = backend.open(plan, data.train(), data.valid(), start);
      rates = new float[plan.stepsPerEpoch(data.train().count())];
      Arrays.fill(rates, RATE);
      for (int i = 0; i < WARM_UP_EPOCHS; i++) {
        train();
      }
    }

    /** Microseconds of an epoch with its uploads and the download of its loss. */
    double train() {
      int[] order = ExampleOrder.SHUFFLED.indices(data.train().targets(), 1, ++epoch);
      return session.trainEpoch(new EpochInput(order, rates)).elapsedNanos() / 1e3;
    }

    Timing perStep(int epochs) {
      double[] micros = new double[epochs];
      for (int i = 0; i < epochs; i++) {
        micros[i] = train();
      }
      return new Timing(micros).per(rates.length);
    }
  }

  private static void steps(String name) throws IOException {
    DataSet data = DataSets.load(name, ClassFilter.parse("0,5"));
    Map<String, Trained> sessions = new HashMap<>();
    BufferedReader requests = requests();
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      List<String> words = List.of(line.split(" ", -1));
      String model = words.get(0);
      String product = words.get(1);
      String session = words.get(2);
      CudaOptions options = options(product, SessionKind.parse(session));
      CudaBackend backend = new CudaBackend(options);
      JsonObject answer = new JsonObject();
      answer.addProperty("model", model);
      answer.addProperty("who", "zerofive " + product + " " + session);
      if (product.equals("cublas") && !backend.probe().notes().isEmpty()) {
        answer.addProperty("missing", String.join(", ", backend.probe().notes()));
      } else {
        Trained trained =
            sessions.computeIfAbsent(
                String.join(" ", words.subList(0, 3)), key -> new Trained(backend, data, model));
        answer.add("microseconds_per_step", trained.perStep(Integer.parseInt(words.get(3))).all());
      }
      print("steps", answer);
    }
  }

  /** For the simulated device, which takes minutes for an epoch of MNIST. */
  private static void writeDigits(Path folder) throws IOException {
    Files.createDirectories(folder);
    int[] labels = IntStream.range(0, 2 * BATCH).map(i -> i % 2 * 5).toArray();
    new IdxFolder(folder, SIDE, SIDE).train(labels).valid(Arrays.copyOf(labels, BATCH));
  }

  // Start-up.

  private static void start(String cache) {
    Environment here = Environment.here();
    JsonObject parts = new JsonObject();
    parts.addProperty("cache", cache);
    long begin = System.nanoTime();
    DriverLibrary.find(here).load();
    begin = part(parts, "load libcuda and JCuda", begin);
    CudaGpu gpu = CudaGpu.find(0);
    begin = part(parts, "cuInit and the GPU's description", begin);
    CudaContext context = new CudaContext(gpu, 0);
    long opened = part(parts, "context and kernels", begin);
    parts.addProperty("of that, kernels", context.loadSeconds() * 1e6);
    CublasLibrary.Result cublas = CublasLibrary.find(Optional.empty(), here, gpu.driverCuda());
    CudaOptions options = options("cublas", SessionKind.GRAPH);
    if (cublas.library().isPresent()) {
      cublas.library().get().load();
      opened = part(parts, "load cuBLAS", opened);
    }
    try (CudaOps ops = new CudaOps(context, options, cublas.library().isPresent())) {
      ops.clear(ops.allocate(ElementType.F32, 1));
      part(parts, "first operations, with cuBLAS's handle where there is one", opened);
    }
    context.close();
    print("start", parts);
  }

  /** Notes what passed since {@code begin}, in microseconds; returns the time. */
  private static long part(JsonObject parts, String name, long begin) {
    long now = System.nanoTime();
    parts.addProperty(name, (now - begin) / 1e3);
    return now;
  }

  // Commands.

  /** Each command's output is discarded. */
  private static void commands(int rounds) throws IOException, InterruptedException {
    List<String> commands = requests().lines().toList();
    for (int round = 0; round < rounds; round++) {
      for (String line : commands) {
        String[] request = line.split("\t", -1);
        List<String> command = List.of(request[1].split(" ", -1));
        long begin = System.nanoTime();
        int code =
            new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        double micros = (System.nanoTime() - begin) / 1e3;
        if (code != 0) {
          throw new IllegalStateException(request[1] + " exits with " + code);
        }
        JsonObject json = new JsonObject();
        json.addProperty("command", request[0]);
        json.addProperty("us", micros);
        print("commands", json);
      }
    }
  }

  /** Takes memory in ever smaller pieces until none is left; then the command has to do without. */
  private static int onFullMemory(List<String> command) throws IOException, InterruptedException {
    CudaBackend backend = new CudaBackend(options("own", SessionKind.GRAPH));
    if (!backend.probe().usable()) {
      throw new IllegalStateException(backend.probe().detail());
    }
    List<String> refusals = new ArrayList<>();
    try (CudaOps ops = backend.newOps()) {
      for (int length = 1 << 28; length >= 1 << 18; length >>= 1) {
        refusals.add(takeAll(ops, length));
      }
      System.out.println("this process was told at last: " + refusals.get(refusals.size() - 1));
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    } finally {
      backend.close();
    }
  }

  private static String takeAll(CudaOps ops, int length) {
    while (true) {
      try {
        ops.allocate(ElementType.F32, length);
      } catch (DeviceException e) {
        return e.getMessage();
      }
    }
  }
}
