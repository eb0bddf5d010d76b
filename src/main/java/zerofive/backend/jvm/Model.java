package zerofive.backend.jvm;

import static zerofive.backend.jvm.ElementMath.PIXEL_SCALE;
import static zerofive.backend.jvm.ElementMath.fused;

import java.util.Arrays;
import java.util.List;
import zerofive.model.Architecture;

/** A model's layers, forward and backward for one image at a time. */
final class Model {
  final Layer[] layers;
  private final Architecture architecture;

  /**
   * A model without values yet.
   *
   * @param moments kinds of values that the optimiser keeps; -1 where it is not to be trained
   */
  Model(Architecture architecture, int moments) {
    this.architecture = architecture;
    List<zerofive.model.Layer> places = architecture.layers();
    layers = new Layer[places.size()];
    for (int l = 0; l < layers.length; l++) {
      layers[l] = new Layer(places.get(l), l == 0, l == layers.length - 1, moments);
    }
  }

  /** Whether it is a linear model with one logit, whose sums are others. */
  boolean isLinear() {
    return layers.length == 1 && !layers[0].isByInput;
  }

  int outputs() {
    return architecture.outputs();
  }

  /** Sets the values of one kind, 0 being the parameters, from {@code start} on. */
  void set(int kind, float[] from, int start) {
    for (Layer layer : layers) {
      layer.set(kind, from, start);
    }
  }

  /** Writes the values of one kind from {@code start} on. */
  void get(int kind, float[] to, int start) {
    for (Layer layer : layers) {
      layer.get(kind, to, start);
    }
  }

  /** How many of the layers, the first ones, are convolutions. */
  int convolutions() {
    return architecture.convolutions();
  }

  /** Room for what each layer puts out of one image: [layers][output size]. */
  float[][] activations() {
    return architecture.windows().stream()
        .map(window -> new float[window.outputSize()])
        .toArray(float[][]::new);
  }

  /** The convolutions of one thread that computes {@link #forward}. */
  Convolution[] windows() {
    return architecture.windows().stream()
        .limit(convolutions())
        .map(Convolution::new)
        .toArray(Convolution[]::new);
  }

  /** Sums of one thread that computes {@link #forward}. */
  Chains chains() {
    return new Chains(layers[0].isByInput ? layers[0].outputs : 0);
  }

  /** Writes what each layer puts out to h[l], the logits last. */
  void forward(SparseImages.Row image, Chains chains, Convolution[] windows, float[][] h) {
    if (isLinear()) {
      h[0][0] = logit(image);
      return;
    }
    for (int l = 0; l < layers.length; l++) {
      Layer layer = layers[l];
      float[] z = h[l];
      if (l < windows.length) {
        windows[l].forward(l == 0 ? windows[0].image(image) : h[l - 1], layer, z);
        continue;
      }
      if (l == 0) {
        chains.sparseProduct(image.entries(), image.count(), layer.weights, layer.bias(), z);
      } else if (layer.isByInput) {
        Arrays.fill(z, 0);
        Chains.addProducts(h[l - 1], layer.weights, layer.inputs, z);
        Chains.add(z, layer.bias());
      } else {
        for (int o = 0; o < z.length; o++) {
          z[o] = Chains.dot(h[l - 1], layer.weights[o]) + layer.bias()[o];
        }
      }
      if (l < layers.length - 1) {
        for (int j = 0; j < z.length; j++) {
          z[j] = ElementMath.relu(z[j]);
        }
      }
    }
  }

  /** The logit of a linear model that has one. */
  float logit(SparseImages.Row image) {
    return fused(Chains.dot(image, layers[0].weights[0]), PIXEL_SCALE, layers[0].bias()[0]);
  }

  /**
   * From the gradient at the logits, the last of d, to that at each hidden layer.
   *
   * @param h what each layer put out
   */
  void backward(Convolution[] windows, float[][] h, float[][] d) {
    for (int l = layers.length - 1; l > 0; l--) {
      float[] below = d[l - 1];
      if (l < windows.length) {
        windows[l].backward(d[l], layers[l], h[l - 1], below);
        continue;
      }
      Arrays.fill(below, 0);
      Chains.addProducts(d[l], layers[l].transposed[0], layers[l].outputs, below);
      float[] activated = h[l - 1];
      for (int j = 0; j < below.length; j++) {
        below[j] = ElementMath.reluBackward(activated[j], below[j]);
      }
    }
  }
}
