package zerofive.backend;

import java.util.Arrays;
import zerofive.model.Loss;
import zerofive.model.Window;

/**
 * The formulas of training once more, double in and double out, written from their definitions and
 * apart from every implementation. Matrices are row-major.
 */
public final class DoubleFormulas {
  private DoubleFormulas() {}

  /** A pixel as training sees it: the one rounding to float32 belongs to the definition. */
  public static double normalised(byte pixel) {
    return (pixel & 0xff) / 255f;
  }

  /** op(a) [m, k] times op(b) [k, n]. */
  public static double[] gemm(
      boolean transposeA, boolean transposeB, int m, int n, int k, double[] a, double[] b) {
    double[] rows = transposeA ? transposed(k, m, a) : a;
    double[] columns = transposeB ? b : transposed(k, n, b);
    double[] c = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int p = 0; p < k; p++) {
          sum += rows[i * k + p] * columns[j * k + p];
        }
        c[i * n + j] = sum;
      }
    }
    return c;
  }

  /** The largest magnitude among the k terms of each element of {@link #gemm}. */
  public static double[] gemmLargestTerms(
      boolean transposeA, boolean transposeB, int m, int n, int k, double[] a, double[] b) {
    double[] rows = transposeA ? transposed(k, m, a) : a;
    double[] columns = transposeB ? b : transposed(k, n, b);
    double[] largest = new double[m * n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        for (int p = 0; p < k; p++) {
          largest[i * n + j] =
              Math.max(largest[i * n + j], Math.abs(rows[i * k + p] * columns[j * k + p]));
        }
      }
    }
    return largest;
  }

  /** What a window covers at each place of each image: [rows * positions, fan-in]. */
  public static double[] unfold(Window window, int rows, double[] images) {
    double[] patches = new double[rows * window.positions() * window.fanIn()];
    for (int i = 0; i < patches.length; i++) {
      int pixel = pixel(window, i);
      patches[i] = pixel < 0 ? 0 : images[pixel];
    }
    return patches;
  }

  /** Each pixel's sum over all that {@link #unfold} takes from it. */
  public static double[] fold(Window window, int rows, double[] patches) {
    double[] images = new double[rows * window.inputSize()];
    for (int i = 0; i < patches.length; i++) {
      int pixel = pixel(window, i);
      if (pixel >= 0) {
        images[pixel] += patches[i];
      }
    }
    return images;
  }

  /** Which value of the images stands at {@code index} of the patches; -1 where none does. */
  private static int pixel(Window window, int index) {
    int channel = index % window.channels();
    int tap = index % window.fanIn() / window.channels();
    int place = index / window.fanIn() % window.positions();
    int row = index / window.fanIn() / window.positions();
    int y =
        place / window.outputWidth() * window.stride() - window.border() + tap / window.kernel();
    int x =
        place % window.outputWidth() * window.stride() - window.border() + tap % window.kernel();
    boolean exists = y >= 0 && y < window.height() && x >= 0 && x < window.width();
    return exists
        ? ((row * window.height() + y) * window.width() + x) * window.channels() + channel
        : -1;
  }

  /** [columns, rows] of what was [rows, columns]. */
  public static double[] transposed(int rows, int columns, double[] matrix) {
    double[] result = new double[rows * columns];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        result[c * rows + r] = matrix[r * columns + c];
      }
    }
    return result;
  }

  /** Column sums of [rows, width]. */
  public static double[] columnSums(int rows, int width, double[] matrix) {
    double[] sums = new double[width];
    for (int i = 0; i < rows * width; i++) {
      sums[i % width] += matrix[i];
    }
    return sums;
  }

  /** max(z, 0). */
  public static double relu(double z) {
    return z < 0 ? 0 : z;
  }

  /** Its gradient, 0 at 0. */
  public static double reluDerivative(double activated) {
    return activated <= 0 ? 0 : 1;
  }

  private static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }

  /** -log(sigmoid(z)); where e^-z would overflow, the 1 beside it is nothing. */
  private static double minusLogSigmoid(double z) {
    return z < -500 ? -z : Math.log1p(Math.exp(-z));
  }

  /** log(sum of e^z). */
  private static double logSumExp(double[] z) {
    double shift = Arrays.stream(z).max().getAsDouble();
    return shift + Math.log(Arrays.stream(z).map(v -> Math.exp(v - shift)).sum());
  }

  /** The loss of one example with the logits {@code z}. */
  public static double loss(Loss loss, double[] z, int target) {
    return switch (loss) {
      case MNIST -> sigmoid(target == 0 ? -z[0] : z[0]);
      case BCE -> minusLogSigmoid(target == 0 ? z[0] : -z[0]);
      case CROSS_ENTROPY -> logSumExp(z) - z[target];
    };
  }

  /** What a loss is a sum of, the largest magnitude: an error is measured against it. */
  public static double lossLargestTerm(Loss loss, double[] z, int target) {
    return switch (loss) {
      case MNIST -> 1;
      case BCE -> loss(loss, z, target);
      case CROSS_ENTROPY -> Math.max(Math.abs(z[target]), Math.abs(logSumExp(z)));
    };
  }

  /** d(loss of the example) / d(logit j). */
  public static double dLogit(Loss loss, double[] z, int target, int j) {
    return switch (loss) {
      case MNIST -> (target == 0 ? -1 : 1) * sigmoid(z[0]) * sigmoid(-z[0]);
      case BCE -> target == 0 ? -sigmoid(-z[0]) : sigmoid(z[0]);
      case CROSS_ENTROPY -> Math.exp(z[j] - logSumExp(z)) - (j == target ? 1 : 0);
    };
  }

  /** Whether the logits name the class {@code target}. */
  public static boolean isRight(double[] z, int target) {
    if (Arrays.stream(z).anyMatch(Double::isNaN)) {
      return false;
    }
    if (z.length == 1) {
      return target == (z[0] > 0 ? 0 : 1);
    }
    int before = (int) Arrays.stream(z, 0, target).filter(v -> v >= z[target]).count();
    int after = (int) Arrays.stream(z, target, z.length).filter(v -> v > z[target]).count();
    return before + after == 0;
  }

  /**
   * torch.optim's step number {@code t} (from 1) with learning rate {@code lr}, in place.
   *
   * @param moments SGD's momentum, or Adam's two moments one after the other
   */
  public static void update(
      Optimizer optimizer, double lr, int t, double[] w, double[] gradient, double[] moments) {
    double decay = Double.parseDouble(Float.toString(optimizer.weightDecay()));
    double momentum = optimizer.momentum();
    int n = w.length;
    for (int i = 0; i < n; i++) {
      boolean decoupled = optimizer.kind() == Optimizer.Kind.ADAMW;
      double g = gradient[i] + (decoupled ? 0 : decay * w[i]);
      if (optimizer.kind() == Optimizer.Kind.SGD) {
        if (momentum != 0) {
          moments[i] = momentum * moments[i] + g;
          g = moments[i];
        }
        w[i] -= lr * g;
        continue;
      }
      if (decoupled) {
        w[i] -= lr * decay * w[i];
      }
      moments[i] = Optimizer.BETA1 * moments[i] + (1 - Optimizer.BETA1) * g;
      moments[n + i] = Optimizer.BETA2 * moments[n + i] + (1 - Optimizer.BETA2) * g * g;
      double mean = moments[i] / (1 - Math.pow(Optimizer.BETA1, t));
      double square = moments[n + i] / (1 - Math.pow(Optimizer.BETA2, t));
      w[i] -= lr * mean / (Math.sqrt(square) + 1e-8);
    }
  }
}
