package zerofive.backend.reference;

import java.util.Arrays;
import zerofive.backend.Optimizer;
import zerofive.backend.Prediction;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Images;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.data.Augmentation;
import zerofive.model.Activation;
import zerofive.model.Loss;
import zerofive.model.Window;

/** {@link Ops} the way a textbook would write them. */
public final class ReferenceOps implements Ops {
  private static final float[] NORMALIZED = new float[256];

  static {
    for (int pixel = 0; pixel < NORMALIZED.length; pixel++) {
      NORMALIZED[pixel] = pixel / 255f;
    }
  }

  private static final float ONE_MINUS_BETA1 = (float) (1 - Optimizer.BETA1);
  private static final float BETA2 = (float) Optimizer.BETA2;
  private static final float ONE_MINUS_BETA2 = (float) (1 - Optimizer.BETA2);

  private final ReferenceGemm gemm = new ReferenceGemm();

  @Override
  public Buffer allocate(ElementType type, int length) {
    return ReferenceBuffer.allocate(type, length);
  }

  @Override
  public void upload(byte[] source, int offset, Buffer destination) {
    ReferenceBuffer to = (ReferenceBuffer) destination;
    System.arraycopy(source, offset, to.array(), to.offset(), to.length());
  }

  @Override
  public void upload(int[] source, Buffer destination) {
    ReferenceBuffer to = (ReferenceBuffer) destination;
    System.arraycopy(source, 0, to.array(), to.offset(), to.length());
  }

  @Override
  public void upload(float[] source, Buffer destination) {
    ReferenceBuffer to = (ReferenceBuffer) destination;
    System.arraycopy(source, 0, to.array(), to.offset(), to.length());
  }

  @Override
  public void download(Buffer source, float[] destination) {
    ReferenceBuffer from = (ReferenceBuffer) source;
    System.arraycopy(from.array(), from.offset(), destination, 0, from.length());
  }

  @Override
  public void download(Buffer source, double[] destination) {
    ReferenceBuffer from = (ReferenceBuffer) source;
    System.arraycopy(from.array(), from.offset(), destination, 0, from.length());
  }

  @Override
  public void clear(Buffer buffer) {
    ReferenceBuffer to = (ReferenceBuffer) buffer;
    int end = to.offset() + to.length();
    switch (to.type()) {
      case U8 -> Arrays.fill(to.bytes(), to.offset(), end, (byte) 0);
      case I32 -> Arrays.fill(to.ints(), to.offset(), end, 0);
      case F32 -> Arrays.fill(to.floats(), to.offset(), end, 0f);
      case F64 -> Arrays.fill(to.doubles(), to.offset(), end, 0.0);
    }
  }

  @Override
  public void gather(Images images, Batch batch, Matrix x, Buffer targets) {
    ReferenceBuffer order = (ReferenceBuffer) batch.order();
    ReferenceBuffer labels = (ReferenceBuffer) images.labels();
    ReferenceBuffer classes = (ReferenceBuffer) targets;
    for (int r = 0; r < batch.rows(); r++) {
      int image = order.ints()[order.offset() + batch.first() + r];
      if (batch.shifts() == null) {
        gatherRow(images, image, x, r);
      } else {
        ReferenceBuffer shifts = (ReferenceBuffer) batch.shifts();
        gatherRow(images, image, shifts.ints()[shifts.offset() + image], x, r);
      }
      classes.ints()[classes.offset() + r] = labels.ints()[labels.offset() + image];
    }
  }

  private static void gatherRow(Images images, int image, Matrix x, int r) {
    ReferenceBuffer pixels = (ReferenceBuffer) images.pixels();
    ReferenceBuffer out = (ReferenceBuffer) x.values();
    byte[] bytes = pixels.bytes();
    float[] values = out.floats();
    int size = images.imageSize();
    int from = pixels.offset() + image * size;
    int to = out.offset() + r * size;
    for (int p = 0; p < size; p++) {
      values[to + p] = NORMALIZED[bytes[from + p] & 0xff];
    }
  }

  private static void gatherRow(Images images, int image, int shift, Matrix x, int r) {
    ReferenceBuffer pixels = (ReferenceBuffer) images.pixels();
    ReferenceBuffer out = (ReferenceBuffer) x.values();
    int height = images.height();
    int width = images.width();
    int from = pixels.offset() + image * height * width;
    int to = out.offset() + r * height * width;
    for (int v = 0; v < height; v++) {
      for (int u = 0; u < width; u++) {
        int fromV = v - Augmentation.dy(shift);
        int fromU = u - Augmentation.dx(shift);
        boolean exists = fromV >= 0 && fromV < height && fromU >= 0 && fromU < width;
        out.floats()[to + v * width + u] =
            exists ? NORMALIZED[pixels.bytes()[from + fromV * width + fromU] & 0xff] : 0;
      }
    }
  }

  @Override
  public void gemm(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    gemm.multiply(transposeA, transposeB, a, b, c);
  }

  @Override
  public void biasActivation(Activation activation, Buffer bias, Matrix z) {
    ReferenceBuffer shift = (ReferenceBuffer) bias;
    ReferenceBuffer inOut = (ReferenceBuffer) z.values();
    float[] b = shift.floats();
    float[] values = inOut.floats();
    for (int r = 0; r < z.rows(); r++) {
      int row = inOut.offset() + r * z.columns();
      for (int j = 0; j < z.columns(); j++) {
        float v = values[row + j] + b[shift.offset() + j];
        values[row + j] = activation == Activation.RELU && v < 0 ? 0 : v;
      }
    }
  }

  @Override
  public void loss(
      Loss loss, Matrix logits, Buffer targets, Matrix dLogits, Buffer lossSums, int step) {
    ReferenceBuffer z = (ReferenceBuffer) logits.values();
    ReferenceBuffer classes = (ReferenceBuffer) targets;
    ReferenceBuffer out = (ReferenceBuffer) dLogits.values();
    int rows = logits.rows();
    int outputs = logits.columns();
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      int row = z.offset() + r * outputs;
      int target = classes.ints()[classes.offset() + r];
      sum += ReferenceLoss.value(loss, z.floats(), row, outputs, target);
      for (int j = 0; j < outputs; j++) {
        double dLogit = ReferenceLoss.dLogit(loss, z.floats(), row, outputs, target, j);
        out.floats()[out.offset() + r * outputs + j] = (float) (dLogit / rows);
      }
    }
    add(lossSums, step, sum);
  }

  @Override
  public void evaluate(Loss loss, Matrix logits, Buffer targets, Buffer metrics) {
    ReferenceBuffer z = (ReferenceBuffer) logits.values();
    ReferenceBuffer classes = (ReferenceBuffer) targets;
    int outputs = logits.columns();
    double sum = 0;
    int correct = 0;
    for (int r = 0; r < logits.rows(); r++) {
      int row = z.offset() + r * outputs;
      int target = classes.ints()[classes.offset() + r];
      sum += ReferenceLoss.value(loss, z.floats(), row, outputs, target);
      correct += Prediction.of(z.floats(), row, outputs) == target ? 1 : 0;
    }
    add(metrics, LOSS_SUM, sum);
    add(metrics, CORRECT, correct);
  }

  private static void add(Buffer sums, int index, double value) {
    ReferenceBuffer to = (ReferenceBuffer) sums;
    to.doubles()[to.offset() + index] += value;
  }

  @Override
  public void activationGradient(Activation activation, Matrix activated, Matrix delta) {
    if (activation == Activation.IDENTITY) {
      return;
    }
    ReferenceBuffer a = (ReferenceBuffer) activated.values();
    ReferenceBuffer inOut = (ReferenceBuffer) delta.values();
    for (int i = 0; i < delta.rows() * delta.columns(); i++) {
      if (a.floats()[a.offset() + i] <= 0) {
        inOut.floats()[inOut.offset() + i] = 0;
      }
    }
  }

  @Override
  public void biasGradient(Matrix delta, Buffer gradient) {
    ReferenceBuffer d = (ReferenceBuffer) delta.values();
    ReferenceBuffer out = (ReferenceBuffer) gradient;
    for (int j = 0; j < delta.columns(); j++) {
      double sum = 0;
      for (int r = 0; r < delta.rows(); r++) {
        sum += d.floats()[d.offset() + r * delta.columns() + j];
      }
      out.floats()[out.offset() + j] = (float) sum;
    }
  }

  @Override
  public void unfold(Window window, Matrix images, Matrix patches) {
    float[] from = ((ReferenceBuffer) images.values()).floats();
    float[] to = ((ReferenceBuffer) patches.values()).floats();
    walk(
        window,
        images,
        patches,
        (image, patch) -> {
          for (int c = 0; c < window.channels(); c++) {
            to[patch + c] = image < 0 ? 0 : from[image + c];
          }
        });
  }

  @Override
  public void fold(Window window, Matrix patches, Matrix images) {
    float[] from = ((ReferenceBuffer) patches.values()).floats();
    float[] to = ((ReferenceBuffer) images.values()).floats();
    int start = ((ReferenceBuffer) images.values()).offset();
    Arrays.fill(to, start, start + images.rows() * images.columns(), 0f);
    walk(
        window,
        images,
        patches,
        (image, patch) -> {
          for (int c = 0; c < window.channels() && image >= 0; c++) {
            to[image + c] += from[patch + c];
          }
        });
  }

  /**
   * Calls {@code pixels} with the place of the first channel of each pixel that a window covers, in
   * the images and in the patches; -1 for the former where the pixel lies outside. Taps are the
   * outermost loop, so that a pixel meets them in ascending order.
   */
  private static void walk(Window window, Matrix images, Matrix patches, PixelPair pixels) {
    int imageStart = ((ReferenceBuffer) images.values()).offset();
    int patchStart = ((ReferenceBuffer) patches.values()).offset();
    int kernel = window.kernel();
    int channels = window.channels();
    for (int tap = 0; tap < kernel * kernel; tap++) {
      for (int place = 0; place < images.rows() * window.positions(); place++) {
        int r = place / window.positions();
        int y = place % window.positions() / window.outputWidth();
        int x = place % window.outputWidth();
        int v = y * window.stride() + tap / kernel - window.border();
        int u = x * window.stride() + tap % kernel - window.border();
        boolean exists = v >= 0 && v < window.height() && u >= 0 && u < window.width();
        int pixel = (r * window.height() + v) * window.width() + u;
        pixels.accept(
            exists ? imageStart + pixel * channels : -1,
            patchStart + (place * kernel * kernel + tap) * channels);
      }
    }
  }

  /** Takes a place in images and one in patches. */
  private interface PixelPair {
    void accept(int image, int patch);
  }

  @Override
  public void update(
      Optimizer optimizer,
      Buffer parameters,
      Buffer gradient,
      Buffer moments,
      Buffer stepParameters,
      int step) {
    ReferenceBuffer w = (ReferenceBuffer) parameters;
    ReferenceBuffer g = (ReferenceBuffer) gradient;
    ReferenceBuffer momentValues = (ReferenceBuffer) moments;
    ReferenceBuffer table = (ReferenceBuffer) stepParameters;
    int row = table.offset() + step * STEP_PARAMETERS;
    float rate = table.floats()[row];
    if (optimizer.kind() == Optimizer.Kind.SGD) {
      sgd(optimizer, w, g, momentValues, rate);
    } else {
      adam(optimizer, w, g, momentValues, table.floats(), row);
    }
  }

  private static void sgd(
      Optimizer optimizer,
      ReferenceBuffer parameters,
      ReferenceBuffer gradient,
      ReferenceBuffer moments,
      float rate) {
    float[] w = parameters.floats();
    float[] gradients = gradient.floats();
    float[] v = moments.floats();
    float momentum = optimizer.momentum();
    float decay = optimizer.weightDecay();
    for (int i = 0; i < parameters.length(); i++) {
      int at = parameters.offset() + i;
      float g = gradients[gradient.offset() + i];
      if (decay != 0) {
        g = g + decay * w[at];
      }
      if (momentum != 0) {
        g = momentum * v[moments.offset() + i] + g;
        v[moments.offset() + i] = g;
      }
      w[at] = w[at] - rate * g;
    }
  }

  /** Adam and AdamW, which differ in how the weights decay. */
  private static void adam(
      Optimizer optimizer,
      ReferenceBuffer parameters,
      ReferenceBuffer gradient,
      ReferenceBuffer moments,
      float[] table,
      int row) {
    float[] w = parameters.floats();
    float[] gradients = gradient.floats();
    float[] momentValues = moments.floats();
    boolean decoupled = optimizer.kind() == Optimizer.Kind.ADAMW;
    float decay = decoupled ? 0 : optimizer.weightDecay();
    float decayFactor = decoupled ? table[row + 3] : 1;
    float stepSize = table[row + 1];
    float biasCorrection2Sqrt = table[row + 2];
    int n = parameters.length();
    for (int i = 0; i < n; i++) {
      int at = parameters.offset() + i;
      int first = moments.offset() + i;
      int second = first + n;
      float weight = decayFactor * w[at];
      float g = gradients[gradient.offset() + i];
      if (decay != 0) {
        g = g + decay * weight;
      }
      float m = momentValues[first] + ONE_MINUS_BETA1 * (g - momentValues[first]);
      float v = BETA2 * momentValues[second] + ONE_MINUS_BETA2 * (g * g);
      momentValues[first] = m;
      momentValues[second] = v;
      w[at] =
          weight
              - stepSize * (m / ((float) Math.sqrt(v) / biasCorrection2Sqrt + Optimizer.EPSILON));
    }
  }

  /** Java's garbage collector frees the arrays. */
  @Override
  public void close() {}
}
