// The layers of a net in the native session, forward and backward over a block of rows.
//
// The first layer and the hidden ones store their weights in panels of 32 outputs, [panels, inputs, 32]; the last of
// several layers, which is narrow, stores them as the model file does, [outputs, padded_inputs]. Rows of activations
// and gradients are padded to whole panels; the padding is zero and stays zero under every optimiser.
#include "native.h"

namespace INSTRUCTION_SET {

constexpr int MAX_LAYERS = 64;

// Rows that are evaluated together.
constexpr int64_t EVAL_ROWS = 64;

// What a session keeps for each weight and bias; Java has the same numbers.
enum ValueKind { PARAMETERS, FIRST_MOMENT, SECOND_MOMENT, VALUE_KINDS };

struct Layer {
  // Of a convolution: the weights of an output, its channels.
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
  // W as [outputs, padded_inputs], for the backward pass; that of a convolution as window_delta wants it.
  float* transposed;
  // Of a convolution.
  Window window;

  const float* bias() const { return values[PARAMETERS] + weights; }
};

struct Net {
  int count;
  // The first layers, so many, are convolutions.
  int convolutions;
  // Pixels of an image.
  int64_t pixels;
  Layer layers[MAX_LAYERS];
};

// The activations of each layer, or their gradients: [rows, layer.row_stride]. Of a net with convolutions also the
// images, as the first of them reads them; and what the last of them makes, without padding between its pixels, if it
// has some: [rows, flat_stride(net)], else null.
struct Activations {
  float* at[MAX_LAYERS];
  float* images;
  float* flat;
};

// shape: WINDOW_SHAPE numbers.
INLINE bool is_convolution(const int32_t* shape) { return shape[0] > 1 || shape[1] > 1 || shape[4] > 1; }

void create_net(Net* net, Arena& memory, const int32_t* windows, int count, int moments) {
  net->count = count;
  net->pixels = (int64_t)windows[0] * windows[1] * windows[2];
  for (int l = 0; l < count; l++) {
    const int32_t* shape = windows + l * WINDOW_SHAPE;
    Layer& layer = net->layers[l];
    layer.inputs = (int64_t)shape[4] * shape[4] * shape[2];
    layer.outputs = shape[3];
    layer.padded_inputs = padded(layer.inputs, PANEL);
    layer.padded_outputs = padded(layer.outputs, PANEL);
    layer.panels = l + 1 < count || (l == 0 && layer.outputs > 1);
    layer.row_stride = layer.panels ? layer.padded_outputs + LANES : layer.outputs;
    layer.weights = layer.panels ? layer.padded_outputs * layer.inputs : layer.outputs * layer.padded_inputs;
    layer.size = layer.weights + layer.padded_outputs;
    int64_t transposed = layer.outputs * layer.padded_inputs;
    if (is_convolution(shape)) {
      net->convolutions = l + 1;
      const int32_t* next = shape + WINDOW_SHAPE;
      create_window(&layer.window, memory, shape, l == 0, is_convolution(next) ? next[6] : 0);
      layer.row_stride = layer.window.output_image;
      transposed = layer.outputs * padded(shape[4] * shape[4] * layer.window.pixel, PANEL);
    }
    for (int kind = 0; kind <= moments; kind++) layer.values[kind] = (float*)memory.take(layer.size * sizeof(float));
    layer.gradient = (float*)memory.take(layer.size * sizeof(float));
    layer.transposed =
        layer.panels && l > 0 ? (float*)memory.take(transposed * sizeof(float)) : layer.values[PARAMETERS];
  }
}

// Floats from one row of Activations.flat to the next; 0 where there are none.
INLINE int64_t flat_stride(const Net& net) {
  if (net.convolutions == 0 || net.layers[net.convolutions - 1].outputs % LANES == 0) return 0;
  return net.layers[net.convolutions].padded_inputs + LANES;
}

INLINE int64_t image_stride(const Net& net) { return net.convolutions > 0 ? net.layers[0].window.image : 0; }

Activations create_activations(const Net& net, Arena& memory, int64_t rows) {
  Activations result = {};
  for (int l = 0; l < net.count; l++) {
    result.at[l] = (float*)memory.take(rows * net.layers[l].row_stride * sizeof(float));
  }
  if (net.convolutions > 0) result.images = (float*)memory.take(rows * image_stride(net) * sizeof(float));
  if (flat_stride(net) > 0) result.flat = (float*)memory.take(rows * flat_stride(net) * sizeof(float));
  return result;
}

INLINE Activations activations_from(const Net& net, const Activations& rows, int64_t r) {
  Activations result;
  for (int l = 0; l < net.count; l++) result.at[l] = rows.at[l] + r * net.layers[l].row_stride;
  result.images = rows.images + r * image_stride(net);
  result.flat = rows.flat + r * flat_stride(net);
  return result;
}

// What a fully connected layer reads, or the gradient there, and the floats from one row of it to the next.
INLINE float* input_of(const Net& net, int l, const Activations& h) {
  return l == net.convolutions && flat_stride(net) > 0 ? h.flat : h.at[l - 1];
}

INLINE int64_t input_stride(const Net& net, int l) {
  return l == net.convolutions && flat_stride(net) > 0 ? flat_stride(net) : net.layers[l - 1].row_stride;
}

// The index of weight (o, i).
INLINE int64_t weight_index(const Layer& layer, int64_t o, int64_t i) {
  return layer.panels ? (o / PANEL * layer.inputs + i) * PANEL + o % PANEL : o * layer.padded_inputs + i;
}

// Updates the backward pass's copy of the weights of a convolution from inputs [i0, i1) to the outputs of one panel.
void transpose_window(const Layer& layer, int64_t i0, int64_t i1, int64_t panel) {
  if (layer.transposed == layer.values[PARAMETERS]) return;
  const Window& window = layer.window;
  int64_t end = (panel + 1) * PANEL < layer.outputs ? (panel + 1) * PANEL : layer.outputs;
  for (int64_t i = i0; i < i1; i++) {
    int64_t column = i / window.channels * window.pixel + i % window.channels;
    float* to = layer.transposed + column / PANEL * layer.outputs * PANEL + column % PANEL;
    const float* from = layer.values[PARAMETERS] + (panel * layer.inputs + i) * PANEL - panel * PANEL;
    for (int64_t o = panel * PANEL; o < end; o++) to[o * PANEL] = from[o];
  }
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
    if (kind == PARAMETERS && l >= net->convolutions) transpose(layer, 0, layer.inputs);
    for (int64_t panel = 0; kind == PARAMETERS && l < net->convolutions && panel < layer.padded_outputs / PANEL;
         panel++) {
      transpose_window(layer, 0, layer.inputs, panel);
    }
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

// z[r, j] = activation(z[r, j] + bias[j]), one panel of columns.
INLINE void bias_activation_panel(const Layer& layer, bool hidden, int64_t rows, int64_t panel, float* z) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t j = panel * PANEL; j < (panel + 1) * PANEL; j += LANES) {
      float* at = z + r * layer.row_stride + j;
      Lanes v = add(load(at), load(layer.bias() + j));
      store(at, hidden ? relu(v) : v);
    }
  }
}

// The first layer of one image, whose pixels are those of a sparse row, for one panel: one row of z. offset: what a
// shift adds to the indices of its pixels.
template <typename Row>
INLINE void first_layer_row(
    const Layer& layer, bool hidden, const Row& row, int64_t count, int64_t panel, int64_t offset, float* z) {
  const float* weights = layer.values[PARAMETERS] + (panel * layer.inputs + offset) * PANEL;
  const float* bias = layer.bias() + panel * PANEL;
  for (int64_t j = 0; j < PANEL; j += SPARSE_LANES * LANES) {
    Lanes sums[SPARSE_LANES];
    sparse_product(row, count, weights + j, PANEL, sums);
    for (int l = 0; l < SPARSE_LANES; l++) {
      Lanes v = multiply_add(sums[l], broadcast(PIXEL_SCALE), load(bias + j + l * LANES));
      store(z + panel * PANEL + j + l * LANES, hidden ? relu(v) : v);
    }
  }
}

// Which images a pass is over: order[0 ... rows), or first, first + 1, ... without an order. bytes: where each of them
// stands, if they are dense or trained with.
struct Rows {
  const Images* images;
  const int32_t* order;
  int64_t first, count;
  const uint8_t* const* bytes;

  INLINE_MEMBER int64_t image(int64_t r) const { return order != nullptr ? order[r] : first + r; }
};

// What is wanted after the pass: the bytes [start, end) of the images order[0 ... count).
struct Wanted {
  const int32_t* order;
  int64_t count, start, end;
};

// While row r is computed: prefetches a row that is needed soon, and a share of what is wanted after the pass. Shuffled
// images are anywhere in memory.
INLINE void prefetch(const Rows& rows, int64_t r, const Wanted& wanted) {
  constexpr int64_t AHEAD = 4;
  const Images* images = rows.images;
  if (rows.order != nullptr && r + AHEAD < rows.count) {
    int64_t image = rows.order[r + AHEAD];
    int64_t end = images->row_start[image + 1];
    for (int64_t e = images->row_start[image]; e < end; e += LINE / 2) __builtin_prefetch(images->index + e);
    for (int64_t e = images->row_start[image]; e < end; e += LINE) __builtin_prefetch(images->value + e);
  }
  for (int64_t w = wanted.count * r / rows.count; w < wanted.count * (r + 1) / rows.count; w++) {
    const uint8_t* bytes = images->bytes + wanted.order[w] * images->stride;
    for (int64_t p = wanted.start; p < wanted.end; p += LINE) __builtin_prefetch(bytes + p, 0, 2);
  }
}

// The first layer of dense images.
void first_layer_dense(const Layer& layer, bool hidden, const Rows& rows, int member, float* z) {
  int32_t* index = rows.images->wide_index + member * wide_room(rows.images);
  uint8_t* value = rows.images->wide_value + member * wide_room(rows.images);
  for (int64_t r = 0; r < rows.count; r++) {
    int64_t count = nonzero_pixels(rows.bytes[r], layer.inputs, index, value);
    for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
      first_layer_row(layer, hidden, WideRow{index, value}, count, panel, 0, z + r * layer.row_stride);
    }
  }
}

// The first layer of those images that are shifted partly out of the frame.
void first_layer_clipped(const Layer& layer, bool hidden, const Rows& rows, int member, float* z) {
  const Images* images = rows.images;
  uint16_t* index = images->clipped_index + member * clipped_room(images);
  uint8_t* value = images->clipped_value + member * clipped_room(images);
  for (int64_t r = 0; r < rows.count; r++) {
    Shift shift = shift_of(images, rows.image(r));
    if (shift.inside) continue;
    int64_t count = clip(images, rows.image(r), shift, index, value);
    for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
      first_layer_row(layer, hidden, SparseRow{index, value}, count, panel, 0, z + r * layer.row_stride);
    }
  }
}

void first_layer(const Layer& layer, bool hidden, const Rows& rows, const Wanted& wanted, int member, float* z) {
  const Images* images = rows.images;
  if (images->row_start == nullptr) return first_layer_dense(layer, hidden, rows, member, z);
  bool shifted = images->shifts != nullptr;
  if (shifted) first_layer_clipped(layer, hidden, rows, member, z);
  for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
    for (int64_t r = 0; r < rows.count; r++) {
      if (panel == 0) prefetch(rows, r, wanted);
      int64_t image = rows.image(r);
      Shift shift = shifted ? shift_of(images, image) : Shift{0, 0, true};
      if (!shift.inside) continue;
      int64_t entry = images->row_start[image];
      first_layer_row(
          layer, hidden, SparseRow{images->index + entry, images->value + entry}, images->row_start[image + 1] - entry,
          panel, shift.offset, z + r * layer.row_stride);
    }
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

// Copies what the last convolution makes of some images, pixel by pixel, to or from rows without padding.
void flatten(const Net& net, int64_t rows, const Activations& h) {
  const Window& w = net.layers[net.convolutions - 1].window;
  for (int64_t r = 0; r < rows && flat_stride(net) > 0; r++) {
    for (int64_t p = 0; p < w.positions; p++) {
      memcpy(
          h.flat + r * flat_stride(net) + p * w.outputs,
          h.at[net.convolutions - 1] + r * w.output_image + w.output_place[p], w.outputs * sizeof(float));
    }
  }
}

void unflatten(const Net& net, int64_t rows, const Activations& d) {
  const Window& w = net.layers[net.convolutions - 1].window;
  for (int64_t r = 0; r < rows && flat_stride(net) > 0; r++) {
    for (int64_t p = 0; p < w.positions; p++) {
      memcpy(
          d.at[net.convolutions - 1] + r * w.output_image + w.output_place[p],
          d.flat + r * flat_stride(net) + p * w.outputs, w.outputs * sizeof(float));
    }
  }
}

// The convolutions, if there are some.
void convolve(const Net& net, const Rows& batch, const Activations& h) {
  const Images* images = batch.images;
  const Window& first = net.layers[0].window;
  for (int64_t r = 0; r < batch.count; r++) {
    int32_t shift = images->shifts != nullptr ? images->shifts[batch.image(r)] : 0;
    window_image(first, batch.bytes[r], shift_x(shift), shift_y(shift), h.images + r * first.image);
  }
  for (int l = 0; l < net.convolutions; l++) {
    const Layer& layer = net.layers[l];
    window_forward(
        layer.window, batch.count, l > 0 ? h.at[l - 1] : h.images, layer.values[PARAMETERS], layer.bias(), h.at[l]);
  }
  flatten(net, batch.count, h);
}

// All layers over some rows; h.at[l] receives the output of layer l, that of the last one without activation.
void forward(const Net& net, const Rows& batch, const Wanted& wanted, int member, const Activations& h) {
  int64_t rows = batch.count;
  if (net.convolutions > 0) {
    convolve(net, batch, h);
  } else {
    first_layer(net.layers[0], net.count > 1, batch, wanted, member, h.at[0]);
  }
  for (int l = net.convolutions > 0 ? net.convolutions : 1; l < net.count; l++) {
    const Layer& layer = net.layers[l];
    const float* input = input_of(net, l, h);
    int64_t input_row = input_stride(net, l);
    if (!layer.panels) {
      narrow_layer(layer, rows, input, input_row, h.at[l]);
      continue;
    }
    for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
      multiply_panel(
          rows, layer.inputs, input, input_row, 1, layer.values[PARAMETERS] + panel * layer.inputs * PANEL, PANEL,
          false, h.at[l] + panel * PANEL, layer.row_stride);
      bias_activation_panel(layer, l + 1 < net.count, rows, panel, h.at[l]);
    }
  }
}

// From the gradients at the logits, d.at[last], to those at each hidden layer before its activation.
void backward(const Net& net, int64_t rows, const Activations& h, const Activations& d) {
  for (int l = net.count - 1; l > 0 && l >= net.convolutions; l--) {
    const Layer& layer = net.layers[l];
    float* below = input_of(net, l, d);
    int64_t below_row = input_stride(net, l);
    for (int64_t j = 0; j < layer.padded_inputs; j += PANEL) {
      multiply_panel(
          rows, layer.outputs, d.at[l], layer.row_stride, 1, layer.transposed + j, layer.padded_inputs, false,
          below + j, below_row);
    }
    for (int64_t r = 0; r < rows; r++) {
      const float* values = input_of(net, l, h) + r * below_row;
      float* delta = below + r * below_row;
      for (int64_t j = 0; j < layer.padded_inputs; j++) {
        delta[j] = activation_backward(ACTIVATION_RELU, values[j], delta[j]);
      }
    }
  }
  if (net.convolutions > 0) unflatten(net, rows, d);
  for (int l = net.convolutions - 1; l > 0; l--) {
    const Layer& layer = net.layers[l];
    window_delta(layer.window, rows, d.at[l], layer.transposed, h.at[l - 1], d.at[l - 1]);
  }
}

}  // namespace INSTRUCTION_SET
