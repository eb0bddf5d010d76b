package zerofive.backend.ops;

import zerofive.backend.Optimizer;
import zerofive.model.Activation;
import zerofive.model.Window;

/** The element-wise operations in float32, as the comments of {@link Ops} define them. */
final class FloatFormulas {
  private FloatFormulas() {}

  static float normalised(byte pixel) {
    return (float) (pixel & 0xff) / 255f;
  }

  static float activated(Activation activation, float z, float bias) {
    float v = z + bias;
    return switch (activation) {
      case IDENTITY -> v;
      case RELU -> v < 0 ? 0 : v;
    };
  }

  static float activationGradient(Activation activation, float activated, float delta) {
    return switch (activation) {
      case IDENTITY -> delta;
      case RELU -> activated <= 0 ? 0 : delta;
    };
  }

  /** Each pixel's sum of what the windows that cover it have for it, from +0, tap after tap. */
  static float[] fold(Window window, int rows, float[] patches) {
    float[] images = new float[rows * window.inputSize()];
    for (int tap = 0; tap < window.kernel() * window.kernel(); tap++) {
      for (int place = 0; place < rows * window.positions(); place++) {
        int r = place / window.positions();
        int y = place % window.positions() / window.outputWidth();
        int x = place % window.outputWidth();
        int v = y * window.stride() - window.border() + tap / window.kernel();
        int u = x * window.stride() - window.border() + tap % window.kernel();
        for (int c = 0; c < window.channels(); c++) {
          if (v >= 0 && v < window.height() && u >= 0 && u < window.width()) {
            int pixel = (r * window.height() + v) * window.width() + u;
            images[pixel * window.channels() + c] +=
                patches[place * window.fanIn() + tap * window.channels() + c];
          }
        }
      }
    }
    return images;
  }

  /** A step's row of the stepParameters buffer; {@code t} counts from 1. */
  static float[] stepParameters(Optimizer optimizer, float lr, int t) {
    double decay = Double.parseDouble(Float.toString(optimizer.weightDecay()));
    return new float[] {
      lr,
      (float) (lr / (1 - Math.pow(0.9, t))),
      (float) Math.sqrt(1 - Math.pow(0.999, t)),
      (float) (1 - lr * decay)
    };
  }

  /** One step, in place; {@code stepParameters} is the step's own row. */
  static void update(
      Optimizer optimizer, float[] w, float[] gradient, float[] moments, float[] stepParameters) {
    for (int i = 0; i < w.length; i++) {
      switch (optimizer.kind()) {
        case SGD -> {
          float g = add_weight_decay(gradient[i], optimizer.weightDecay(), w[i]);
          if (optimizer.momentum() != 0) {
            moments[i] = optimizer.momentum() * moments[i] + g;
            g = moments[i];
          }
          w[i] = w[i] - stepParameters[0] * g;
        }
        case ADAM -> {
          float g = add_weight_decay(gradient[i], optimizer.weightDecay(), w[i]);
          w[i] = w[i] - adam(i, w.length, g, moments, stepParameters);
        }
        case ADAMW -> {
          w[i] = stepParameters[3] * w[i];
          w[i] = w[i] - adam(i, w.length, gradient[i], moments, stepParameters);
        }
      }
    }
  }

  private static float add_weight_decay(float gradient, float decay, float w) {
    return decay == 0 ? gradient : gradient + decay * w;
  }

  private static float adam(int i, int n, float g, float[] moments, float[] stepParameters) {
    float m = moments[i] + 0.1f * (g - moments[i]);
    float v = 0.999f * moments[n + i] + 0.001f * (g * g);
    moments[i] = m;
    moments[n + i] = v;
    float denominator = (float) Math.sqrt(v) / stepParameters[2] + 1e-8f;
    return stepParameters[1] * (m / denominator);
  }
}
