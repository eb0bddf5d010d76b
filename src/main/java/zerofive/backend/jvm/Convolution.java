package zerofive.backend.jvm;

import java.util.Arrays;
import zerofive.model.Window;

/**
 * A convolution as one thread computes it. Images are [height, width, channels] in one array;
 * weights are those of a {@link Layer}, whose inputs are what the window covers, (ky, kx, c).
 */
final class Convolution {
  /** Terms of one part of a weight's gradient, at least. */
  private static final int GROUP_TERMS = 128;

  private final Window window;
  private final int taps;
  private final int channels;
  private final int positions;
  private final int outputs;

  /** The pixel below each weight of the window at each position; -1 outside of the image. */
  private final int[] pixels;

  private final float[] patch;
  private final float[] output;
  private final float[] sum;
  private final float[] factors;

  /** The gradients at each position of a group of images; made when they are needed. */
  private final float[][] rows;

  Convolution(Window window) {
    this.window = window;
    taps = window.kernel() * window.kernel();
    channels = window.channels();
    positions = window.positions();
    outputs = window.outputs();
    pixels = new int[positions * taps];
    for (int at = 0; at < pixels.length; at++) {
      pixels[at] = pixel(at / taps, at % taps);
    }
    patch = new float[window.fanIn()];
    output = new float[outputs];
    sum = new float[channels];
    factors = new float[Math.max(outputs, group() * positions)];
    rows = new float[group() * positions][];
  }

  private int pixel(int position, int tap) {
    int y =
        position / window.outputWidth() * window.stride() + tap / window.kernel() - window.border();
    int x =
        position % window.outputWidth() * window.stride() + tap % window.kernel() - window.border();
    return y < 0 || y >= window.height() || x < 0 || x >= window.width()
        ? -1
        : y * window.width() + x;
  }

  /** Images whose part of the weights' gradient is summed apart. */
  int group() {
    int group = 1;
    while (group * positions < GROUP_TERMS) {
      group *= 2;
    }
    return group;
  }

  /** The pixels of an image, each divided by 255. */
  float[] image(SparseImages.Row row) {
    float[] image = new float[window.height() * window.width()];
    int[] entries = row.entries();
    for (int e = 0; e < row.count(); e++) {
      image[entries[e] >>> 8] = (entries[e] & 0xff) / 255.0f;
    }
    return image;
  }

  /** What the layer makes of an image, after its ReLU: to [positions, outputs]. */
  void forward(float[] image, Layer layer, float[] to) {
    for (int p = 0; p < positions; p++) {
      for (int tap = 0; tap < taps; tap++) {
        int pixel = pixels[p * taps + tap];
        if (pixel < 0) {
          Arrays.fill(patch, tap * channels, (tap + 1) * channels, 0);
        } else {
          System.arraycopy(image, pixel * channels, patch, tap * channels, channels);
        }
      }
      Arrays.fill(output, 0);
      Chains.addProducts(patch, layer.weights, patch.length, output);
      Chains.add(output, layer.bias());
      for (int o = 0; o < outputs; o++) {
        to[p * outputs + o] = ElementMath.relu(output[o]);
      }
    }
  }

  /**
   * The gradient at an image, through the ReLU that made it.
   *
   * @param delta that at the output, [positions, outputs]
   */
  void backward(float[] delta, Layer layer, float[] image, float[] to) {
    Arrays.fill(to, 0);
    for (int tap = 0; tap < taps; tap++) {
      for (int p = 0; p < positions; p++) {
        int pixel = pixels[p * taps + tap];
        if (pixel < 0) {
          continue;
        }
        System.arraycopy(delta, p * outputs, factors, 0, outputs);
        Arrays.fill(sum, 0);
        Chains.addProducts(factors, layer.transposed[tap], outputs, sum);
        for (int c = 0; c < channels; c++) {
          to[pixel * channels + c] += sum[c];
        }
      }
    }
    for (int i = 0; i < to.length; i++) {
      to[i] = ElementMath.reluBackward(image[i], to[i]);
    }
  }

  /**
   * One part of the gradient of the weights of the inputs [i0, i1), and with input 0 of the bias.
   *
   * @param images at most a group
   * @param deltas the gradients at the output of each of them
   * @param isFirst whether it is in place of what the gradient holds, not added to it
   */
  void gradient(float[][] images, float[][] deltas, Layer layer, int i0, int i1, boolean isFirst) {
    int count = images.length * positions;
    for (int at = 0; at < count; at++) {
      int first = at % positions * outputs;
      rows[at] = Arrays.copyOfRange(deltas[at / positions], first, first + outputs);
    }
    for (int i = i0; i < i1; i++) {
      int tap = i / channels;
      int channel = i % channels;
      for (int at = 0; at < count; at++) {
        int pixel = pixels[at % positions * taps + tap];
        factors[at] = pixel < 0 ? 0 : images[at / positions][pixel * channels + channel];
      }
      Arrays.fill(output, 0);
      Chains.addProducts(factors, rows, count, output);
      put(output, layer.gradient[i], isFirst);
    }
    if (i0 == 0) {
      Arrays.fill(output, 0);
      for (int at = 0; at < count; at++) {
        Chains.add(output, rows[at]);
      }
      put(output, layer.biasGradient, isFirst);
    }
  }

  private static void put(float[] part, float[] gradient, boolean isFirst) {
    if (isFirst) {
      System.arraycopy(part, 0, gradient, 0, part.length);
    } else {
      Chains.add(gradient, part);
    }
  }
}
