// The layers of a net in the native session, forward and backward over a block of rows.
//
// The first layer and the hidden ones store their weights in panels of 32 outputs, [panels, inputs, 32]; the last of
// several layers, which is narrow, stores them as the model file does, [outputs, padded_inputs]. Rows of activations and
// gradients are padded to whole panels; the padding is zero and stays zero under every optimiser.
#include "native.h"

namespace INSTRUCTION_SET {

constexpr int MAX_LAYERS = 64;

// Rows that are evaluated together.
constexpr int64_t EVAL_ROWS = 64;

// What a session keeps for each weight and bias; Java has the same numbers.
enum ValueKind { PARAMETERS, FIRST_MOMENT, SECOND_MOMENT, VALUE_KINDS };

struct Layer {
  int64_t inputs, outputs;
  int64_t padded_inputs, padded_outputs;
  bool panels;
  // Floats from one row of its activations to the next; an odd number of cache lines, so that rows do not share cache
  // sets.
  int64_t row_stride;
  // Weights, then bias: sizes of each of the parameters, the optimiser's two moments and the gradient.
  int64_t weights, size;
  float* values[VALUE_KINDS];
  float* gradient;
  // W as [outputs, padded_inputs], for the backward pass.
  float* transposed;

  const float* bias() const { return values[PARAMETERS] + weights; }
};

struct Net {
  int count;
  Layer layers[MAX_LAYERS];
};

// The activations of each layer, or their gradients: [rows, layer.row_stride].
struct Activations {
  float* at[MAX_LAYERS];
};

void create_net(Net* net, Arena& memory, const int32_t* widths, int count, int moments) {
  net->count = count;
  for (int l = 0; l < count; l++) {
    Layer& layer = net->layers[l];
    layer.inputs = widths[l];
    layer.outputs = widths[l + 1];
    layer.padded_inputs = padded(layer.inputs, PANEL);
    layer.padded_outputs = padded(layer.outputs, PANEL);
    layer.panels = l + 1 < count || (l == 0 && layer.outputs > 1);
    layer.row_stride = !layer.panels                   ? layer.outputs
                       : layer.padded_outputs == PANEL ? PANEL
                                                       : layer.padded_outputs + LANES;
    layer.weights = layer.panels ? layer.padded_outputs * layer.inputs : layer.outputs * layer.padded_inputs;
    layer.size = layer.weights + layer.padded_outputs;
    for (int kind = 0; kind <= moments; kind++) layer.values[kind] = (float*)memory.take(layer.size * sizeof(float));
    layer.gradient = (float*)memory.take(layer.size * sizeof(float));
    layer.transposed = layer.panels && l > 0 ? (float*)memory.take(layer.outputs * layer.padded_inputs * sizeof(float))
                                             : layer.values[PARAMETERS];
  }
}

Activations create_activations(const Net& net, Arena& memory, int64_t rows) {
  Activations result = {};
  for (int l = 0; l < net.count; l++) {
    result.at[l] = (float*)memory.take(rows * net.layers[l].row_stride * sizeof(float));
  }
  return result;
}

INLINE Activations activations_from(const Net& net, const Activations& rows, int64_t r) {
  Activations result;
  for (int l = 0; l < net.count; l++) result.at[l] = rows.at[l] + r * net.layers[l].row_stride;
  return result;
}

// The index of weight (o, i).
INLINE int64_t weight_index(const Layer& layer, int64_t o, int64_t i) {
  return layer.panels ? (o / PANEL * layer.inputs + i) * PANEL + o % PANEL : o * layer.padded_inputs + i;
}

// Updates the backward pass's copy of the weights from inputs [i0, i1).
void transpose(const Layer& layer, int64_t i0, int64_t i1) {
  if (layer.transposed == layer.values[PARAMETERS]) return;
  for (int64_t o = 0; o < layer.outputs; o++) {
    for (int64_t i = i0; i < i1; i++) {
      layer.transposed[o * layer.padded_inputs + i] = layer.values[PARAMETERS][weight_index(layer, o, i)];
    }
  }
}

// Parameters or moments in the order of the model file: each layer's weights [outputs, inputs], then
// its bias.
void set_values(Net* net, int kind, const float* from) {
  for (int l = 0; l < net->count; l++) {
    Layer& layer = net->layers[l];
    for (int64_t o = 0; o < layer.outputs; o++) {
      for (int64_t i = 0; i < layer.inputs; i++) layer.values[kind][weight_index(layer, o, i)] = *from++;
    }
    for (int64_t o = 0; o < layer.outputs; o++) layer.values[kind][layer.weights + o] = *from++;
    if (kind == PARAMETERS) transpose(layer, 0, layer.inputs);
  }
}

void get_values(const Net* net, int kind, float* to) {
  for (int l = 0; l < net->count; l++) {
    const Layer& layer = net->layers[l];
    for (int64_t o = 0; o < layer.outputs; o++) {
      for (int64_t i = 0; i < layer.inputs; i++) *to++ = layer.values[kind][weight_index(layer, o, i)];
    }
    for (int64_t o = 0; o < layer.outputs; o++) *to++ = layer.values[kind][layer.weights + o];
  }
}

// z[r, :] = activation(scale * z[r, :] + bias), one panel of columns.
template <bool RELU>
INLINE void scale_bias_activation_row(float* z, float scale, const float* bias) {
  for (int64_t j = 0; j < PANEL; j += LANES) {
    Lanes v = multiply_add(load(z + j), broadcast(scale), load(bias + j));
    store(z + j, RELU ? relu(v) : v);
  }
}

INLINE void scale_bias_activation(const Layer& layer, bool hidden, int64_t rows, float scale, int64_t panel, float* z) {
  const float* bias = layer.bias() + panel * PANEL;
  for (int64_t r = 0; r < rows; r++) {
    float* at = z + r * layer.row_stride + panel * PANEL;
    if (hidden) {
      scale_bias_activation_row<true>(at, scale, bias);
    } else {
      scale_bias_activation_row<false>(at, scale, bias);
    }
  }
}

// The product of a sparse row with one panel, not yet divided by 255, to one row of z. offset: what a shift adds to the
// indices of its pixels.
template <typename Row>
INLINE void sparse_row_product(
    const Layer& layer, const Row& row, int64_t count, int64_t panel, int64_t offset, float* z) {
  const float* weights = layer.values[PARAMETERS] + (panel * layer.inputs + offset) * PANEL;
  for (int64_t j = 0; j < PANEL; j += SPARSE_LANES * LANES) {
    Lanes sums[SPARSE_LANES];
    sparse_product(row, count, weights + j, PANEL, sums);
    for (int l = 0; l < SPARSE_LANES; l++) store(z + panel * PANEL + j + l * LANES, sums[l]);
  }
}

// The products of those images order[0 ... rows) that are shifted partly out of the frame.
void first_layer_clipped(
    const Layer& layer, const Images* images, int member, const int32_t* order, int64_t rows, float* z) {
  uint16_t* index = images->clipped_index + member * clipped_room(images);
  uint8_t* value = images->clipped_value + member * clipped_room(images);
  for (int64_t r = 0; r < rows; r++) {
    Shift shift = shift_of(images, order[r]);
    if (shift.inside) continue;
    int64_t count = clip(images, order[r], shift, index, value);
    for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
      sparse_row_product(layer, SparseRow{index, value}, count, panel, 0, z + r * layer.row_stride);
    }
  }
}

// The first layer of dense images, each of which stands at bytes[r].
void first_layer_dense(
    const Layer& layer, bool hidden, const Images* images, int member, const uint8_t* const* bytes, int64_t rows,
    float* z) {
  int32_t* index = images->wide_index + member * wide_room(images);
  uint8_t* value = images->wide_value + member * wide_room(images);
  for (int64_t r = 0; r < rows; r++) {
    int64_t count = nonzero_pixels(bytes[r], layer.inputs, index, value);
    for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
      sparse_row_product(layer, WideRow{index, value}, count, panel, 0, z + r * layer.row_stride);
    }
  }
  for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
    scale_bias_activation(layer, hidden, rows, PIXEL_SCALE, panel, z);
  }
}

// The first layer of the images order[0 ... rows), or first, first + 1, ... without an order. bytes: where each of them
// stands, if they are dense.
void first_layer(
    const Layer& layer, bool hidden, const Images* images, int member, const int32_t* order, int64_t first,
    int64_t rows, const uint8_t* const* bytes, float* z) {
  if (images->bytes != nullptr) return first_layer_dense(layer, hidden, images, member, bytes, rows, z);
  if (images->shifts != nullptr) first_layer_clipped(layer, images, member, order, rows, z);
  for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
    for (int64_t r = 0; r < rows; r++) {
      int64_t image = order != nullptr ? order[r] : first + r;
      int64_t start = images->row_start[image];
      if (panel == 0 && order != nullptr && r + 4 < rows) {
        prefetch(images->index, images->value, images->row_start[order[r + 4]], images->row_start[order[r + 4] + 1]);
      }
      int64_t offset = 0;
      if (images->shifts != nullptr) {
        Shift shift = shift_of(images, image);
        if (!shift.inside) continue;
        offset = shift.offset;
      }
      sparse_row_product(
          layer, SparseRow{images->index + start, images->value + start}, images->row_start[image + 1] - start, panel,
          offset, z + r * layer.row_stride);
    }
    scale_bias_activation(layer, hidden, rows, PIXEL_SCALE, panel, z);
  }
}

// The last of several layers: a dot product for each row and output.
void narrow_layer(const Layer& layer, int64_t rows, const float* input, int64_t input_row, float* z) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t o = 0; o < layer.outputs; o++) {
      const float* w = layer.values[PARAMETERS] + o * layer.padded_inputs;
      Lanes sums = zero();
      for (int64_t i = 0; i < layer.padded_inputs; i += LANES) {
        sums = multiply_add(load(input + r * input_row + i), load(w + i), sums);
      }
      z[r * layer.row_stride + o] = sum(sums) + layer.bias()[o];
    }
  }
}

// All layers over some rows; h.at[l] receives the output of layer l, that of the last one without activation.
void forward(
    const Net& net, const Images* images, int member, const int32_t* order, int64_t first, int64_t rows,
    const uint8_t* const* bytes, const Activations& h) {
  first_layer(net.layers[0], net.count > 1, images, member, order, first, rows, bytes, h.at[0]);
  for (int l = 1; l < net.count; l++) {
    const Layer& layer = net.layers[l];
    const float* input = h.at[l - 1];
    int64_t input_row = net.layers[l - 1].row_stride;
    if (!layer.panels) {
      narrow_layer(layer, rows, input, input_row, h.at[l]);
      continue;
    }
    for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
      multiply_panel(
          rows, layer.inputs, input, input_row, 1, layer.values[PARAMETERS] + panel * layer.inputs * PANEL, PANEL,
          false, h.at[l] + panel * PANEL, layer.row_stride);
      scale_bias_activation(layer, l + 1 < net.count, rows, 1.0f, panel, h.at[l]);
    }
  }
}

// From the gradients at the logits, d.at[last], to those at each hidden layer before its activation.
void backward(const Net& net, int64_t rows, const Activations& h, const Activations& d) {
  for (int l = net.count - 1; l > 0; l--) {
    const Layer& layer = net.layers[l];
    int64_t below_row = net.layers[l - 1].row_stride;
    for (int64_t j = 0; j < layer.padded_inputs; j += PANEL) {
      multiply_panel(
          rows, layer.outputs, d.at[l], layer.row_stride, 1, layer.transposed + j, layer.padded_inputs, false,
          d.at[l - 1] + j, below_row);
    }
    for (int64_t r = 0; r < rows; r++) {
      const float* values = h.at[l - 1] + r * below_row;
      float* delta = d.at[l - 1] + r * below_row;
      for (int64_t j = 0; j < layer.padded_inputs; j++) {
        delta[j] = activation_backward(ACTIVATION_RELU, values[j], delta[j]);
      }
    }
  }
}

}  // namespace INSTRUCTION_SET
