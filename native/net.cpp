// A net's layers, forward and backward over a block of rows, as the native session keeps them.
//
// The first layer and the hidden ones keep their weights in panels of 32 outputs, [panels, inputs, 32]; the last of several
// layers, which is narrow, keeps them as the model file does, [outputs, wide_inputs]. Rows of activations and gradients are as
// wide as whole panels; what pads them is zero and stays zero under every optimiser.
#include "native.h"

namespace INSTRUCTION_SET {

constexpr int MOST_LAYERS = 64;

// Rows that are measured at once.
constexpr int64_t MEASURED_ROWS = 64;
// Of large images fewer, that their floats stay in 16 MB for each thread.
constexpr int64_t MEASURED_PIXELS = 1 << 22;

struct Layer {
  int64_t inputs, outputs;
  int64_t wide_inputs, wide_outputs;
  bool panels;
  // Floats from one row of its activations to the next; an odd number of cache lines, so that rows do not meet in the cache.
  int64_t row;
  // Weights, then bias; of the parameters, of the optimiser's two kinds of values, and of the gradient.
  int64_t weights, size;
  float* values[3];
  float* gradient;
  // W as [outputs, wide_inputs], for the way back.
  float* transposed;

  const float* bias() const { return values[0] + weights; }
};

struct Net {
  int count;
  Layer layers[MOST_LAYERS];
};

// Where the activations, or their gradients, of each layer begin: [rows, layer.row].
struct Rows {
  float* at[MOST_LAYERS];
};

void create_net(Net* net, Arena& memory, const int32_t* widths, int count, int moments) {
  net->count = count;
  for (int l = 0; l < count; l++) {
    Layer& layer = net->layers[l];
    layer.inputs = widths[l];
    layer.outputs = widths[l + 1];
    layer.wide_inputs = padded(layer.inputs, PANEL);
    layer.wide_outputs = padded(layer.outputs, PANEL);
    layer.panels = l + 1 < count || (l == 0 && layer.outputs > 1);
    layer.row = !layer.panels ? layer.outputs : layer.wide_outputs == PANEL ? PANEL : layer.wide_outputs + LANES;
    layer.weights = layer.panels ? layer.wide_outputs * layer.inputs : layer.outputs * layer.wide_inputs;
    layer.size = layer.weights + layer.wide_outputs;
    for (int kind = 0; kind <= moments; kind++) layer.values[kind] = (float*)memory.take(layer.size * sizeof(float));
    layer.gradient = (float*)memory.take(layer.size * sizeof(float));
    layer.transposed = layer.panels && l > 0 ? (float*)memory.take(layer.outputs * layer.wide_inputs * sizeof(float))
                                             : layer.values[0];
  }
}

Rows create_rows(const Net& net, Arena& memory, int64_t rows) {
  Rows result = {};
  for (int l = 0; l < net.count; l++) {
    result.at[l] = (float*)memory.take(rows * net.layers[l].row * sizeof(float));
  }
  return result;
}

INLINE Rows from_row(const Net& net, const Rows& rows, int64_t r) {
  Rows result;
  for (int l = 0; l < net.count; l++) result.at[l] = rows.at[l] + r * net.layers[l].row;
  return result;
}

// Where weight (o, i) stands.
INLINE int64_t place(const Layer& layer, int64_t o, int64_t i) {
  return layer.panels ? (o / PANEL * layer.inputs + i) * PANEL + o % PANEL : o * layer.wide_inputs + i;
}

// The way back's copy of the weights from inputs [i0, i1).
void transpose(const Layer& layer, int64_t i0, int64_t i1) {
  if (layer.transposed == layer.values[0]) return;
  for (int64_t o = 0; o < layer.outputs; o++) {
    for (int64_t i = i0; i < i1; i++) layer.transposed[o * layer.wide_inputs + i] = layer.values[0][place(layer, o, i)];
  }
}

// Values of one kind in the order of the model file: each layer's weights [outputs, inputs], then its bias.
void set_values(Net* net, int kind, const float* from) {
  for (int l = 0; l < net->count; l++) {
    Layer& layer = net->layers[l];
    for (int64_t o = 0; o < layer.outputs; o++) {
      for (int64_t i = 0; i < layer.inputs; i++) layer.values[kind][place(layer, o, i)] = *from++;
    }
    for (int64_t o = 0; o < layer.outputs; o++) layer.values[kind][layer.weights + o] = *from++;
    if (kind == 0) transpose(layer, 0, layer.inputs);
  }
}

void get_values(const Net* net, int kind, float* to) {
  for (int l = 0; l < net->count; l++) {
    const Layer& layer = net->layers[l];
    for (int64_t o = 0; o < layer.outputs; o++) {
      for (int64_t i = 0; i < layer.inputs; i++) *to++ = layer.values[kind][place(layer, o, i)];
    }
    for (int64_t o = 0; o < layer.outputs; o++) *to++ = layer.values[kind][layer.weights + o];
  }
}

// z[r, :] = activation(scale * z[r, :] + bias), one panel of columns.
template <bool RELU>
INLINE void finish_row(float* z, float scale, const float* bias) {
  for (int64_t j = 0; j < PANEL; j += LANES) {
    Lanes v = multiply_add(load(z + j), broadcast(scale), load(bias + j));
    store(z + j, RELU ? relu(v) : v);
  }
}

INLINE void finish_rows(const Layer& layer, bool hidden, int64_t rows, float scale, int64_t panel, float* z) {
  const float* bias = layer.bias() + panel * PANEL;
  for (int64_t r = 0; r < rows; r++) {
    float* at = z + r * layer.row + panel * PANEL;
    if (hidden) {
      finish_row<true>(at, scale, bias);
    } else {
      finish_row<false>(at, scale, bias);
    }
  }
}

// A list's sums for one panel, not yet divided by 255, to one row of z. step: how much larger its pixels' numbers are now.
INLINE void list_sums(const Layer& layer, const ImageList& list, int64_t count, int64_t panel, int64_t step, float* z) {
  const float* weights = layer.values[0] + (panel * layer.inputs + step) * PANEL;
  for (int64_t j = 0; j < PANEL; j += LIST_LANES * LANES) {
    Lanes sums[LIST_LANES];
    list_product(list, count, weights + j, PANEL, sums);
    for (int l = 0; l < LIST_LANES; l++) store(z + panel * PANEL + j + l * LANES, sums[l]);
  }
}

// The sums of those images order[0 ... rows) that are shifted in part out of the picture.
void first_layer_clipped(
    const Layer& layer, const Images* images, int member, const int32_t* order, int64_t rows, float* z) {
  uint16_t* index = images->clipped_index + member * clipped_room(images);
  uint8_t* value = images->clipped_value + member * clipped_room(images);
  for (int64_t r = 0; r < rows; r++) {
    Move move = move_of(images, order[r]);
    if (move.inside) continue;
    int64_t count = clip(images, order[r], move, index, value);
    for (int64_t panel = 0; panel < layer.wide_outputs / PANEL; panel++) {
      list_sums(layer, {index, value}, count, panel, 0, z + r * layer.row);
    }
  }
}

// The first layer from the images order[0 ... rows), or first, first + 1, ... without an order. x f32 [rows, inputs] is
// written where the images are bytes.
void first_layer(
    const Layer& layer, bool hidden, const Images* images, int member, const int32_t* order, int64_t first, int64_t rows,
    float* x, float* z) {
  if (images->bytes != nullptr) {
    for (int64_t r = 0; r < rows; r++) {
      int64_t image = order != nullptr ? order[r] : first + r;
      const uint8_t* from = images->bytes + image * images->stride;
      if (images->shifts != nullptr) {
        gather_shifted_row(from, images->height, images->width, images->shifts[image], x + r * layer.inputs);
      } else {
        gather_row(from, layer.inputs, x + r * layer.inputs);
      }
    }
  } else if (images->shifts != nullptr) {
    first_layer_clipped(layer, images, member, order, rows, z);
  }
  for (int64_t panel = 0; panel < layer.wide_outputs / PANEL; panel++) {
    if (images->bytes != nullptr) {
      multiply_panel(rows, layer.inputs, x, layer.inputs, 1, layer.values[0] + panel * layer.inputs * PANEL, PANEL, false,
                     z + panel * PANEL, layer.row);
      finish_rows(layer, hidden, rows, 1.0f, panel, z);
      continue;
    }
    for (int64_t r = 0; r < rows; r++) {
      int64_t image = order != nullptr ? order[r] : first + r;
      int64_t begin = images->begin[image];
      if (panel == 0 && order != nullptr && r + 4 < rows) {
        fetch(images->index, images->value, images->begin[order[r + 4]], images->begin[order[r + 4] + 1]);
      }
      int64_t step = 0;
      if (images->shifts != nullptr) {
        Move move = move_of(images, image);
        if (!move.inside) continue;
        step = move.step;
      }
      list_sums(layer, {images->index + begin, images->value + begin}, images->begin[image + 1] - begin, panel, step,
                z + r * layer.row);
    }
    finish_rows(layer, hidden, rows, PIXEL_SCALE, panel, z);
  }
}

// The last of several layers: a dot product for each row and output.
void narrow_layer(const Layer& layer, int64_t rows, const float* input, int64_t input_row, float* z) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t o = 0; o < layer.outputs; o++) {
      const float* w = layer.values[0] + o * layer.wide_inputs;
      Lanes sums = zero();
      for (int64_t i = 0; i < layer.wide_inputs; i += LANES) {
        sums = multiply_add(load(input + r * input_row + i), load(w + i), sums);
      }
      z[r * layer.row + o] = sum(sums) + layer.bias()[o];
    }
  }
}

// All layers over some rows; h.at[l] receives what layer l puts out, the last one's without activation.
void forward(
    const Net& net, const Images* images, int member, const int32_t* order, int64_t first, int64_t rows, float* x,
    const Rows& h) {
  first_layer(net.layers[0], net.count > 1, images, member, order, first, rows, x, h.at[0]);
  for (int l = 1; l < net.count; l++) {
    const Layer& layer = net.layers[l];
    const float* input = h.at[l - 1];
    int64_t input_row = net.layers[l - 1].row;
    if (!layer.panels) {
      narrow_layer(layer, rows, input, input_row, h.at[l]);
      continue;
    }
    for (int64_t panel = 0; panel < layer.wide_outputs / PANEL; panel++) {
      multiply_panel(rows, layer.inputs, input, input_row, 1, layer.values[0] + panel * layer.inputs * PANEL, PANEL, false,
                     h.at[l] + panel * PANEL, layer.row);
      finish_rows(layer, l + 1 < net.count, rows, 1.0f, panel, h.at[l]);
    }
  }
}

// From the gradients at the logits, d.at[last], to those at each hidden layer before its activation.
void backward(const Net& net, int64_t rows, const Rows& h, const Rows& d) {
  for (int l = net.count - 1; l > 0; l--) {
    const Layer& layer = net.layers[l];
    int64_t below_row = net.layers[l - 1].row;
    for (int64_t j = 0; j < layer.wide_inputs; j += PANEL) {
      multiply_panel(rows, layer.outputs, d.at[l], layer.row, 1, layer.transposed + j, layer.wide_inputs, false,
                     d.at[l - 1] + j, below_row);
    }
    for (int64_t r = 0; r < rows; r++) {
      const float* values = h.at[l - 1] + r * below_row;
      float* delta = d.at[l - 1] + r * below_row;
      for (int64_t j = 0; j < layer.wide_inputs; j++) delta[j] = activation_backward(ACTIVATION_RELU, values[j], delta[j]);
    }
  }
}

}  // namespace INSTRUCTION_SET
