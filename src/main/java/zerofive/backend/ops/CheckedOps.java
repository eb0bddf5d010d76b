package zerofive.backend.ops;

import java.util.Locale;
import zerofive.backend.Optimizer;
import zerofive.model.Activation;
import zerofive.model.Loss;
import zerofive.model.Window;

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
  public void gather(Images images, Batch batch, Matrix x, Buffer targets) {
    long imageSize = (long) images.height() * images.width();
    if (images.height() <= 0 || images.width() <= 0 || imageSize > Integer.MAX_VALUE) {
      throw refused("gather: images of %d x %d pixels", images.height(), images.width());
    }
    if (batch.first() < 0) {
      throw refused("gather: first is %d", batch.first());
    }
    matrix("gather", "x", x, batch.rows(), (int) imageSize);
    int count = images.labels().length();
    buffer("gather", "pixels", images.pixels(), ElementType.U8, count * imageSize);
    buffer("gather", "labels", images.labels(), ElementType.I32, 1);
    buffer("gather", "order", batch.order(), ElementType.I32, (long) batch.first() + batch.rows());
    if (batch.shifts() != null) {
      buffer("gather", "shifts", batch.shifts(), ElementType.I32, count);
    }
    buffer("gather", "targets", targets, ElementType.I32, batch.rows());
    ops.gather(images, batch, x, targets);
  }

  @Override
  public void gemm(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    matrix("gemm", "a", a);
    matrix("gemm", "b", b);
    int k = transposeA ? a.rows() : a.columns();
    int n = transposeB ? b.rows() : b.columns();
    matrix("gemm", "b", b, transposeB ? n : k, transposeB ? k : n);
    matrix("gemm", "c", c, transposeA ? a.columns() : a.rows(), n);
    ops.gemm(transposeA, transposeB, a, b, c);
  }

  @Override
  public void biasActivation(Activation activation, Buffer bias, Matrix z) {
    matrix("biasActivation", "z", z);
    buffer("biasActivation", "bias", bias, ElementType.F32, z.columns());
    ops.biasActivation(activation, bias, z);
  }

  @Override
  public void loss(
      Loss loss, Matrix logits, Buffer targets, Matrix dLogits, Buffer lossSums, int step) {
    logits("loss", loss, logits, targets);
    matrix("loss", "dLogits", dLogits, logits.rows(), logits.columns());
    if (step < 0) {
      throw refused("loss: step is %d", step);
    }
    buffer("loss", "lossSums", lossSums, ElementType.F64, step + 1L);
    ops.loss(loss, logits, targets, dLogits, lossSums, step);
  }

  @Override
  public void evaluate(Loss loss, Matrix logits, Buffer targets, Buffer metrics) {
    logits("evaluate", loss, logits, targets);
    buffer("evaluate", "metrics", metrics, ElementType.F64, METRICS);
    ops.evaluate(loss, logits, targets, metrics);
  }

  @Override
  public void activationGradient(Activation activation, Matrix activated, Matrix delta) {
    matrix("activationGradient", "activated", activated);
    matrix("activationGradient", "delta", delta, activated.rows(), activated.columns());
    ops.activationGradient(activation, activated, delta);
  }

  @Override
  public void biasGradient(Matrix delta, Buffer gradient) {
    matrix("biasGradient", "delta", delta);
    buffer("biasGradient", "gradient", gradient, ElementType.F32, delta.columns());
    ops.biasGradient(delta, gradient);
  }

  @Override
  public void unfold(Window window, Matrix images, Matrix patches) {
    windows("unfold", window, images, patches);
    ops.unfold(window, images, patches);
  }

  @Override
  public void fold(Window window, Matrix patches, Matrix images) {
    windows("fold", window, images, patches);
    ops.fold(window, patches, images);
  }

  private static void windows(String op, Window window, Matrix images, Matrix patches) {
    matrix(op, "images", images, images.rows(), window.inputSize());
    int places = Math.multiplyExact(images.rows(), window.positions());
    matrix(op, "patches", patches, places, window.fanIn());
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
  public void layer(Dense layer, Matrix input, Matrix output) {
    matrix("layer", "weight", layer.weight());
    int outputs = layer.weight().rows();
    buffer("layer", "bias", layer.bias(), ElementType.F32, outputs);
    matrix("layer", "input", input, input.rows(), layer.weight().columns());
    matrix("layer", "output", output, input.rows(), outputs);
    ops.layer(layer, input, output);
  }

  @Override
  public void layerGradient(
      Matrix delta, Matrix input, Matrix weightGradient, Buffer biasGradient) {
    matrix("layerGradient", "delta", delta);
    matrix("layerGradient", "input", input, delta.rows(), input.columns());
    matrix("layerGradient", "weightGradient", weightGradient, delta.columns(), input.columns());
    buffer("layerGradient", "biasGradient", biasGradient, ElementType.F32, delta.columns());
    ops.layerGradient(delta, input, weightGradient, biasGradient);
  }

  @Override
  public void convolutionGradient(
      Window window, Matrix delta, Matrix patches, Matrix weightGradient, Buffer biasGradient) {
    matrix("convolutionGradient", "delta", delta, delta.rows(), window.outputs());
    if (delta.rows() % window.positions() != 0) {
      throw refused(
          "convolutionGradient: delta has %d rows, not a multiple of the window's %d positions",
          delta.rows(), window.positions());
    }
    matrix("convolutionGradient", "patches", patches, delta.rows(), window.fanIn());
    matrix(
        "convolutionGradient", "weightGradient", weightGradient, window.outputs(), window.fanIn());
    buffer("convolutionGradient", "biasGradient", biasGradient, ElementType.F32, window.outputs());
    ops.convolutionGradient(window, delta, patches, weightGradient, biasGradient);
  }

  @Override
  public void layerDelta(
      Activation activation, Matrix delta, Matrix weight, Matrix input, Matrix below) {
    matrix("layerDelta", "delta", delta);
    matrix("layerDelta", "weight", weight, delta.columns(), weight.columns());
    matrix("layerDelta", "input", input, delta.rows(), weight.columns());
    matrix("layerDelta", "below", below, delta.rows(), weight.columns());
    ops.layerDelta(activation, delta, weight, input, below);
  }

  @Override
  public Runnable recorded(Runnable calls) {
    return ops.recorded(calls);
  }

  @Override
  public void close() {
    ops.close();
  }

  private static void logits(String op, Loss loss, Matrix logits, Buffer targets) {
    matrix(op, "logits", logits);
    if (!(loss == Loss.CROSS_ENTROPY ? logits.columns() > 2 : logits.columns() == 1)) {
      throw refused("%s: %s on %d logits", op, loss, logits.columns());
    }
    buffer(op, "targets", targets, ElementType.I32, logits.rows());
  }

  private static void matrix(String op, String argument, Matrix matrix, int rows, int columns) {
    if (matrix.rows() != rows || matrix.columns() != columns) {
      throw refused(
          "%s: %s is [%d, %d], expected [%d, %d]",
          op, argument, matrix.rows(), matrix.columns(), rows, columns);
    }
    matrix(op, argument, matrix);
  }

  private static void matrix(String op, String argument, Matrix matrix) {
    if (matrix.rows() <= 0 || matrix.columns() <= 0) {
      throw refused(
          "%s: %s is [%d, %d], expected positive sizes",
          op, argument, matrix.rows(), matrix.columns());
    }
    long elements = (long) matrix.rows() * matrix.columns();
    buffer(op, argument, matrix.values(), ElementType.F32, elements);
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
