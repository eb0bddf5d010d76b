package zerofive.backend.cuda;

import com.google.gson.JsonObject;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import zerofive.backend.Optimizer;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.Dense;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Images;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.model.Activation;
import zerofive.model.Loss;

/**
 * Every operation by itself at the shapes of the notebook's net, 784-30-1, batch 256: launched back
 * to back, and from a graph of as many. The host's clock runs from the first launch until the GPU
 * is done with the last.
 */
final class KernelTimings {
  private static final int ROWS = 256;
  private static final int INPUTS = 784;
  private static final int HIDDEN = 30;
  private static final int IMAGES = 11_344;
  private static final int PARAMETERS = INPUTS * HIDDEN + HIDDEN + HIDDEN + 1;

  private final Ops ops;
  private final SplittableRandom random = new SplittableRandom(1);
  private final double[] sums = new double[Ops.METRICS];
  private final Buffer metrics;

  private final int launches;
  private final int runs;

  private KernelTimings(Ops ops, boolean dryRun) {
    this.ops = ops;
    launches = dryRun ? 2 : 1000;
    runs = dryRun ? 1 : 15;
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
  }

  /** A line for each operation, as soon as it is timed. */
  static void print(boolean dryRun) {
    for (String product : List.of("own", "cublas")) {
      CudaOptions options = GpuTimings.options(product, SessionKind.GRAPH);
      try (CudaBackend backend = new CudaBackend(options)) {
        // With notes, our own product has replaced the cuBLAS that was asked for.
        if (backend.probe().notes().isEmpty()) {
          try (CudaOps ops = backend.newOps()) {
            KernelTimings timings = new KernelTimings(ops, dryRun);
            timings
                .calls(product)
                .forEach((name, call) -> GpuTimings.print("kernels", timings.time(name, call)));
          }
        }
      }
    }
  }

  private JsonObject time(String name, Runnable call) {
    Runnable many =
        () -> {
          for (int i = 0; i < launches; i++) {
            call.run();
          }
        };
    Runnable graph = ops.recorded(many);
    JsonObject row = new JsonObject();
    row.addProperty("name", name);
    row.addProperty("launches", launches);
    row.add("launched", Timing.of(runs, () -> finish(many)).per(launches).json());
    row.add("graph", Timing.of(runs, () -> finish(graph)).per(launches).json());
    return row;
  }

  /** A download waits for all that came before it. */
  private void finish(Runnable work) {
    work.run();
    ops.download(metrics, sums);
  }

  /** The operations; with cuBLAS only those that it takes part in. */
  private Map<String, Runnable> calls(String product) {
    Matrix x = floats(ROWS, INPUTS);
    Matrix weight = floats(HIDDEN, INPUTS);
    Buffer bias = floats(HIDDEN);
    Dense layer = new Dense(Activation.RELU, weight, bias);
    Matrix hidden = floats(ROWS, HIDDEN);
    Matrix delta = floats(ROWS, HIDDEN);
    Matrix gradient = floats(HIDDEN, INPUTS);
    Map<String, Runnable> calls = new LinkedHashMap<>();
    calls.put(
        "gemm forward [256, 784] x [784, 30], " + product,
        () -> ops.gemm(false, true, x, weight, hidden));
    calls.put(
        "gemm gradient [30, 256] x [256, 784], " + product,
        () -> ops.gemm(true, false, delta, x, gradient));
    calls.put(
        "layer [256, 784] to [256, 30] with bias and ReLU, " + product,
        () -> ops.layer(layer, x, hidden));
    if (product.equals("own")) {
      putElementwise(calls, bias, hidden, delta);
    }
    return calls;
  }

  private void putElementwise(
      Map<String, Runnable> calls, Buffer bias, Matrix hidden, Matrix delta) {
    byte[] bytes = new byte[IMAGES * INPUTS];
    random.nextBytes(bytes);
    Buffer pixels = ops.allocate(ElementType.U8, bytes.length);
    ops.upload(bytes, 0, pixels);
    Buffer labels = integers(IMAGES, 2);
    Buffer order = integers(IMAGES, IMAGES);
    Images images = new Images(pixels, labels, 1, INPUTS);
    Batch batch = new Batch(order, 0, ROWS);
    Matrix x = floats(ROWS, INPUTS);
    Buffer targets = integers(ROWS, 2);
    Matrix logits = floats(ROWS, 1);
    Matrix dLogits = floats(ROWS, 1);
    Buffer biasGradient = floats(HIDDEN);
    Matrix one = floats(1, 1);
    Buffer oneBias = floats(1);
    Buffer parameters = floats(PARAMETERS);
    Buffer gradient = floats(PARAMETERS);
    Buffer moments = ops.allocate(ElementType.F32, 2 * PARAMETERS);
    Buffer none = ops.allocate(ElementType.F32, 0);
    Buffer stepParameters = floats(Ops.STEP_PARAMETERS);
    Optimizer sgd = Optimizer.sgd();
    Optimizer adam = new Optimizer(Optimizer.Kind.ADAM, 0, 0);
    calls.put(
        "launch gap: one element", () -> ops.biasActivation(Activation.IDENTITY, oneBias, one));
    calls.put("gather [256, 784]", () -> ops.gather(images, batch, x, targets));
    calls.put("bias_activation [256, 30]", () -> ops.biasActivation(Activation.RELU, bias, hidden));
    calls.put("loss bce [256, 1]", () -> ops.loss(Loss.BCE, logits, targets, dLogits, metrics, 0));
    calls.put("evaluate bce [256, 1]", () -> ops.evaluate(Loss.BCE, logits, targets, metrics));
    calls.put(
        "activation_gradient [256, 30]",
        () -> ops.activationGradient(Activation.RELU, hidden, delta));
    calls.put("bias_gradient [256, 30]", () -> ops.biasGradient(delta, biasGradient));
    calls.put(
        "update sgd [23581]", () -> ops.update(sgd, parameters, gradient, none, stepParameters, 0));
    calls.put(
        "update adam [23581]",
        () -> ops.update(adam, parameters, gradient, moments, stepParameters, 0));
  }

  private Matrix floats(int rows, int columns) {
    return new Matrix(floats(rows * columns), rows, columns);
  }

  private Buffer floats(int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = (float) random.nextDouble(-1e-3, 1e-3);
    }
    Buffer buffer = ops.allocate(ElementType.F32, length);
    ops.upload(values, buffer);
    return buffer;
  }

  private Buffer integers(int length, int bound) {
    int[] values = random.ints(length, 0, bound).toArray();
    Buffer buffer = ops.allocate(ElementType.I32, length);
    ops.upload(values, buffer);
    return buffer;
  }
}
