// A whole training in native code: one call an epoch, two jobs for the team a step. The forward and backward pass is
// partitioned by rows of the batch; gradients and the update are partitioned by pixels, or whatever the inputs of a
// layer are. No sum is split between threads, so the number of threads changes no bit.
//
// A batch is processed in blocks of 256 rows, with convolutions of fewer; where it has more, gradients accumulate in
// memory from block to block.
#include "native.h"

namespace zerofive {

// An opaque handle for Java; the Training of each instruction set derives from it.
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
  // Rows of a block.
  int64_t block_rows;

  Images* train;
  Linear* linear;
  Activations h, d;
  float* losses;
  // Where the bytes of the current block's images stand; and a buffer for shifted ones, u8 [block, padded inputs], or
  // for a few of each member where the model is linear.
  const uint8_t* block_bytes[BLOCK_ROWS];
  Arena gap_memory;
  uint8_t* shifted;

  // The order of the last epoch without shifts. When it comes again, as it does without shuffling, the columns of each
  // block (CSC) are cached: starts and counts are [blocks, padded inputs]. cache_at: where each member's
  // pixels go on.
  int32_t* cached_order;
  bool has_cached_order;
  bool cache_filled;
  CscBlock cache;
  int64_t* cache_at;

  // Evaluation has memory of its own, separate for each member where it is written.
  Images* valid;
  int64_t valid_first;
  LossSum valid_sum;
  Arena valid_memory;
  Activations eval_activations;
  float* logits;
  float* valid_losses;
  int64_t* correct;
};

INLINE Training* as_training(Session* session) { return (Training*)session; }

INLINE bool is_linear(const Net& net) { return net.count == 1 && !net.layers[0].panels; }

// Whether its first layer reads the bytes of an image, not its nonzero pixels.
INLINE bool reads_bytes(const Net& net) { return is_linear(net) || net.convolutions > 0; }

// With convolutions: rows of a block, and of these the rows that a member takes through all layers together. They stay
// in the second-level cache.
constexpr int64_t WINDOW_BLOCK_ROWS = 64;
constexpr int64_t ROWS_IN_CACHE = 16;

void destroy_session(Session* session) {
  Training* t = as_training(session);
  destroy_images(t->train);
  destroy_images(t->valid);
  t->valid_memory.close();
  t->gap_memory.close();
  t->memory.close();
  release(t);
}

// windows: WINDOW_SHAPE numbers of each layer. batch: the maximum number of rows of a step, 0 for evaluation only.
Session* create_session(
    Team* team, const int32_t* windows, int layers, int loss, int optimizer_kind, float momentum, float decay,
    int64_t batch) {
  Training* t = (Training*)allocate(sizeof(Training));
  if (t == nullptr) return nullptr;
  t->team = team;
  t->loss = loss;
  t->optimizer = {optimizer_kind, momentum, decay};
  t->moments = batch == 0 ? 0 : optimizer_kind != OPTIMIZER_SGD ? 2 : momentum != 0.0f ? 1 : 0;
  t->batch = batch;
  create_net(&t->net, t->memory, windows, layers, t->moments);
  t->block_rows = t->net.convolutions > 0 ? WINDOW_BLOCK_ROWS : BLOCK_ROWS;
  for (int l = 0; l < t->net.convolutions; l++) {
    // The parts of a gradient are summed within a block.
    int64_t group = t->net.layers[l].window.group;
    t->block_rows = group > t->block_rows ? group : t->block_rows;
  }
  t->eval_activations = create_activations(t->net, t->memory, team->threads() * EVAL_ROWS);
  t->correct = (int64_t*)t->memory.take(team->threads() * sizeof(int64_t));
  if (t->memory.failed()) {
    destroy_session(t);
    return nullptr;
  }
  return t;
}

// kind: a ValueKind. offset: of the first value in Java's array.
void set_session_values(Session* session, int kind, const float* values, int64_t offset) {
  set_values(&as_training(session)->net, kind, values + offset);
}

void get_session_values(Session* session, int kind, float* values, int64_t offset) {
  get_values(&as_training(session)->net, kind, values + offset);
}

// Returns whether the memory was enough. form: how the images are stored, a Form of images.cpp.
bool set_train(Session* session, const uint8_t* pixels, const int32_t* targets, int64_t count, int form) {
  Training* t = as_training(session);
  Arena& memory = t->memory;
  t->train =
      create_images(t->team, pixels, targets, count, t->net.pixels, reads_bytes(t->net) ? FORM_DENSE : form, true);
  if (t->train == nullptr) return false;
  int64_t batch_rows = t->batch < count ? t->batch : count;
  int64_t rows = batch_rows < t->block_rows ? batch_rows : t->block_rows;
  t->losses = (float*)memory.take(batch_rows * sizeof(float));
  if (is_linear(t->net)) {
    t->linear = create_linear(memory, t->team, t->train, t->net.layers[0], batch_rows);
    return !memory.failed();
  }
  t->h = create_activations(t->net, memory, rows);
  t->d = create_activations(t->net, memory, rows);
  t->cached_order = (int32_t*)memory.take(count * sizeof(int32_t));
  return !memory.failed();
}

// Returns whether the memory was enough. first: the index of the first image in Java's arrays.
bool set_valid(Session* session, const uint8_t* pixels, const int32_t* targets, int64_t first, int64_t count) {
  Training* t = as_training(session);
  int64_t pixels_of_one = t->net.pixels;
  destroy_images(t->valid);
  t->valid_memory.close();
  t->valid_memory = {};
  t->valid_first = first;
  t->valid = create_images(
      t->team, pixels + first * pixels_of_one, targets + first, count, pixels_of_one,
      reads_bytes(t->net) ? FORM_DENSE : FORM_BY_SIZE, false);
  if (t->valid == nullptr) return false;
  int64_t outputs = t->net.layers[t->net.count - 1].outputs;
  t->logits = (float*)t->valid_memory.take(count * outputs * sizeof(float));
  t->valid_losses = (float*)t->valid_memory.take(count * sizeof(float));
  return !t->valid_memory.failed();
}

// The logits that evaluate_valid computed, f32 [count, outputs].
void get_logits(const Session* session, float* logits, int64_t offset) {
  const Training* t = (const Training*)session;
  memcpy(logits + offset, t->logits, t->valid->count * t->net.layers[t->net.count - 1].outputs * sizeof(float));
}

// Computes the logits of rows [first, first + rows) of the validation set.
void evaluate_rows(Training* t, int member, int64_t first, int64_t rows) {
  const Layer& last = t->net.layers[t->net.count - 1];
  float* logits = t->logits + first * last.outputs;
  const uint8_t* bytes[EVAL_ROWS];
  for (int64_t r = 0; r < rows && t->valid->bytes != nullptr; r++) {
    bytes[r] = t->valid->bytes + (first + r) * t->valid->stride;
  }
  if (is_linear(t->net)) {
    // Weights are padded to whole panels, which is less than the padding of the bytes.
    byte_logits(bytes, rows, last.padded_inputs, last.values[PARAMETERS], last.bias()[0], logits);
    return;
  }
  Activations h = activations_from(t->net, t->eval_activations, member * EVAL_ROWS);
  forward(t->net, {t->valid, nullptr, first, rows, bytes}, {}, member, h);
  for (int64_t r = 0; r < rows; r++) {
    memcpy(logits + r * last.outputs, h.at[t->net.count - 1] + r * last.row_stride, last.outputs * sizeof(float));
  }
}

// metrics f64 [2]: the losses of the validation images so far, from number 0 on, summed as those of one step; and the
// number of those predicted correctly, which is added.
void evaluate_valid(Session* session, double* metrics) {
  Training* t = as_training(session);
  int64_t outputs = t->net.layers[t->net.count - 1].outputs;
  int64_t count = t->valid->count;
  int threads = t->team->threads();
  t->team->run([=](int member) {
    int64_t unit = EVAL_ROWS;
    int64_t end = chunk_start(count, unit, member + 1, threads);
    int64_t correct = 0;
    for (int64_t first = chunk_start(count, unit, member, threads); first < end; first += unit) {
      int64_t rows = end - first < unit ? end - first : unit;
      evaluate_rows(t, member, first, rows);
      correct += evaluate_logits(
          t->loss, rows, (int)outputs, t->logits + first * outputs, t->valid->targets + first, t->valid_losses + first);
    }
    t->correct[member] = correct;
  });
  if (t->valid_first == 0) t->valid_sum = LossSum();
  t->valid_sum.add(t->valid_losses, count, t->valid_first);
  metrics[0] = t->valid_sum.total();
  for (int member = 0; member < threads; member++) metrics[1] += (double)t->correct[member];
}

// One block of a batch, and its position in the batch.
struct Block {
  const int32_t* order;
  int64_t rows;
  int64_t batch_rows;
  bool first, last;
  const float* step_parameters;
  // The columns of the block in the cache, and whether they are there.
  CscBlock cache;
  bool cached;
};

// Updates the parameters [start, end) of a layer along their gradient.
INLINE void update_layer(
    const Training* t, const Layer& layer, int64_t start, int64_t end, const float* step_parameters) {
  update_range(
      t->optimizer, end - start, layer.values[PARAMETERS] + start, layer.gradient + start,
      offset_or_null(layer.values[FIRST_MOMENT], start), offset_or_null(layer.values[SECOND_MOMENT], start),
      step_parameters);
}

// A layer in panels: the gradient of the weights from inputs [i0, i1), whose values stand at input[r * input_row + i],
// and their update.
void update_panels(
    const Training* t, const Layer& layer, const Block& block, int64_t i0, int64_t i1, const float* input,
    int64_t input_row, const float* delta) {
  for (int64_t panel = 0; panel < layer.padded_outputs / PANEL && i0 < i1; panel++) {
    int64_t start = (panel * layer.inputs + i0) * PANEL;
    multiply_panel(
        i1 - i0, block.rows, input + i0, 1, input_row, delta + panel * PANEL, layer.row_stride, !block.first,
        layer.gradient + start, PANEL);
    if (block.last) update_layer(t, layer, start, start + (i1 - i0) * PANEL, block.step_parameters);
  }
  if (block.last) transpose(layer, i0, i1);
}

// The last of several layers: the gradient of the weights from inputs [i0, i1), whole panels, and their update.
void update_narrow_layer(
    const Training* t, const Layer& layer, const Block& block, int64_t i0, int64_t i1, const float* input,
    int64_t input_row, const float* delta) {
  for (int64_t i = i0; i < i1; i += PANEL) {
    multiply_panel(
        layer.outputs, block.rows, delta, 1, layer.row_stride, input + i, input_row, !block.first, layer.gradient + i,
        layer.padded_inputs);
  }
  for (int64_t o = 0; o < layer.outputs && block.last && i0 < i1; o++) {
    update_layer(t, layer, o * layer.padded_inputs + i0, o * layer.padded_inputs + i1, block.step_parameters);
  }
}

// The first layer: the gradients of the pixels [p0, p1), whose columns of csc are numbered from `first` on, are
// computed in registers, and their weights are updated at once.
void update_columns(const Training* t, const Block& block, const CscBlock& csc, int64_t first, int64_t p0, int64_t p1) {
  const Layer& layer = t->net.layers[0];
  const float* delta = t->d.at[0];
  const Optimizer& optimizer = t->optimizer;
  bool plain = optimizer.kind == OPTIMIZER_SGD && optimizer.momentum == 0.0f && optimizer.decay == 0.0f;
  bool whole = block.first && block.last;
  Lanes scale = broadcast(PIXEL_SCALE);
  Lanes rate = broadcast(block.step_parameters[0]);
  for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
    for (int64_t p = p0; p < p1; p++) {
      int64_t count = csc.count[p - first];
      // Plain gradient descent changes nothing where the gradient is zero.
      if (plain && whole && count == 0) continue;
      SparseColumn column = {csc.entries + csc.start[p - first]};
      int64_t at = (panel * layer.inputs + p) * PANEL;
      for (int64_t j = 0; j < PANEL; j += SPARSE_LANES * LANES) {
        Lanes sums[SPARSE_LANES];
        sparse_product(column, count, delta + panel * PANEL + j, layer.row_stride, sums);
        for (int l = 0; l < SPARSE_LANES; l++) {
          Lanes g = multiply(sums[l], scale);
          float* gradient = layer.gradient + at + j + l * LANES;
          float* w = layer.values[PARAMETERS] + at + j + l * LANES;
          if (!block.first) g = add(load(gradient), g);
          if (plain && block.last) {
            store(w, subtract(load(w), multiply(rate, g)));
          } else {
            store(gradient, g);
          }
        }
      }
      if (!plain && block.last) update_layer(t, layer, at, at + PANEL, block.step_parameters);
    }
  }
}

// Copies the columns of the pixels [p0, p1) to the cache of their block.
void cache_columns(Training* t, int member, const Block& block, const CscBlock& csc, int64_t p0, int64_t p1) {
  for (int64_t p = p0; p < p1; p++) {
    uint16_t count = csc.count[p - p0];
    block.cache.start[p] = t->cache_at[member];
    block.cache.count[p] = count;
    memcpy(t->cache.entries + t->cache_at[member], csc.entries + csc.start[p - p0], count * sizeof(uint16_t));
    t->cache_at[member] += count;
  }
}

// Calls work(i0, panel) for one member's part of the tiles of a convolution's weights: those that begin in the range
// [start, end) of the work on all convolutions, of which this one's begins at `at`.
template <typename Work>
INLINE void each_weight_tile(const Layer& layer, int64_t at, int64_t start, int64_t end, const Work& work) {
  for (int64_t panel = 0; panel < layer.padded_outputs / PANEL; panel++) {
    for (int64_t i0 = 0; i0 < layer.inputs; i0 += TILE_ROWS, at += layer.window.positions) {
      if (at >= start && at < end) work(i0, panel);
    }
  }
}

// One member's part of the convolutions' gradients and update: some tiles of their weights, about as much work as the
// others have. A group of images stays in the cache while it meets all tiles.
void update_windows(const Training* t, int member, const Block& block) {
  const Net& net = t->net;
  int64_t work = 0;
  for (int l = 0; l < net.convolutions; l++) work += window_work(net.layers[l].window);
  int64_t start = work * member / t->team->threads();
  int64_t end = work * (member + 1) / t->team->threads();
  int64_t at = 0;
  for (int l = 0; l < net.convolutions; at += window_work(net.layers[l].window), l++) {
    const Layer& layer = net.layers[l];
    const Window& window = layer.window;
    const float* input = l > 0 ? t->h.at[l - 1] : t->h.images;
    for (int64_t r = 0; r < block.rows; r += window.group) {
      int64_t rows = block.rows - r < window.group ? block.rows - r : window.group;
      each_weight_tile(layer, at, start, end, [&](int64_t i0, int64_t panel) {
        window_gradient(
            window, rows, input + r * window.image, t->d.at[l] + r * window.output_image, !block.first || r > 0, i0,
            panel, layer.gradient + panel * layer.inputs * PANEL, layer.gradient + layer.weights + panel * PANEL);
      });
    }
    each_weight_tile(layer, at, start, block.last ? end : start, [&](int64_t i0, int64_t panel) {
      int64_t first = panel * layer.inputs * PANEL;
      int64_t bias = layer.weights + panel * PANEL;
      int64_t i1 = i0 + TILE_ROWS < layer.inputs ? i0 + TILE_ROWS : layer.inputs;
      update_layer(t, layer, first + i0 * PANEL, first + i1 * PANEL, block.step_parameters);
      if (i0 == 0) update_layer(t, layer, bias, bias + PANEL, block.step_parameters);
      transpose_window(layer, i0, i1, panel);
    });
  }
}

// One member's part of the first layer's gradients and update: some pixels.
void update_first_layer(Training* t, int member, const Block& block) {
  int64_t inputs = t->net.layers[0].inputs;
  int64_t p0 = t->train->bounds[member];
  int64_t p1 = t->train->bounds[member + 1];
  if (block.cached) return update_columns(t, block, block.cache, 0, p0, p1 < inputs ? p1 : inputs);
  uint16_t entries[TILE_PIXELS * COLUMN_CAPACITY];
  int64_t start[TILE_PIXELS];
  uint16_t count[TILE_PIXELS];
  for (int64_t p = 0; p < TILE_PIXELS; p++) start[p] = p * COLUMN_CAPACITY;
  CscBlock csc = {entries, start, count};
  for (int64_t first = p0; first < p1; first += TILE_PIXELS) {
    int64_t end = first + TILE_PIXELS < p1 ? first + TILE_PIXELS : p1;
    make_columns(t->train, t->block_bytes, block.rows, first, end, csc);
    update_columns(t, block, csc, first, first, end < inputs ? end : inputs);
    if (block.cache.entries != nullptr) cache_columns(t, member, block, csc, first, end);
  }
}

// Sums the columns of the gradient of every fully connected layer and updates the biases.
void update_biases(const Training* t, const Block& block) {
  for (int l = t->net.convolutions; l < t->net.count; l++) {
    const Layer& layer = t->net.layers[l];
    float* gradient = layer.gradient + layer.weights;
    if (block.first) memset(gradient, 0, layer.padded_outputs * sizeof(float));
    for (int64_t r = 0; r < block.rows; r++) {
      const float* row = t->d.at[l] + r * layer.row_stride;
      for (int64_t j = 0; j < layer.outputs; j++) gradient[j] += row[j];
    }
    if (block.last) update_layer(t, layer, layer.weights, layer.size, block.step_parameters);
  }
}

// What one member makes the columns of a block from.
INLINE Wanted wanted_bytes(const Training* t, int member, const Block& block) {
  const Images* images = t->train;
  if (block.cached || images->row_start == nullptr) return {};
  int64_t start = images->bounds[member];
  int64_t end = images->bounds[member + 1];
  return {
      block.order, block.rows, start > images->nonzero_start ? start : images->nonzero_start,
      end < images->nonzero_end ? end : images->nonzero_end};
}

// The forward and backward pass of some rows of the block, [r0, r0 + rows).
void forward_backward_rows(Training* t, int member, const Block& block, int64_t r0, int64_t rows) {
  const Net& net = t->net;
  const Layer& last = net.layers[net.count - 1];
  Activations h = activations_from(net, t->h, r0);
  Activations d = activations_from(net, t->d, r0);
  const Images* images = t->train;
  for (int64_t r = r0; r < r0 + rows && !block.cached; r++) {
    t->block_bytes[r] = net.convolutions > 0 ? images->bytes + block.order[r] * images->stride
                                             : shifted_bytes(images, block.order[r], t->shifted, r);
  }
  forward(net, {images, block.order + r0, 0, rows, t->block_bytes + r0}, wanted_bytes(t, member, block), member, h);
  int32_t targets[BLOCK_ROWS];
  for (int64_t r = 0; r < rows; r++) targets[r] = images->targets[block.order[r0 + r]];
  loss_rows(
      t->loss, rows, (int)last.outputs, last.row_stride, (float)block.batch_rows, h.at[net.count - 1], targets,
      d.at[net.count - 1], t->losses + r0);
  backward(net, rows, h, d);
}

// One member's part of the forward and backward pass: some rows of the block.
void forward_backward(Training* t, int member, const Block& block) {
  int threads = t->team->threads();
  int64_t end = chunk_start(block.rows, 1, member + 1, threads);
  int64_t at_once = t->net.convolutions > 0 ? ROWS_IN_CACHE : block.rows;
  for (int64_t r = chunk_start(block.rows, 1, member, threads); r < end; r += at_once) {
    forward_backward_rows(t, member, block, r, end - r < at_once ? end - r : at_once);
  }
}

// One member's part of the gradients and the update: some inputs of each layer.
void update_weights(Training* t, int member, const Block& block) {
  const Net& net = t->net;
  int threads = t->team->threads();
  for (int l = net.count - 1; l > 0 && l >= net.convolutions; l--) {
    const Layer& layer = net.layers[l];
    int64_t unit = layer.panels ? TILE_ROWS : PANEL;
    int64_t inputs = layer.panels ? layer.inputs : layer.padded_inputs;
    int64_t i0 = chunk_start(inputs, unit, member, threads);
    int64_t i1 = chunk_start(inputs, unit, member + 1, threads);
    (layer.panels ? update_panels : update_narrow_layer)(
        t, layer, block, i0, i1, input_of(net, l, t->h), input_stride(net, l), t->d.at[l]);
  }
  if (net.convolutions > 0) {
    update_windows(t, member, block);
  } else {
    update_first_layer(t, member, block);
  }
  if (member == 0) update_biases(t, block);
}

// The blocks of an epoch.
int64_t count_blocks(const Training* t) {
  int64_t blocks = 0;
  for (int64_t first = 0; first < t->train->count; first += t->batch) {
    int64_t rows = t->train->count - first < t->batch ? t->train->count - first : t->batch;
    blocks += (rows + t->block_rows - 1) / t->block_rows;
  }
  return blocks;
}

// Allocates the cache of every block's columns; false where it would take more memory than it is worth.
bool allocate_cache(Training* t, int64_t blocks) {
  const Images* images = t->train;
  int64_t columns = padded(images->inputs, SIDE);
  if (blocks * BLOCK_ROWS > 8 * images->count + BLOCK_ROWS) return false;
  int64_t entries = images->row_start[images->count] + blocks * columns * 4;
  t->cache.entries = (uint16_t*)t->memory.take(entries * sizeof(uint16_t));
  t->cache.start = (int64_t*)t->memory.take(blocks * columns * sizeof(int64_t));
  t->cache.count = (uint16_t*)t->memory.take(blocks * columns * sizeof(uint16_t));
  t->cache_at = (int64_t*)t->memory.take(t->team->threads() * sizeof(int64_t));
  // Half a cache is of no use.
  if (t->memory.failed()) t->cache = {};
  return !t->memory.failed();
}

// Where each member's pixels begin in the cache: behind all that the members in front of it can have.
void place_cache(Training* t, int64_t blocks) {
  const Images* images = t->train;
  int64_t counts[MAX_SPARSE_PIXELS / SIDE] = {};
  for (int64_t e = 0; e < images->row_start[images->count]; e++) counts[images->index[e] / SIDE]++;
  int64_t entries = 0;
  int64_t p = 0;
  for (int member = 0; member < t->team->threads(); member++) {
    for (; p < images->bounds[member]; p += SIDE) entries += counts[p / SIDE];
    t->cache_at[member] = entries + 4 * blocks * p;
  }
}

void train_net(Training* t, const int32_t* order, const float* step_parameters, double* loss_sums) {
  const Images* images = t->train;
  int64_t columns = padded(images->inputs, SIDE);
  bool shifted = images->shifts != nullptr;
  bool repeated =
      !shifted && t->has_cached_order && memcmp(order, t->cached_order, images->count * sizeof(int32_t)) == 0;
  if (!repeated && !shifted) {
    memcpy(t->cached_order, order, images->count * sizeof(int32_t));
    t->has_cached_order = true;
    t->cache_filled = false;
  }
  int64_t blocks = count_blocks(t);
  bool can_cache = images->row_start != nullptr && repeated && !t->memory.failed() &&
                   (t->cache.entries != nullptr || allocate_cache(t, blocks));
  if (can_cache && !t->cache_filled) place_cache(t, blocks);
  int64_t number = 0;
  for (int64_t start = 0; start < images->count; start += t->batch) {
    int64_t batch_rows = images->count - start < t->batch ? images->count - start : t->batch;
    LossSum sum;
    for (int64_t at = 0; at < batch_rows; at += t->block_rows, number++) {
      int64_t rows = batch_rows - at < t->block_rows ? batch_rows - at : t->block_rows;
      CscBlock cache = {};
      if (can_cache) cache = {t->cache.entries, t->cache.start + number * columns, t->cache.count + number * columns};
      Block block = {
          order + start + at,
          rows,
          batch_rows,
          at == 0,
          at + rows == batch_rows,
          step_parameters + start / t->batch * STEP_PARAMETERS,
          cache,
          can_cache && t->cache_filled};
      t->team->run([&](int member) { forward_backward(t, member, block); });
      t->team->run([&](int member) {
        update_weights(t, member, block);
        if (member == 0) sum.add(t->losses, rows, at);
      });
    }
    loss_sums[start / t->batch] = sum.total();
  }
  t->cache_filled = t->cache_filled || can_cache;
}

void train_linear(Training* t, const int32_t* order, const float* step_parameters, double* loss_sums) {
  const Layer& layer = t->net.layers[0];
  int64_t count = t->train->count;
  int threads = t->team->threads();
  for (int64_t start = 0; start < count; start += t->batch) {
    int64_t rows = count - start < t->batch ? count - start : t->batch;
    int64_t parts = (rows + PART_ROWS - 1) / PART_ROWS;
    t->team->run([&](int member) {
      uint8_t* shifted = t->shifted + member * ROWS_AT_ONCE * padded(t->train->inputs, LINE);
      int64_t end = chunk_start(parts, 1, member + 1, threads);
      for (int64_t part = chunk_start(parts, 1, member, threads); part < end; part++) {
        int64_t r1 = (part + 1) * PART_ROWS < rows ? (part + 1) * PART_ROWS : rows;
        linear_part(
            t->linear, layer, t->train, t->loss, order + start, part * PART_ROWS, r1, rows, part, shifted, t->losses);
      }
    });
    // So little work that it is not worth a second synchronisation.
    linear_step(t->linear, layer, t->optimizer, parts, step_parameters + start / t->batch * STEP_PARAMETERS);
    LossSum sum;
    sum.add(t->losses, rows, 0);
    loss_sums[start / t->batch] = sum.total();
  }
}

// Called before an epoch. shifts: those of its training images, i32 [count], which must stay valid until the epoch is
// over; null for none. Returns whether the memory was enough.
bool set_shifts(Session* session, const int32_t* shifts, int height, int width) {
  Training* t = as_training(session);
  Images* images = t->train;
  images->shifts = shifts;
  images->height = height;
  images->width = width;
  if (shifts == nullptr || t->net.convolutions > 0) return true;
  if (t->shifted == nullptr) {
    int64_t rows = is_linear(t->net) ? t->team->threads() * ROWS_AT_ONCE : BLOCK_ROWS;
    t->shifted = (uint8_t*)images->memory.take(rows * padded(images->inputs, LINE));
  }
  if (images->memory.failed()) return false;
  int64_t gap = 0;
  for (int64_t i = 0; i < images->count; i++) {
    int64_t x = shift_x(shifts[i]);
    int64_t y = shift_y(shifts[i]);
    int64_t offset = (y < 0 ? -y : y) * width + (x < 0 ? -x : x);
    gap = offset > gap ? offset : gap;
  }
  images->reach = gap;
  bool boxes = images->row_start != nullptr ? make_boxes(images, t->team) : make_dense_boxes(images, t->team);
  return boxes && make_gaps(images, t->team, gap, &t->gap_memory);
}

// Takes every step of an epoch and writes the sum of each step's losses. order i32 [count], step_parameters f32
// [steps, 4], loss_sums f64 [steps].
void train_epoch(Session* session, const int32_t* order, const float* step_parameters, double* loss_sums) {
  Training* t = as_training(session);
  (is_linear(t->net) ? train_linear : train_net)(t, order, step_parameters, loss_sums);
}

}  // namespace INSTRUCTION_SET
