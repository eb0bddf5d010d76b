package zerofive.backend.cuda;

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;

/**
 * What scripts/gpu-check times on the card, one mode a process. Each prints JSON, an object a line.
 *
 * <pre>
 * steps                 reads lines "MODEL PRODUCT SESSION EPOCHS", answers each with its epochs
 * kernels quick|full    every operation at the shapes of the notebook's net
 * copies quick|full     our uploads beside a plain pinned copy
 * start                 what of the start-up takes how long
 * command N ARGUMENT... a whole command N times, from exec to exit
 * full-card ARGUMENT... a command while this process holds all of the card's memory
 * </pre>
 */
final class GpuTimings {
  private static final int BATCH = 256;
  private static final float RATE = 0.5f;
  private static final int WARM_UP_EPOCHS = 3;

  private GpuTimings() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    List<String> rest = List.of(arguments).subList(1, arguments.length);
    boolean quick = rest.equals(List.of("quick"));
    switch (arguments[0]) {
      case "steps" -> steps();
      case "kernels" -> KernelTimings.print(quick);
      case "copies" -> CopyTimings.print(quick);
      case "start" -> start();
      case "command" -> command(Integer.parseInt(rest.get(0)), rest.subList(1, rest.size()));
      case "full-card" -> System.exit(onFullCard(rest));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  /** A line of results, at once: whoever asked may wait for it. */
  static void print(JsonObject json) {
    System.out.println(new Gson().toJson(json));
    System.out.flush();
  }

  /** The first card with our own matrix product or with the cuBLAS that is found. */
  static CudaOptions options(String product, SessionKind session, long residentBytes) {
    Optional<String> cublas =
        product.equals("own") ? Optional.of(CublasLibrary.NONE) : Optional.empty();
    return new CudaOptions(0, cublas, Precision.FP32, session, residentBytes);
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
          new Architecture(data.train().imageSize(), Architecture.parseHidden(model), 1);
      Optimizer optimizer = Optimizer.sgd();
      TrainingPlan plan = new TrainingPlan(architecture, Loss.BCE, optimizer, BATCH);
      TrainingState start =
          TrainingState.fresh(Initializer.PYTORCH.create(architecture, 1), optimizer);
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

  private static void steps() throws IOException {
    DataSet data = DataSets.load(DataSets.MNIST, ClassFilter.parse("0,5"));
    Map<String, Trained> sessions = new HashMap<>();
    BufferedReader requests =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    for (String line = requests.readLine(); line != null; line = requests.readLine()) {
      List<String> words = List.of(line.split(" ", -1));
      String model = words.get(0);
      String product = words.get(1);
      String session = words.get(2);
      CudaOptions options = options(product, SessionKind.parse(session), Long.MAX_VALUE);
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
      print(answer);
    }
  }

  // Start-up.

  private static void start() {
    Environment here = Environment.here();
    JsonObject parts = new JsonObject();
    long begin = System.nanoTime();
    JcudaNatives.loadDriver(DriverLibrary.find(here), here);
    begin = part(parts, "load libcuda and JCuda", begin);
    CudaCard card = CudaCard.find(0);
    begin = part(parts, "cuInit and the card's description", begin);
    CudaContext context = new CudaContext(card, 0);
    long opened = part(parts, "context and kernels", begin);
    parts.addProperty("of that, kernels", context.loadSeconds() * 1e6);
    CublasLibrary.Result cublas = CublasLibrary.find(Optional.empty(), here, card.driverCuda());
    CudaOptions options = options("cublas", SessionKind.GRAPH, Long.MAX_VALUE);
    if (cublas.library().isPresent()) {
      JcudaNatives.loadCublas(cublas.library().get(), here);
      opened = part(parts, "load cuBLAS", opened);
    }
    try (CudaOps ops = new CudaOps(context, options, cublas.library().isPresent())) {
      ops.clear(ops.allocate(ElementType.F32, 1));
      part(parts, "first operations, with cuBLAS's handle where there is one", opened);
    }
    context.close();
    print(parts);
  }

  /** Notes what passed since {@code begin}, in microseconds; returns the time. */
  private static long part(JsonObject parts, String name, long begin) {
    long now = System.nanoTime();
    parts.addProperty(name, (now - begin) / 1e3);
    return now;
  }

  // Commands.

  private static void command(int times, List<String> command)
      throws IOException, InterruptedException {
    double[] micros = new double[times];
    for (int i = 0; i < times; i++) {
      long begin = System.nanoTime();
      int code =
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor();
      micros[i] = (System.nanoTime() - begin) / 1e3;
      if (code != 0) {
        throw new IllegalStateException(String.join(" ", command) + " exits with " + code);
      }
    }
    Timing timing = new Timing(micros);
    JsonObject json = timing.json();
    json.addProperty("command", String.join(" ", command.subList(1, command.size())));
    json.add("all_us", timing.all());
    print(json);
  }

  /** Takes memory in ever smaller pieces until none is left; then the command has to do without. */
  private static int onFullCard(List<String> command) throws IOException, InterruptedException {
    CudaBackend backend = new CudaBackend(options("own", SessionKind.GRAPH, Long.MAX_VALUE));
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

  /** {@code values} as JSON. */
  static JsonArray array(List<JsonObject> values) {
    JsonArray array = new JsonArray();
    values.forEach(array::add);
    return array;
  }
}
