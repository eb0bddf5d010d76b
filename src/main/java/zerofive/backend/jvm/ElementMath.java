package zerofive.backend.jvm;

import com.sun.management.HotSpotDiagnosticMXBean;
import java.lang.management.ManagementFactory;
import zerofive.backend.Optimizer;
import zerofive.model.Loss;

/**
 * The formulas of one element or one example, float32, with the bits and the names of
 * kernels/element_math.h, which explains them.
 */
final class ElementMath {
  /** What a pixel's value is multiplied by, once a sum is complete. */
  static final float PIXEL_SCALE = 1.0f / 255;

  private static final float ONE_MINUS_BETA1 = (float) (1 - Optimizer.BETA1);
  private static final float BETA2 = (float) Optimizer.BETA2;
  private static final float ONE_MINUS_BETA2 = (float) (1 - Optimizer.BETA2);

  /** 1.5 * 2^23: adding it leaves an integer in the low bits. */
  private static final float ROUND_TO_INTEGER = 12582912.0f;

  private static final boolean HAS_FMA = hasFma();

  private ElementMath() {}

  /**
   * {@code a * b + c}, rounded once. On a CPU without such an instruction {@link Math#fma} computes
   * with BigDecimal, which takes a thousand times as long; the same float comes of doubles.
   */
  static float fused(float a, float b, float c) {
    return HAS_FMA ? Math.fma(a, b, c) : emulated(a, b, c);
  }

  /**
   * The product is exact in double. Its sum with c is rounded to odd there (the last bit is set
   * where the sum is not exact), and that rounds to the right float. (Boldo and Melquiond,
   * Emulation of FMA and correctly rounded sums, 2008.)
   */
  static float emulated(float a, float b, float c) {
    double product = (double) a * b;
    double sum = product + c;
    double fromC = sum - product;
    double error = (product - (sum - fromC)) + (c - fromC);
    // Both are false for NaN, which comes of sums that are not finite.
    if (error < 0 || error > 0) {
      long bits = Double.doubleToRawLongBits(sum);
      if ((bits & 1) == 0) {
        sum = Double.longBitsToDouble(bits + ((error > 0) == (sum > 0) ? 1 : -1));
      }
    }
    return (float) sum;
  }

  /** What the JVM found out of the CPU; one that does not say so is taken to have none. */
  private static boolean hasFma() {
    try {
      return Boolean.parseBoolean(
          ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
              .getVMOption("UseFMA")
              .getValue());
    } catch (NullPointerException | IllegalArgumentException | LinkageError e) {
      return false;
    }
  }

  /** ReLU; NaN stays NaN and -0 stays -0, which {@link Math#max} would not leave so. */
  static float relu(float v) {
    return v < 0 ? 0 : v;
  }

  /** The gradient before a ReLU, from the activated value. */
  static float reluBackward(float activated, float delta) {
    return activated <= 0 ? 0 : delta;
  }

  /** e^x for x <= 0. */
  static float expNonpositive(float x) {
    float limited = x < -105.0f ? -105.0f : x;
    float shifted = fused(limited, 1.442695f, ROUND_TO_INTEGER);
    float n = shifted - ROUND_TO_INTEGER;
    float r = fused(n, -0.6931472f, limited);
    r = fused(n, 1.9046542e-9f, r);
    float p = 1.0f / 5040;
    p = fused(p, r, 1.0f / 720);
    p = fused(p, r, 1.0f / 120);
    p = fused(p, r, 1.0f / 24);
    p = fused(p, r, 1.0f / 6);
    p = fused(p, r, 0.5f);
    p = fused(p, r, 1.0f);
    p = fused(p, r, 1.0f);
    int exponent =
        Float.floatToRawIntBits(shifted) - Float.floatToRawIntBits(ROUND_TO_INTEGER) + 256;
    int half = exponent >>> 1;
    return p
        * Float.intBitsToFloat((half - 128 + 127) << 23)
        * Float.intBitsToFloat((exponent - half - 128 + 127) << 23);
  }

  /** log(1 + e) for e in [0, 1]. */
  static float log1pFraction(float e) {
    float s = e / (2.0f + e);
    float t = s * s;
    float p = 1.0f / 15;
    p = fused(p, t, 1.0f / 13);
    p = fused(p, t, 1.0f / 11);
    p = fused(p, t, 1.0f / 9);
    p = fused(p, t, 1.0f / 7);
    p = fused(p, t, 1.0f / 5);
    p = fused(p, t, 1.0f / 3);
    return fused(s * t, 2.0f * p, 2.0f * s);
  }

  /** log(x) for x >= 1. */
  static float logFromOne(float x) {
    int bits = Float.floatToRawIntBits(x);
    float n = (float) (bits >>> 23) - 127.0f;
    float m = Float.intBitsToFloat((bits & 0x7fffff) | 0x3f800000);
    boolean upper = m > 1.4142135f;
    m = upper ? 0.5f * m : m;
    n = upper ? n + 1.0f : n;
    float s = (m - 1.0f) / (m + 1.0f);
    float t = s * s;
    float p = 1.0f / 9;
    p = fused(p, t, 1.0f / 7);
    p = fused(p, t, 1.0f / 5);
    p = fused(p, t, 1.0f / 3);
    return fused(n, 0.6931472f, fused(s * t, 2.0f * p, 2.0f * s)) + 0.0f * x;
  }

  /** 1 / (1 + e^-z). */
  static float sigmoid(float z) {
    float e = expNonpositive(-Math.abs(z));
    return (z >= 0 ? 1.0f : e) / (1.0f + e);
  }

  /** The loss of an example with one logit; target 0 is the positive class. */
  static float binaryLoss(Loss loss, float z, int target) {
    float v = target == 0 ? -z : z;
    if (loss == Loss.MNIST) {
      return sigmoid(v);
    }
    return (v > 0 ? v : 0) + log1pFraction(expNonpositive(-Math.abs(v)));
  }

  /** The gradient of {@link #binaryLoss} at z. */
  static float binaryLossGrad(Loss loss, float z, int target) {
    float v = target == 0 ? -z : z;
    float e = expNonpositive(-Math.abs(z));
    float gradient = loss == Loss.MNIST ? e / ((1.0f + e) * (1.0f + e)) : sigmoid(v);
    return target == 0 ? -gradient : gradient;
  }

  /** The largest of a row of logits. */
  static float softmaxMax(float[] z) {
    float max = z[0];
    for (int j = 1; j < z.length; j++) {
      max = z[j] > max ? z[j] : max;
    }
    return max;
  }

  /** The sum of exp(z[j] - max). */
  static float softmaxSum(float[] z, float max) {
    float sum = 0;
    for (float logit : z) {
      sum += expNonpositive(logit - max);
    }
    return sum;
  }

  /** -log softmax(z)[target]. */
  static float softmaxLoss(float[] z, float max, float sum, int target) {
    return logFromOne(sum) + (max - z[target]);
  }

  /** The gradient of {@link #softmaxLoss} at z[j]. */
  static float softmaxGrad(float[] z, float max, float sum, int target, int j) {
    float probability = expNonpositive(z[j] - max) / sum;
    return j == target ? probability - 1.0f : probability;
  }

  /** Decay 0 leaves its term out: 0 times an infinite weight would be NaN. */
  static float addWeightDecay(float g, float w, float decay) {
    return decay != 0 ? g + decay * w : g;
  }

  static float momentumUpdate(float v, float g, float momentum) {
    return momentum * v + g;
  }

  static float sgdStep(float w, float g, float learningRate) {
    return w - learningRate * g;
  }

  static float adamFirstMoment(float m, float g) {
    return m + ONE_MINUS_BETA1 * (g - m);
  }

  static float adamSecondMoment(float v, float g) {
    return BETA2 * v + ONE_MINUS_BETA2 * (g * g);
  }

  static float adamStep(float w, float m, float v, float stepSize, float biasCorrection2Sqrt) {
    float root = (float) Math.sqrt(v);
    return w - stepSize * (m / (root / biasCorrection2Sqrt + Optimizer.EPSILON));
  }
}
