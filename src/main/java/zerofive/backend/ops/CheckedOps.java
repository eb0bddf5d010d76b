package zerofive.backend.ops;

import java.util.List;
import java.util.Locale;
import zerofive.backend.Optimizer;
import zerofive.model.Activation;
import zerofive.model.Loss;

/**
 * Checks every shape once, before an unchecked kernel runs. A failed check is a defect of the
 * caller: IllegalArgumentException with the operation, the argument and both sizes.
 */
public final class CheckedOps implements Ops {
  private final Ops ops;

  /** Checks in front of {@code ops}. */
  public CheckedOps(Ops ops) {
    this.ops = ops;
  }

  @Override
  public Buffer allocate(ElementType type, int length) {
    if (length < 0) {
      throw refused("allocate: length %d is negative", length);
    }
    return ops.allocate(type, length);
  }

  @Override
  public void upload(byte[] source, int offset, Buffer destination) {
    buffer("upload", "destination", destination, ElementType.U8, destination.length());
    if (!(offset >= 0 && (long) offset + destination.length() <= source.length)) {
      throw refused(
          "upload: bytes %d to %d of %d",
          offset, (long) offset + destination.length(), source.length);
    }
    ops.upload(source, offset, destination);
  }

  @Override
  public void upload(int[] source, Buffer destination) {
    whole("upload", "destination", destination, ElementType.I32, source.length);
    ops.upload(source, destination);
  }

  @Override
  public void upload(float[] source, Buffer destination) {
    whole("upload", "destination", destination, ElementType.F32, source.length);
    ops.upload(source, destination);
  }

  @Override
  public void download(Buffer source, float[] destination) {
    whole("download", "source", source, ElementType.F32, destination.length);
    ops.download(source, destination);
  }

  @Override
  public void download(Buffer source, double[] destination) {
    whole("download", "source", source, ElementType.F64, destination.length);
    ops.download(source, destination);
  }

  @Override
  public void clear(Buffer buffer) {
    ops.clear(buffer);
  }

  @Override
  public void gather(
      Buffer pixels,
      Buffer labels,
      Buffer order,
      int first,
      int rows,
      int width,
      Buffer x,
      Buffer targets) {
    sizes("gather", rows, width, 1);
    batch("gather", pixels, labels, order, first, rows, width, x, targets);
    ops.gather(pixels, labels, order, first, rows, width, x, targets);
  }

  @Override
  public void gatherShifted(
      Buffer pixels,
      Buffer labels,
      Buffer order,
      Buffer shifts,
      int first,
      int rows,
      int height,
      int width,
      Buffer x,
      Buffer targets) {
    sizes("gatherShifted", rows, height, width);
    batch("gatherShifted", pixels, labels, order, first, rows, (long) height * width, x, targets);
    buffer("gatherShifted", "shifts", shifts, ElementType.I32, labels.length());
    ops.gatherShifted(pixels, labels, order, shifts, first, rows, height, width, x, targets);
  }

  private static void batch(
      String op,
      Buffer pixels,
      Buffer labels,
      Buffer order,
      int first,
      int rows,
      long imageSize,
      Buffer x,
      Buffer targets) {
    if (first < 0) {
      throw refused("%s: first is %d", op, first);
    }
    buffer(op, "pixels", pixels, ElementType.U8, labels.length() * imageSize);
    buffer(op, "labels", labels, ElementType.I32, 1);
    buffer(op, "order", order, ElementType.I32, (long) first + rows);
    buffer(op, "x", x, ElementType.F32, rows * imageSize);
    buffer(op, "targets", targets, ElementType.I32, rows);
  }

  @Override
  public void gemm(
      boolean transposeA, boolean transposeB, int m, int n, int k, Buffer a, Buffer b, Buffer c) {
    sizes("gemm", m, n, k);
    buffer("gemm", "a", a, ElementType.F32, (long) m * k);
    buffer("gemm", "b", b, ElementType.F32, (long) k * n);
    buffer("gemm", "c", c, ElementType.F32, (long) m * n);
    ops.gemm(transposeA, transposeB, m, n, k, a, b, c);
  }

  @Override
  public void biasActivation(Activation activation, int rows, int width, Buffer bias, Buffer z) {
    sizes("biasActivation", rows, width, 1);
    buffer("biasActivation", "bias", bias, ElementType.F32, width);
    buffer("biasActivation", "z", z, ElementType.F32, (long) rows * width);
    ops.biasActivation(activation, rows, width, bias, z);
  }

  @Override
  public void loss(
      Loss loss,
      int rows,
      int outputs,
      Buffer logits,
      Buffer targets,
      Buffer dLogits,
      Buffer metrics) {
    logits("loss", loss, rows, outputs, logits, targets, metrics);
    buffer("loss", "gradients", dLogits, ElementType.F32, (long) rows * outputs);
    ops.loss(loss, rows, outputs, logits, targets, dLogits, metrics);
  }

  @Override
  public void evaluate(
      Loss loss, int rows, int outputs, Buffer logits, Buffer targets, Buffer metrics) {
    logits("evaluate", loss, rows, outputs, logits, targets, metrics);
    ops.evaluate(loss, rows, outputs, logits, targets, metrics);
  }

  @Override
  public void activationGradient(
      Activation activation, int rows, int width, Buffer activated, Buffer delta) {
    sizes("activationGradient", rows, width, 1);
    buffer("activationGradient", "activated", activated, ElementType.F32, (long) rows * width);
    buffer("activationGradient", "delta", delta, ElementType.F32, (long) rows * width);
    ops.activationGradient(activation, rows, width, activated, delta);
  }

  @Override
  public void biasGradient(int rows, int width, Buffer delta, Buffer gradient) {
    sizes("biasGradient", rows, width, 1);
    buffer("biasGradient", "delta", delta, ElementType.F32, (long) rows * width);
    buffer("biasGradient", "gradient", gradient, ElementType.F32, width);
    ops.biasGradient(rows, width, delta, gradient);
  }

  @Override
  public void update(
      Optimizer optimizer,
      Buffer parameters,
      Buffer gradient,
      Buffer moments,
      Buffer stepParameters,
      int step) {
    int n = parameters.length();
    buffer("update", "parameters", parameters, ElementType.F32, 1);
    buffer("update", "gradient", gradient, ElementType.F32, n);
    buffer("update", "moments", moments, ElementType.F32, (long) n * optimizer.momentCount());
    if (step < 0) {
      throw refused("update: step is %d", step);
    }
    buffer(
        "update", "stepParameters", stepParameters, ElementType.F32, (step + 1L) * STEP_PARAMETERS);
    ops.update(optimizer, parameters, gradient, moments, stepParameters, step);
  }

  @Override
  public void layer(
      Activation activation,
      int rows,
      int inputs,
      int outputs,
      Buffer input,
      Buffer weight,
      Buffer bias,
      Buffer output) {
    sizes("layer", rows, inputs, outputs);
    buffer("layer", "input", input, ElementType.F32, (long) rows * inputs);
    buffer("layer", "weight", weight, ElementType.F32, (long) outputs * inputs);
    buffer("layer", "bias", bias, ElementType.F32, outputs);
    buffer("layer", "output", output, ElementType.F32, (long) rows * outputs);
    ops.layer(activation, rows, inputs, outputs, input, weight, bias, output);
  }

  @Override
  public void layerGradient(
      int rows,
      int inputs,
      int outputs,
      Buffer delta,
      Buffer input,
      Buffer weightGradient,
      Buffer biasGradient) {
    sizes("layerGradient", rows, inputs, outputs);
    buffer("layerGradient", "delta", delta, ElementType.F32, (long) rows * outputs);
    buffer("layerGradient", "input", input, ElementType.F32, (long) rows * inputs);
    buffer(
        "layerGradient",
        "weightGradient",
        weightGradient,
        ElementType.F32,
        (long) outputs * inputs);
    buffer("layerGradient", "biasGradient", biasGradient, ElementType.F32, outputs);
    ops.layerGradient(rows, inputs, outputs, delta, input, weightGradient, biasGradient);
  }

  @Override
  public void layerDelta(
      Activation activation,
      int rows,
      int inputs,
      int outputs,
      Buffer delta,
      Buffer weight,
      Buffer input,
      Buffer below) {
    sizes("layerDelta", rows, inputs, outputs);
    buffer("layerDelta", "delta", delta, ElementType.F32, (long) rows * outputs);
    buffer("layerDelta", "weight", weight, ElementType.F32, (long) outputs * inputs);
    buffer("layerDelta", "input", input, ElementType.F32, (long) rows * inputs);
    buffer("layerDelta", "below", below, ElementType.F32, (long) rows * inputs);
    ops.layerDelta(activation, rows, inputs, outputs, delta, weight, input, below);
  }

  @Override
  public Runnable recorded(Runnable calls) {
    return ops.recorded(calls);
  }

  @Override
  public List<String> notes() {
    return ops.notes();
  }

  @Override
  public void close() {
    ops.close();
  }

  private static void logits(
      String op, Loss loss, int rows, int outputs, Buffer logits, Buffer targets, Buffer metrics) {
    sizes(op, rows, outputs, 1);
    if (!(loss == Loss.CROSS_ENTROPY ? outputs > 2 : outputs == 1)) {
      throw refused("%s: %s on %d logits", op, loss, outputs);
    }
    buffer(op, "logits", logits, ElementType.F32, (long) rows * outputs);
    buffer(op, "targets", targets, ElementType.I32, rows);
    buffer(op, "metrics", metrics, ElementType.F64, METRICS);
  }

  private static void sizes(String op, int a, int b, int c) {
    if (a <= 0 || b <= 0 || c <= 0) {
      throw refused("%s: sizes %d, %d, %d are not all positive", op, a, b, c);
    }
  }

  private static void whole(
      String op, String argument, Buffer buffer, ElementType type, int length) {
    buffer(op, argument, buffer, type, length);
    if (buffer.length() != length) {
      throw refused(
          "%s: %s has %d elements, expected exactly %d", op, argument, buffer.length(), length);
    }
  }

  private static void buffer(
      String op, String argument, Buffer buffer, ElementType type, long atLeast) {
    if (buffer.type() != type) {
      throw refused("%s: %s holds %s, expected %s", op, argument, buffer.type(), type);
    }
    if (buffer.length() < atLeast) {
      throw refused(
          "%s: %s has %d elements, expected at least %d", op, argument, buffer.length(), atLeast);
    }
  }

  /** Built only when a check has failed: the checks of a batch allocate nothing. */
  private static IllegalArgumentException refused(String message, Object... arguments) {
    return new IllegalArgumentException(String.format(Locale.ROOT, message, arguments));
  }
}
