package zerofive.backend.reference;

import java.util.Arrays;
import zerofive.backend.Optimizer;
import zerofive.backend.Prediction;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Ops;
import zerofive.data.Augmentation;
import zerofive.model.Activation;
import zerofive.model.Loss;

/** Every operation of the seam, the way a textbook would write it. */
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
  public void gather(
      Buffer pixels,
      Buffer labels,
      Buffer order,
      int first,
      int rows,
      int width,
      Buffer x,
      Buffer targets) {
    ReferenceBuffer images = (ReferenceBuffer) pixels;
    ReferenceBuffer classes = (ReferenceBuffer) labels;
    ReferenceBuffer indices = (ReferenceBuffer) order;
    ReferenceBuffer out = (ReferenceBuffer) x;
    ReferenceBuffer outTargets = (ReferenceBuffer) targets;
    byte[] bytes = images.bytes();
    float[] values = out.floats();
    for (int r = 0; r < rows; r++) {
      int image = indices.ints()[indices.offset() + first + r];
      int from = images.offset() + image * width;
      int to = out.offset() + r * width;
      for (int p = 0; p < width; p++) {
        values[to + p] = NORMALIZED[bytes[from + p] & 0xff];
      }
      outTargets.ints()[outTargets.offset() + r] = classes.ints()[classes.offset() + image];
    }
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
    ReferenceBuffer images = (ReferenceBuffer) pixels;
    ReferenceBuffer classes = (ReferenceBuffer) labels;
    ReferenceBuffer indices = (ReferenceBuffer) order;
    ReferenceBuffer moves = (ReferenceBuffer) shifts;
    ReferenceBuffer out = (ReferenceBuffer) x;
    ReferenceBuffer outTargets = (ReferenceBuffer) targets;
    for (int r = 0; r < rows; r++) {
      int image = indices.ints()[indices.offset() + first + r];
      int shift = moves.ints()[moves.offset() + image];
      int from = images.offset() + image * height * width;
      int to = out.offset() + r * height * width;
      for (int v = 0; v < height; v++) {
        for (int u = 0; u < width; u++) {
          int fromV = v - Augmentation.dy(shift);
          int fromU = u - Augmentation.dx(shift);
          boolean exists = fromV >= 0 && fromV < height && fromU >= 0 && fromU < width;
          out.floats()[to + v * width + u] =
              exists ? NORMALIZED[images.bytes()[from + fromV * width + fromU] & 0xff] : 0;
        }
      }
      outTargets.ints()[outTargets.offset() + r] = classes.ints()[classes.offset() + image];
    }
  }

  @Override
  public void gemm(
      boolean transposeA, boolean transposeB, int m, int n, int k, Buffer a, Buffer b, Buffer c) {
    gemm.multiply(
        transposeA,
        transposeB,
        m,
        n,
        k,
        (ReferenceBuffer) a,
        (ReferenceBuffer) b,
        (ReferenceBuffer) c);
  }

  @Override
  public void biasActivation(Activation activation, int rows, int width, Buffer bias, Buffer z) {
    ReferenceBuffer shift = (ReferenceBuffer) bias;
    ReferenceBuffer inOut = (ReferenceBuffer) z;
    float[] b = shift.floats();
    float[] values = inOut.floats();
    for (int r = 0; r < rows; r++) {
      int row = inOut.offset() + r * width;
      for (int j = 0; j < width; j++) {
        float v = values[row + j] + b[shift.offset() + j];
        values[row + j] = activation == Activation.RELU && v < 0 ? 0 : v;
      }
    }
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
    ReferenceBuffer z = (ReferenceBuffer) logits;
    ReferenceBuffer classes = (ReferenceBuffer) targets;
    ReferenceBuffer out = (ReferenceBuffer) dLogits;
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
    add(metrics, LOSS_SUM, sum);
  }

  @Override
  public void evaluate(
      Loss loss, int rows, int outputs, Buffer logits, Buffer targets, Buffer metrics) {
    ReferenceBuffer z = (ReferenceBuffer) logits;
    ReferenceBuffer classes = (ReferenceBuffer) targets;
    double sum = 0;
    int correct = 0;
    for (int r = 0; r < rows; r++) {
      int row = z.offset() + r * outputs;
      int target = classes.ints()[classes.offset() + r];
      sum += ReferenceLoss.value(loss, z.floats(), row, outputs, target);
      correct += Prediction.of(z.floats(), row, outputs) == target ? 1 : 0;
    }
    add(metrics, LOSS_SUM, sum);
    add(metrics, CORRECT, correct);
  }

  private static void add(Buffer metrics, int index, double value) {
    ReferenceBuffer sums = (ReferenceBuffer) metrics;
    sums.doubles()[sums.offset() + index] += value;
  }

  @Override
  public void activationGradient(
      Activation activation, int rows, int width, Buffer activated, Buffer delta) {
    if (activation == Activation.IDENTITY) {
      return;
    }
    ReferenceBuffer a = (ReferenceBuffer) activated;
    ReferenceBuffer inOut = (ReferenceBuffer) delta;
    for (int i = 0; i < rows * width; i++) {
      if (a.floats()[a.offset() + i] <= 0) {
        inOut.floats()[inOut.offset() + i] = 0;
      }
    }
  }

  @Override
  public void biasGradient(int rows, int width, Buffer delta, Buffer gradient) {
    ReferenceBuffer d = (ReferenceBuffer) delta;
    ReferenceBuffer out = (ReferenceBuffer) gradient;
    for (int j = 0; j < width; j++) {
      double sum = 0;
      for (int r = 0; r < rows; r++) {
        sum += d.floats()[d.offset() + r * width + j];
      }
      out.floats()[out.offset() + j] = (float) sum;
    }
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
    switch (optimizer.kind()) {
      case SGD -> sgd(optimizer, w, g, momentValues, rate);
      case ADAM -> adam(optimizer.weightDecay(), 1, w, g, momentValues, table.floats(), row);
      case ADAMW -> adam(0, table.floats()[row + 3], w, g, momentValues, table.floats(), row);
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

  private static void adam(
      float decay,
      float factor,
      ReferenceBuffer parameters,
      ReferenceBuffer gradient,
      ReferenceBuffer moments,
      float[] table,
      int row) {
    float[] w = parameters.floats();
    float[] gradients = gradient.floats();
    float[] momentValues = moments.floats();
    float stepSize = table[row + 1];
    float root = table[row + 2];
    int n = parameters.length();
    for (int i = 0; i < n; i++) {
      int at = parameters.offset() + i;
      int first = moments.offset() + i;
      int second = first + n;
      float weight = factor * w[at];
      float g = gradients[gradient.offset() + i];
      if (decay != 0) {
        g = g + decay * weight;
      }
      float m = momentValues[first] + ONE_MINUS_BETA1 * (g - momentValues[first]);
      float v = BETA2 * momentValues[second] + ONE_MINUS_BETA2 * (g * g);
      momentValues[first] = m;
      momentValues[second] = v;
      w[at] = weight - stepSize * (m / ((float) Math.sqrt(v) / root + Optimizer.EPSILON));
    }
  }

  /** Java's garbage collector frees the arrays. */
  @Override
  public void close() {}
}
