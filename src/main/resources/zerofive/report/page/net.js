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
};

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

/** What a first layer's units look at: how many, [height, width] of their weights, their strength in its outputs. */
const LOOK = {
  linear: (layer) => ({
    count: layer.outputs,
    width: model.width,
    height: model.height,
    isOfImage: true,
    weights: (unit) => weights.subarray(layer.weights + unit * layer.inputs, layer.weights + (unit + 1) * layer.inputs),
    strengths: (values) => values,
  }),
};
