package zerofive.backend.cuda;

import java.util.List;
import zerofive.backend.DeviceException;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.model.Architecture;
import zerofive.model.Layer;

/**
 * A model in the GPU's memory as the exact engine's kernels read it (kernels/exact.cuh): weights of
 * the last of several layers, and of a linear model with one logit, [outputs, inputs], all others
 * [inputs, outputs]; rows, biases and outputs padded with zeros to whole panels of 32 floats.
 */
final class ExactModel {
  private static final int PANEL = 32;

  /** Ints of the kernels' description of a layer. */
  private static final int LAYER_INTS = 9;

  private final CudaOps ops;
  private final List<Layer> places;
  private final Shape[] shapes;
  private final int size;
  private final int rowFloats;
  private final int kinds;
  private final Buffer layout;
  private final Buffer values;
  private final Buffer transposed;
  private final float[] hostTransposed;

  /** Where a layer's values lie; in the order of the kernels' description. */
  private record Shape(
      int inputs,
      int outputs,
      boolean isByInput,
      int rowFloats,
      int weights,
      int bias,
      int transposed,
      int transposedFloats,
      int output) {
    int[] ints() {
      return new int[] {
        inputs,
        outputs,
        isByInput ? 1 : 0,
        rowFloats,
        weights,
        bias,
        transposed,
        transposedFloats,
        output
      };
    }

    int weight(int output, int input) {
      return weights + (isByInput ? input * rowFloats + output : output * rowFloats + input);
    }
  }

  /**
   * Takes memory for a model; its values are zero.
   *
   * @param moments kinds of values that the optimiser keeps
   * @throws DeviceException where the model is too large
   */
  ExactModel(CudaOps ops, Architecture architecture, int moments) {
    this.ops = ops;
    places = architecture.layers();
    shapes = new Shape[places.size()];
    kinds = 1 + moments;
    long at = 0;
    long transposedAt = 0;
    long row = 0;
    for (int l = 0; l < shapes.length; l++) {
      Layer place = places.get(l);
      boolean isLast = l == shapes.length - 1;
      boolean isByInput = !isLast || (l == 0 && place.outputs() > 1);
      int rows = isByInput ? place.inputs() : place.outputs();
      long width = padded(isByInput ? place.outputs() : place.inputs());
      long weights = at;
      long bias = weights + rows * width;
      at = bias + padded(place.outputs());
      long transposedStart = transposedAt;
      if (l > 0 && isByInput) {
        transposedAt += place.outputs() * padded(place.inputs());
      }
      shapes[l] =
          new Shape(
              place.inputs(),
              place.outputs(),
              isByInput,
              (int) width,
              (int) weights,
              (int) bias,
              (int) transposedStart,
              (int) padded(place.inputs()),
              (int) row);
      row += padded(place.outputs());
    }
    if (at * kinds > Integer.MAX_VALUE - PANEL) {
      throw new DeviceException(
          "a model of "
              + architecture.parameterCount()
              + " parameters is too large for the exact engine; use cuBLAS without --exact, or"
              + " --device cpu");
    }
    size = (int) at;
    rowFloats = (int) row;
    hostTransposed = new float[(int) transposedAt];
    layout = ops.allocate(ElementType.I32, LAYER_INTS * shapes.length);
    int[] ints = new int[LAYER_INTS * shapes.length];
    for (int l = 0; l < shapes.length; l++) {
      System.arraycopy(shapes[l].ints(), 0, ints, l * LAYER_INTS, LAYER_INTS);
    }
    ops.upload(ints, layout);
    values = ops.allocate(ElementType.F32, size * kinds);
    transposed = ops.allocate(ElementType.F32, hostTransposed.length);
  }

  /**
   * A model of the same shape in memory that is there.
   *
   * @param values as {@link #values}
   * @param transposed as {@link #transposed}
   */
  ExactModel(ExactModel like, Buffer values, Buffer transposed) {
    ops = like.ops;
    places = like.places;
    shapes = like.shapes;
    size = like.size;
    rowFloats = like.rowFloats;
    kinds = like.kinds;
    layout = like.layout;
    hostTransposed = like.hostTransposed;
    this.values = values;
    this.transposed = transposed;
  }

  private static long padded(int count) {
    return (count + PANEL - 1L) / PANEL * PANEL;
  }

  /** Whether it is a linear model with one logit, which has kernels of its own. */
  boolean isLinear() {
    return shapes.length == 1 && !shapes[0].isByInput;
  }

  int layers() {
    return shapes.length;
  }

  int inputs() {
    return shapes[0].inputs;
  }

  /** Inputs of layer {@code l}. */
  int inputs(int l) {
    return shapes[l].inputs;
  }

  /** Outputs of layer {@code l}. */
  int outputs(int l) {
    return shapes[l].outputs;
  }

  /** Logits. */
  int outputs() {
    return shapes[shapes.length - 1].outputs;
  }

  /** Floats of one kind of values with their padding. */
  int size() {
    return size;
  }

  /** Floats of all layers' outputs of one image. */
  int rowFloats() {
    return rowFloats;
  }

  /** I32, a description of each layer. */
  Buffer layout() {
    return layout;
  }

  /** F32 [kinds, size]: the parameters, then the moments. */
  Buffer values() {
    return values;
  }

  /** F32, the hidden layers' weights as the backward pass reads them. */
  Buffer transposed() {
    return transposed;
  }

  /** Takes the parameters in the order of the model file. */
  void setParameters(float[] parameters) {
    float[] laidOut = new float[size];
    layOut(parameters, 0, laidOut, 0);
    for (int l = 1; l < shapes.length; l++) {
      Shape shape = shapes[l];
      // The last layer is stored that way already.
      if (shape.isByInput) {
        for (int o = 0; o < shape.outputs; o++) {
          for (int i = 0; i < shape.inputs; i++) {
            hostTransposed[shape.transposed + o * shape.transposedFloats + i] =
                laidOut[shape.weight(o, i)];
          }
        }
      }
    }
    ops.upload(laidOut, values.slice(0, size));
    ops.upload(hostTransposed, transposed);
  }

  /** Takes the optimiser's values, [kinds - 1, parameters]. */
  void setMoments(float[] moments) {
    if (kinds > 1) {
      float[] laidOut = new float[size * (kinds - 1)];
      for (int kind = 0; kind < kinds - 1; kind++) {
        layOut(moments, kind * (moments.length / (kinds - 1)), laidOut, kind * size);
      }
      ops.upload(laidOut, values.slice(size, laidOut.length));
    }
  }

  private void layOut(float[] from, int start, float[] to, int base) {
    for (int l = 0; l < shapes.length; l++) {
      Shape shape = shapes[l];
      int at = start + places.get(l).weightOffset();
      for (int o = 0; o < shape.outputs; o++) {
        for (int i = 0; i < shape.inputs; i++) {
          to[base + shape.weight(o, i)] = from[at++];
        }
      }
      System.arraycopy(from, at, to, base + shape.bias, shape.outputs);
    }
  }

  /** All values in the order of the model file, [kinds, parameters]. */
  float[] download(int parameters) {
    float[] laidOut = new float[size * kinds];
    ops.download(values, laidOut);
    float[] all = new float[parameters * kinds];
    for (int kind = 0; kind < kinds; kind++) {
      for (int l = 0; l < shapes.length; l++) {
        Shape shape = shapes[l];
        int base = kind * size;
        int at = kind * parameters + places.get(l).weightOffset();
        for (int o = 0; o < shape.outputs; o++) {
          for (int i = 0; i < shape.inputs; i++) {
            all[at++] = laidOut[base + shape.weight(o, i)];
          }
        }
        System.arraycopy(laidOut, base + shape.bias, all, at, shape.outputs);
      }
    }
    return all;
  }
}
