// A whole training in native code: one call an epoch, two jobs for the team a step. Rows of a batch are shared out forward and
// on the way back; pixels, or whatever a layer's inputs are, where gradients are summed and the step is taken. No sum is
// ever shared out, so the number of threads changes no bit.
//
// The first layer works on lists of nonzero pixels where the training images are sparse, and else on all pixels. A batch is taken
// in blocks of 256 rows; where it has more, gradients gather in memory from block to block.
#include "native.h"

namespace zerofive {

// The type behind the name that Java holds. Each instruction set has one; they are the same.
struct Session {};

}  // namespace zerofive

namespace INSTRUCTION_SET {

struct Training : Session {
  Arena memory;
  Team* team;
  Net net;
  int loss;
  Optimizer optimizer;
  int moments;
  int64_t batch;

  Images* train;
  Linear* linear;
  ShiftedLinear shifted;
  Rows h, d;
  float* x;
  float* losses;
  PixelLists lists;

  // The order of the last epoch that shifted nothing. When it comes again, as it does without shuffling, the blocks' lists by
  // pixel are kept.
  int32_t* cached_order;
  bool order_known;
  bool kept;
  PixelLists cached_lists;

  // Measuring has memory of its own, for each member where it is written.
  Images* valid;
  Arena valid_memory;
  Rows measured;
  int64_t measured_rows;
  float* measured_x;
  float* logits;
  float* valid_losses;
  int64_t* correct;
};

INLINE Training* as_training(Session* session) { return (Training*)session; }

INLINE bool is_linear(const Net& net) { return net.count == 1 && !net.layers[0].panels; }

void destroy_session(Session* session) {
  Training* t = as_training(session);
  destroy_images(t->train);
  destroy_images(t->valid);
  t->shifted.memory.close();
  t->valid_memory.close();
  t->memory.close();
  release(t);
}

// widths: inputs, then each layer's outputs. batch: rows a step takes at most, none for measuring only.
Session* create_session(
    Team* team, const int32_t* widths, int layers, int loss, int kind, float momentum, float decay, int64_t batch) {
  Training* t = (Training*)allocate(sizeof(Training));
  if (t == nullptr) return nullptr;
  t->team = team;
  t->loss = loss;
  t->optimizer = {kind, momentum, decay};
  t->moments = batch == 0 ? 0 : kind != OPTIMIZER_SGD ? 2 : momentum != 0.0f ? 1 : 0;
  t->batch = batch;
  create_net(&t->net, t->memory, widths, layers, t->moments);
  t->measured = create_rows(t->net, t->memory, team->threads() * MEASURED_ROWS);
  t->correct = (int64_t*)t->memory.take(team->threads() * sizeof(int64_t));
  if (t->memory.failed()) {
    destroy_session(t);
    return nullptr;
  }
  return t;
}

// kind: 0 the parameters, 1 and 2 the optimiser's values. offset: of the first in Java's array.
void set_session_values(Session* session, int kind, const float* values, int64_t offset) {
  set_values(&as_training(session)->net, kind, values + offset);
}

void get_session_values(Session* session, int kind, float* values, int64_t offset) {
  get_values(&as_training(session)->net, kind, values + offset);
}

// Whether the memory was enough. form: how the images are to be kept, as images.cpp numbers it.
bool set_train(Session* session, const uint8_t* pixels, const int32_t* targets, int64_t count, int form) {
  Training* t = as_training(session);
  Arena& memory = t->memory;
  int64_t inputs = t->net.layers[0].inputs;
  t->train = create_images(t->team, pixels, targets, count, inputs, is_linear(t->net) ? FORM_TARGETS_ONLY : form);
  if (t->train == nullptr) return false;
  int64_t batch_rows = t->batch < count ? t->batch : count;
  int64_t rows = batch_rows < BLOCK_ROWS ? batch_rows : BLOCK_ROWS;
  t->losses = (float*)memory.take(batch_rows * sizeof(float));
  if (is_linear(t->net)) {
    if (!memory.failed()) t->linear = create_linear(memory, t->team, pixels, count, inputs, batch_rows, t->moments);
    return !memory.failed();
  }
  t->h = create_rows(t->net, memory, rows);
  t->d = create_rows(t->net, memory, rows);
  t->cached_order = (int32_t*)memory.take(count * sizeof(int32_t));
  if (t->train->bytes != nullptr) {
    t->x = (float*)memory.take(rows * inputs * sizeof(float));
  } else {
    t->lists.entries = (uint16_t*)memory.take(inputs * LIST_ROOM * sizeof(uint16_t));
    t->lists.count = (uint16_t*)memory.take(inputs * sizeof(uint16_t));
    t->lists.start = (int64_t*)memory.take(inputs * sizeof(int64_t));
    if (memory.failed()) return false;
    for (int64_t p = 0; p < inputs; p++) t->lists.start[p] = p * LIST_ROOM;
  }
  return !memory.failed();
}

// Whether the memory was enough. first: of the images in Java's arrays.
bool set_valid(Session* session, const uint8_t* pixels, const int32_t* targets, int64_t first, int64_t count) {
  Training* t = as_training(session);
  const Layer& layer = t->net.layers[0];
  destroy_images(t->valid);
  t->valid_memory.close();
  t->valid_memory = {};
  t->valid = create_images(t->team, pixels + first * layer.inputs, targets + first, count, layer.inputs,
                           is_linear(t->net) ? FORM_BYTES : FORM_LISTS);
  if (t->valid == nullptr) return false;
  t->measured_rows = count < MEASURED_ROWS ? count : MEASURED_ROWS;
  if (t->valid->bytes != nullptr && !is_linear(t->net)) {
    while (t->measured_rows > 1 && t->measured_rows * layer.inputs > MEASURED_PIXELS) t->measured_rows--;
    t->measured_x = (float*)t->valid_memory.take(t->team->threads() * t->measured_rows * layer.inputs * sizeof(float));
  }
  int64_t outputs = t->net.layers[t->net.count - 1].outputs;
  t->logits = (float*)t->valid_memory.take(count * outputs * sizeof(float));
  t->valid_losses = (float*)t->valid_memory.take(count * sizeof(float));
  return !t->valid_memory.failed();
}

// The logits that measure left, f32 [count, outputs].
void get_logits(const Session* session, float* logits, int64_t offset) {
  const Training* t = (const Training*)session;
  memcpy(logits + offset, t->logits, t->valid->count * t->net.layers[t->net.count - 1].outputs * sizeof(float));
}

// Rows [first, first + rows) of the validation set, their logits to t->logits.
void evaluate_rows(Training* t, int member, int64_t first, int64_t rows) {
  const Layer& last = t->net.layers[t->net.count - 1];
  float* logits = t->logits + first * last.outputs;
  if (is_linear(t->net)) {
    const uint8_t* bytes[MEASURED_ROWS];
    for (int64_t r = 0; r < rows; r++) bytes[r] = t->valid->bytes + (first + r) * t->valid->stride;
    // Weights are padded to whole panels, which is less than the bytes are padded to.
    byte_dots(bytes, rows, last.wide_inputs, last.values[0], logits);
    for (int64_t r = 0; r < rows; r++) logits[r] = logits[r] * PIXEL_SCALE + last.bias()[0];
    return;
  }
  Rows h = from_row(t->net, t->measured, member * MEASURED_ROWS);
  float* x = t->measured_x + (t->valid->bytes != nullptr ? member * t->measured_rows * t->valid->inputs : 0);
  forward(t->net, t->valid, member, nullptr, first, rows, x, h);
  for (int64_t r = 0; r < rows; r++) {
    memcpy(logits + r * last.outputs, h.at[t->net.count - 1] + r * last.row, last.outputs * sizeof(float));
  }
}

// metrics f64 [2]: adds the losses of the validation images, in their order, and the count of those rightly predicted.
void measure(Session* session, double* metrics) {
  Training* t = as_training(session);
  int64_t outputs = t->net.layers[t->net.count - 1].outputs;
  int64_t count = t->valid->count;
  int threads = t->team->threads();
  t->team->run([=](int member) {
    int64_t at_once = t->measured_rows;
    int64_t end = share(count, at_once, member + 1, threads);
    int64_t correct = 0;
    for (int64_t first = share(count, at_once, member, threads); first < end; first += at_once) {
      int64_t rows = end - first < at_once ? end - first : at_once;
      evaluate_rows(t, member, first, rows);
      correct += score_rows(t->loss, rows, (int)outputs, t->logits + first * outputs, t->valid->targets + first,
                            t->valid_losses + first);
    }
    t->correct[member] = correct;
  });
  for (int64_t i = 0; i < count; i++) metrics[0] += t->valid_losses[i];
  for (int member = 0; member < threads; member++) metrics[1] += (double)t->correct[member];
}

// One block of a batch, and where in the batch it stands.
struct Block {
  const int32_t* order;
  int64_t rows;
  int64_t batch_rows;
  bool first, last;
  const float* rates;
  PixelLists lists;
};

// Takes the step along a layer's gradient, values [begin, end) of it.
INLINE void step_layer(const Training* t, const Layer& layer, int64_t begin, int64_t end, const float* rates) {
  update_some(t->optimizer, end - begin, layer.values[0] + begin, layer.gradient + begin, from(layer.values[1], begin),
              from(layer.values[2], begin), rates);
}

// A layer in panels: the gradient of the weights from inputs [i0, i1), whose values stand at input[r * input_row + i].
void step_panels(
    const Training* t, const Layer& layer, const Block& block, int64_t i0, int64_t i1, const float* input,
    int64_t input_row, const float* delta) {
  for (int64_t panel = 0; panel < layer.wide_outputs / PANEL && i0 < i1; panel++) {
    int64_t begin = (panel * layer.inputs + i0) * PANEL;
    multiply_panel(i1 - i0, block.rows, input + i0, 1, input_row, delta + panel * PANEL, layer.row, !block.first,
                   layer.gradient + begin, PANEL);
    if (block.last) step_layer(t, layer, begin, begin + (i1 - i0) * PANEL, block.rates);
  }
  if (block.last) transpose(layer, i0, i1);
}

// The last of several layers: the gradient of the weights from inputs [i0, i1), whole panels.
void step_narrow(
    const Training* t, const Layer& layer, const Block& block, int64_t i0, int64_t i1, const float* input,
    int64_t input_row, const float* delta) {
  for (int64_t i = i0; i < i1; i += PANEL) {
    multiply_panel(layer.outputs, block.rows, delta, 1, layer.row, input + i, input_row, !block.first, layer.gradient + i,
                   layer.wide_inputs);
  }
  for (int64_t o = 0; o < layer.outputs && block.last && i0 < i1; o++) {
    step_layer(t, layer, o * layer.wide_inputs + i0, o * layer.wide_inputs + i1, block.rates);
  }
}

// The first layer by lists: each pixel's gradient is made in registers, and its weights are changed there and then.
void update_sparse_layer(const Training* t, const Layer& layer, const Block& block, int64_t p0, int64_t p1, const float* delta) {
  const Optimizer& optimizer = t->optimizer;
  bool plain = optimizer.kind == OPTIMIZER_SGD && optimizer.momentum == 0.0f && optimizer.decay == 0.0f;
  bool whole = block.first && block.last;
  Lanes scale = broadcast(PIXEL_SCALE);
  Lanes rate = broadcast(block.rates[0]);
  for (int64_t panel = 0; panel < layer.wide_outputs / PANEL; panel++) {
    for (int64_t p = p0; p < p1; p++) {
      // Without a gradient plain descent changes nothing.
      if (plain && whole && block.lists.count[p] == 0) continue;
      PixelList list = {block.lists.entries + block.lists.start[p]};
      int64_t at = (panel * layer.inputs + p) * PANEL;
      for (int64_t j = 0; j < PANEL; j += LIST_LANES * LANES) {
        Lanes sums[LIST_LANES];
        list_product(list, block.lists.count[p], delta + panel * PANEL + j, layer.row, sums);
        for (int l = 0; l < LIST_LANES; l++) {
          Lanes g = multiply(sums[l], scale);
          float* gradient = layer.gradient + at + j + l * LANES;
          float* w = layer.values[0] + at + j + l * LANES;
          if (!block.first) g = add(load(gradient), g);
          if (plain && block.last) {
            store(w, subtract(load(w), multiply(rate, g)));
          } else {
            store(gradient, g);
          }
        }
      }
      if (!plain && block.last) step_layer(t, layer, at, at + PANEL, block.rates);
    }
  }
}

// Column sums of every layer's gradient, and the step of the biases.
void step_biases(const Training* t, const Block& block) {
  for (int l = 0; l < t->net.count; l++) {
    const Layer& layer = t->net.layers[l];
    float* gradient = layer.gradient + layer.weights;
    if (block.first) memset(gradient, 0, layer.wide_outputs * sizeof(float));
    for (int64_t r = 0; r < block.rows; r++) {
      const float* row = t->d.at[l] + r * layer.row;
      for (int64_t j = 0; j < layer.outputs; j++) gradient[j] += row[j];
    }
    if (block.last) step_layer(t, layer, layer.weights, layer.size, block.rates);
  }
}

// One member's share of the way there and back: some of the block's rows. The lists by pixel, which need no weights, are made
// first where they are made anew.
void forward_backward(Training* t, int member, const Block& block, bool list_anew) {
  const Net& net = t->net;
  int threads = t->team->threads();
  const Layer& last = net.layers[net.count - 1];
  if (list_anew) {
    auto list = t->train->shifts != nullptr ? list_shifted_by_pixel : list_by_pixel;
    list(t->train, threads, member, block.order, block.rows, t->lists);
  }
  int64_t r0 = share(block.rows, 1, member, threads);
  int64_t rows = share(block.rows, 1, member + 1, threads) - r0;
  if (rows == 0) return;
  Rows h = from_row(net, t->h, r0);
  Rows d = from_row(net, t->d, r0);
  float* x = t->train->bytes != nullptr ? t->x + r0 * net.layers[0].inputs : nullptr;
  forward(net, t->train, member, block.order + r0, 0, rows, x, h);
  int32_t targets[BLOCK_ROWS];
  for (int64_t r = 0; r < rows; r++) targets[r] = t->train->targets[block.order[r0 + r]];
  loss_rows(t->loss, rows, (int)last.outputs, last.row, (float)block.batch_rows, h.at[net.count - 1], targets,
            d.at[net.count - 1], t->losses + r0);
  backward(net, rows, h, d);
}

// One member's share of the gradients and the step: some of each layer's inputs.
void step(Training* t, int member, const Block& block) {
  const Net& net = t->net;
  int threads = t->team->threads();
  for (int l = net.count - 1; l > 0; l--) {
    const Layer& layer = net.layers[l];
    int64_t unit = layer.panels ? TILE_ROWS : PANEL;
    int64_t inputs = layer.panels ? layer.inputs : layer.wide_inputs;
    int64_t i0 = share(inputs, unit, member, threads);
    int64_t i1 = share(inputs, unit, member + 1, threads);
    (layer.panels ? step_panels : step_narrow)(t, layer, block, i0, i1, t->h.at[l - 1], net.layers[l - 1].row, t->d.at[l]);
  }
  if (t->train->bytes == nullptr) {
    update_sparse_layer(t, net.layers[0], block, t->train->bounds[member], t->train->bounds[member + 1], t->d.at[0]);
  } else {
    int64_t inputs = net.layers[0].inputs;
    step_panels(t, net.layers[0], block, share(inputs, TILE_ROWS, member, threads),
                share(inputs, TILE_ROWS, member + 1, threads), t->x, inputs, t->d.at[0]);
  }
  if (member == 0) step_biases(t, block);
}

// Room for every block's lists by pixel; false where they would take more than they are worth.
bool make_room_to_keep(Training* t) {
  const Images* images = t->train;
  int64_t blocks = 0;
  for (int64_t first = 0; first < images->count; first += t->batch) {
    int64_t rows = images->count - first < t->batch ? images->count - first : t->batch;
    blocks += (rows + BLOCK_ROWS - 1) / BLOCK_ROWS;
  }
  if (blocks * BLOCK_ROWS > 8 * images->count + BLOCK_ROWS) return false;
  int64_t entries = images->begin[images->count] + blocks * images->inputs * 4;
  t->cached_lists.entries = (uint16_t*)t->memory.take(entries * sizeof(uint16_t));
  t->cached_lists.start = (int64_t*)t->memory.take(blocks * images->inputs * sizeof(int64_t));
  t->cached_lists.count = (uint16_t*)t->memory.take(blocks * images->inputs * sizeof(uint16_t));
  // A part of the room is none.
  if (t->memory.failed()) t->cached_lists = {};
  return !t->memory.failed();
}

// Where one member's lists of a block are kept; `entries` stand before those of the block.
int64_t kept_at(const Images* images, int threads, int member, const Block& block, int64_t entries) {
  for (int64_t r = 0; r < block.rows; r++) {
    const int64_t* split = images->split + (int64_t)block.order[r] * (threads + 1);
    entries += split[member] - split[0];
  }
  return entries + 4 * images->bounds[member];
}

INLINE int64_t entries_of(const Images* images, int threads, const Block& block) {
  int64_t entries = 4 * images->inputs;
  for (int64_t r = 0; r < block.rows; r++) {
    const int64_t* split = images->split + (int64_t)block.order[r] * (threads + 1);
    entries += split[threads] - split[0];
  }
  return entries;
}

void train_net(Training* t, const int32_t* order, const float* rates, double* loss_sums) {
  const Images* images = t->train;
  int threads = t->team->threads();
  bool by_lists = images->bytes == nullptr;
  bool shifted = images->shifts != nullptr;
  bool repeated = !shifted && t->order_known && memcmp(order, t->cached_order, images->count * sizeof(int32_t)) == 0;
  if (!repeated && !shifted) {
    memcpy(t->cached_order, order, images->count * sizeof(int32_t));
    t->order_known = true;
    t->kept = false;
  }
  bool have_room = by_lists && repeated && !t->memory.failed() && (t->cached_lists.entries != nullptr || make_room_to_keep(t));
  bool keep_now = have_room && !t->kept;
  bool use_kept = have_room && t->kept;
  int64_t number = 0;
  int64_t entries = 0;
  for (int64_t begin = 0; begin < images->count; begin += t->batch) {
    int64_t batch_rows = images->count - begin < t->batch ? images->count - begin : t->batch;
    LossSum sum;
    for (int64_t at = 0; at < batch_rows; at += BLOCK_ROWS, number++) {
      int64_t rows = batch_rows - at < BLOCK_ROWS ? batch_rows - at : BLOCK_ROWS;
      PixelLists kept = {};
      if (have_room) {
        kept = {t->cached_lists.entries, t->cached_lists.start + number * images->inputs,
                t->cached_lists.count + number * images->inputs};
      }
      Block block = {order + begin + at, rows, batch_rows, at == 0, at + rows == batch_rows,
                     rates + begin / t->batch * RATES, use_kept ? kept : t->lists};
      t->team->run([&](int member) { forward_backward(t, member, block, by_lists && !use_kept); });
      t->team->run([&](int member) {
        step(t, member, block);
        if (keep_now) {
          keep_lists(t->lists, images->bounds[member], images->bounds[member + 1],
                     kept_at(images, threads, member, block, entries), kept);
        }
        if (member == 0) sum.add(t->losses, rows);
      });
      if (keep_now) entries += entries_of(images, threads, block);
    }
    loss_sums[begin / t->batch] = sum.total();
  }
  t->kept = t->kept || keep_now;
}

void train_linear(Training* t, const int32_t* order, const float* rates, double* loss_sums) {
  bool shifted = t->train->shifts != nullptr;
  Linear* linear = shifted ? t->shifted.linear : t->linear;
  const Layer& layer = t->net.layers[0];
  int64_t count = t->train->count;
  int threads = t->team->threads();
  to_columns(linear, t->moments, layer);
  bool near = !shifted && make_near(linear, t->memory, t->team, order, count, t->batch);
  for (int64_t begin = 0; begin < count; begin += t->batch) {
    int64_t rows = count - begin < t->batch ? count - begin : t->batch;
    int64_t parts = (rows + PART_ROWS - 1) / PART_ROWS;
    const float* rates_now = rates + begin / t->batch * RATES;
    int64_t number = begin / t->batch;
    LinearBatch batch = near ? near_batch(linear, number)
                             : whole_batch(linear, order + begin, t->train->shifts);
    t->team->run([&](int member) {
      int64_t end = share(parts, 1, member + 1, threads);
      for (int64_t part = share(parts, 1, member, threads); part < end; part++) {
        int64_t r1 = (part + 1) * PART_ROWS < rows ? (part + 1) * PART_ROWS : rows;
        linear_part(linear, batch, t->loss, t->train->targets, order + begin, part * PART_ROWS, r1, rows, layer.bias()[0],
                    part, t->losses);
      }
    });
    // So little that it is not worth a second meeting.
    linear_step(linear, t->optimizer, parts, batch.width,
                near ? linear->near_columns + number * linear->width : linear->columns, rates_now);
    float& bias_gradient = layer.gradient[layer.weights];
    bias_gradient = 0.0f;
    for (int64_t part = 0; part < parts; part++) bias_gradient += linear->part_dlogits[part];
    step_layer(t, layer, layer.weights, layer.weights + 1, rates_now);
    LossSum sum;
    sum.add(t->losses, rows);
    loss_sums[number] = sum.total();
  }
  from_columns(linear, t->moments, layer);
}

// Before an epoch: how its training images are shifted, i32 [count] by image number, to be left where they are till the epoch is
// over; null where they are not. Whether the memory was enough.
bool set_shifts(Session* session, const int32_t* shifts, int height, int width) {
  Training* t = as_training(session);
  Images* images = t->train;
  images->shifts = shifts;
  images->height = height;
  images->width = width;
  if (shifts == nullptr) return true;
  if (is_linear(t->net)) return make_shifted(&t->shifted, t->linear, t->team, images, t->batch, t->moments);
  return images->bytes != nullptr || make_boxes(images, t->team);
}

// Takes every step of an epoch and writes the sum of each step's losses. order i32 [count], rates f32 [steps, 4], loss_sums
// f64 [steps].
void train_epoch(Session* session, const int32_t* order, const float* rates, double* loss_sums) {
  Training* t = as_training(session);
  (is_linear(t->net) ? train_linear : train_net)(t, order, rates, loss_sums);
}

}  // namespace INSTRUCTION_SET
