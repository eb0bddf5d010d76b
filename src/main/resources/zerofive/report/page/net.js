// The model: its layers in order, in float32. The description is JSON in the element "model", the weights of all
// layers one block of little-endian float32 in base64 in "weights"; a layer says where in that block its own begin.

const model = JSON.parse(element("model").textContent);
const weights = new Float32Array(bytesOf("weights").buffer);

/** What each kind of layer makes of its input; the values are [layer.outputs]. */
const FORWARD = {
  /** Weights [outputs, inputs] row-major, then biases [outputs]. Inputs of 0, most of a drawing, are left out. */
  linear(layer, input) {
    const nonzero = Int32Array.from(input.keys()).filter((i) => input[i] !== 0);
    const output = new Float32Array(layer.outputs);
    for (let unit = 0; unit < layer.outputs; unit++) {
      const row = layer.weights + unit * layer.inputs;
      let sum = weights[layer.biases + unit];
      for (let n = 0; n < nonzero.length; n++) {
        sum = Math.fround(sum + Math.fround(weights[row + nonzero[n]] * input[nonzero[n]]));
      }
      output[unit] = sum;
    }
    return output;
  },

  /** Weights [outputs, kernel, kernel, channels], then biases; images are [y, x, channel], with zeros around them. */
  convolution(layer, input) {
    const { height, width, channels, kernel, stride, border } = layer.window;
    const columns = places(width, layer.window);
    const output = new Float32Array(places(height, layer.window) * columns * layer.outputs);
    const covered = { outputs: layer.outputs, inputs: layer.inputs, weights: layer.weights, biases: layer.biases };
    const patch = new Float32Array(layer.inputs);
    for (let place = 0; place * layer.outputs < output.length; place++) {
      const top = Math.floor(place / columns) * stride - border;
      const left = (place % columns) * stride - border;
      for (let i = 0; i < patch.length; i++) {
        const y = top + Math.floor(i / (kernel * channels));
        const x = left + (Math.floor(i / channels) % kernel);
        const exists = y >= 0 && y < height && x >= 0 && x < width;
        patch[i] = exists ? input[(y * width + x) * channels + (i % channels)] : 0;
      }
      output.set(FORWARD.linear(covered, patch), place * layer.outputs);
    }
    return output;
  },
};

/** Places of a window along a side of its image. */
function places(side, window) {
  return Math.floor((side + 2 * window.border - window.kernel) / window.stride) + 1;
}

const ACTIVATION = {
  identity: (z) => z,
  relu: (z) => Math.max(z, 0),
};

/** What every layer gives for an image's bytes [height, width]; the last are the logits. */
function outputs(image) {
  let values = Float32Array.from(image, (byte) => byte / 255);
  return model.layers.map((layer) => (values = FORWARD[layer.kind](layer, values).map(ACTIVATION[layer.activation])));
}

/** Each class's probability: the softmax of the logits; one logit is that of the first of two classes, beside 0. */
function probabilities(logits) {
  const all = logits.length === 1 ? [logits[0], 0] : Array.from(logits);
  const largest = Math.max(...all);
  const exponentials = all.map((z) => Math.exp(z - largest));
  const sum = exponentials.reduce((a, b) => a + b);
  return exponentials.map((e) => e / sum);
}

/** The class that logits name: the first of the largest; of one logit the first class only above 0. */
function predicted(logits) {
  return logits.length === 1 ? (logits[0] > 0 ? 0 : 1) : logits.indexOf(Math.max(...logits));
}

const weightsOf = (layer) => (unit) =>
  weights.subarray(layer.weights + unit * layer.inputs, layer.weights + (unit + 1) * layer.inputs);

/**
 * What a first layer's units look at: how many, [height, width] of their weights, their strength in its outputs; of a
 * convolution's also their response at each place, a picture of `columns` places a row.
 */
const LOOK = {
  linear: (layer) => ({
    count: layer.outputs,
    width: model.width,
    height: model.height,
    isOfImage: true,
    weights: weightsOf(layer),
    strengths: (values) => values,
  }),

  convolution: (layer) => ({
    count: layer.outputs,
    width: layer.window.kernel,
    height: layer.window.kernel,
    isOfImage: false,
    weights: weightsOf(layer),
    strengths: (values) =>
      values.reduce((largest, value, i) => {
        largest[i % layer.outputs] = Math.max(largest[i % layer.outputs], value);
        return largest;
      }, new Float32Array(layer.outputs)),
    columns: places(layer.window.width, layer.window),
    responses: (values, unit) => values.filter((_, i) => i % layer.outputs === unit),
  }),
};
