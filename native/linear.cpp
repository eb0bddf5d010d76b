// The linear model with one logit, on the bytes of the images: converted in registers, forward and backward over a part
// of the batch while it is in the first-level cache.
//
// Training leaves out the pixels that are zero in all training images: the used ones come first (`pixel` maps columns
// to pixels), and while an epoch lasts, weights, gradients and the optimiser's moments have that order too. Where the
// order of the examples is that of the file, class after class, which is the same in every epoch, each batch is cached
// in a compact form, without the pixels that are zero in all of its images. That depends on the order alone, so a run
// that is stopped and resumed has the same bits.
#include "native.h"

namespace INSTRUCTION_SET {

// Rows that are processed together while they are in the first-level cache, and rows whose gradients are summed
// separately, so that several threads can compute them.
constexpr int64_t ROWS_AT_ONCE = 32;
constexpr int64_t PART_ROWS = 64;

// Columns that are processed together.
constexpr int64_t COLUMNS = 64;

// The images of a batch: row r is at bytes + image * stride, image being order[r], or r where the batch is compact. A
// shifted image is read at an offset; `line` is the distance from one row of its pixels to the next.
struct LinearBatch {
  const uint8_t* bytes;
  int64_t stride;
  const int32_t* order;
  const int32_t* shifts;
  int64_t line;
  int64_t width;
  const float* weights;

  INLINE_MEMBER const uint8_t* row(int64_t r) const {
    int64_t image = order != nullptr ? order[r] : r;
    const uint8_t* unshifted = bytes + image * stride;
    return shifts == nullptr ? unshifted : unshifted - shift_y(shifts[image]) * line - shift_x(shifts[image]);
  }
};

struct Linear {
  // All columns.
  int64_t inputs;
  // Pixels that are nonzero in some image, and that number rounded up to a multiple of COLUMNS.
  int64_t used, width;
  // The pixel of each column: first the used ones, then the others; -1 for none.
  int32_t* pixel;
  // The column that the gradient of each of the first `width` columns belongs to, -1 for none; null where they are the
  // used columns in order.
  int32_t* columns;
  // The used columns of each image, u8 [count, stride], zero past the last; and the distance from one row of a shifted
  // image to the next.
  uint8_t* bytes;
  int64_t stride, line;
  // Weights, the optimiser's two moments and the gradient in the order of the columns, each padded to a multiple of
  // COLUMNS.
  float* values[VALUE_KINDS];
  float* gradient;
  // The gradient of each part, f32 [parts, width], and its sum of dlogits.
  float* part_gradients;
  float* part_dlogits;
  // The cached compact batches: where each starts in compact_bytes, its width and its columns, `width` for each; and
  // the weights of the current one.
  int32_t* cached_order;
  bool compact_ready;
  uint8_t* compact_bytes;
  int64_t* compact_start;
  int64_t* compact_width;
  int32_t* compact_columns;
  float* compact_weights;
};

// Eight dot products: out[r] = sum over c of bytes[r, c] * w[c].
INLINE void eight_dots(const uint8_t* const (&rows)[8], int64_t width, const float* w, float* out) {
  Lanes sums[8];
  for (int r = 0; r < 8; r++) sums[r] = zero();
  for (int64_t c = 0; c < width; c += LANES) {
    Lanes weights = load(w + c);
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++) sums[r] = multiply_add(load_bytes(rows[r] + c), weights, sums[r]);
  }
  for (int r = 0; r < 8; r++) out[r] = sum(sums[r]);
}

// out[r] = sum over c of row r's byte c times w[c], for any number of rows.
void byte_dots(const uint8_t* const* rows, int64_t count, int64_t width, const float* w, float* out) {
  for (int64_t first = 0; first < count; first += 8) {
    const uint8_t* eight[8];
    float sums[8];
    for (int64_t r = 0; r < 8; r++) eight[r] = rows[first + r < count ? first + r : count - 1];
    eight_dots(eight, width, w, sums);
    for (int64_t r = 0; r < 8 && first + r < count; r++) out[first + r] = sums[r];
  }
}

// gradient[c] += sum over r of dlogits[r] * row r's byte c, r ascending.
void add_byte_rows(const uint8_t* const* rows, int64_t count, int64_t width, const float* dlogits, float* gradient) {
  constexpr int BLOCKS = COLUMNS / LANES;
  for (int64_t c = 0; c < width; c += COLUMNS) {
    Lanes sums[BLOCKS];
    for (int b = 0; b < BLOCKS; b++) sums[b] = load(gradient + c + b * LANES);
    for (int64_t r = 0; r < count; r++) {
      Lanes dlogit = broadcast(dlogits[r]);
      for (int b = 0; b < BLOCKS; b++) sums[b] = multiply_add(load_bytes(rows[r] + c + b * LANES), dlogit, sums[b]);
    }
    for (int b = 0; b < BLOCKS; b++) store(gradient + c + b * LANES, sums[b]);
  }
}

// Computes the end of each run of consecutive positions.
void find_runs(const int32_t* positions, int64_t count, int32_t* run_ends) {
  for (int64_t c = count - 1; c >= 0; c--) {
    bool continues = c + 1 < count && positions[c + 1] == positions[c] + 1;
    run_ends[c] = continues ? run_ends[c + 1] : (int32_t)(c + 1);
  }
}

// Copies the used columns of an image, a run of consecutive pixels at a time.
INLINE void copy_runs(const uint8_t* from, const int32_t* pixel, const int32_t* run_ends, int64_t used, uint8_t* to) {
  for (int64_t c = 0; c < used; c = run_ends[c]) memcpy(to + c, from + pixel[c], run_ends[c] - c);
}

// Allocates the weights, the moments and the gradients.
void take_values(Linear* linear, Arena& memory, int64_t batch_rows, int moments) {
  int64_t whole = padded(linear->inputs, COLUMNS);
  int64_t parts = (batch_rows + PART_ROWS - 1) / PART_ROWS;
  for (int kind = 0; kind <= moments; kind++) linear->values[kind] = (float*)memory.take(whole * sizeof(float));
  linear->gradient = (float*)memory.take(whole * sizeof(float));
  linear->part_gradients = (float*)memory.take(parts * linear->width * sizeof(float));
  linear->part_dlogits = (float*)memory.take(parts * sizeof(float));
}

// pixels u8 [images, inputs]; batch_rows: the maximum number of images in a batch. Null where the memory is too small.
Linear* create_linear(
    Arena& memory, Team* team, const uint8_t* pixels, int64_t count, int64_t inputs, int64_t batch_rows, int moments) {
  Linear* linear = (Linear*)memory.take(sizeof(Linear));
  uint8_t* used_pixels = (uint8_t*)memory.take(inputs);
  int32_t* pixel = (int32_t*)memory.take(inputs * sizeof(int32_t));
  int32_t* run_ends = (int32_t*)memory.take(inputs * sizeof(int32_t));
  if (memory.failed()) return nullptr;
  team->run([=](int member) {
    int64_t start = chunk_start(inputs, 64, member, team->threads());
    int64_t end = chunk_start(inputs, 64, member + 1, team->threads());
    for (int64_t i = 0; i < count; i++) {
      for (int64_t p = start; p < end; p++) used_pixels[p] |= pixels[i * inputs + p];
    }
  });
  int64_t used = 0;
  for (int64_t p = 0; p < inputs; p++) {
    if (used_pixels[p] != 0) pixel[used++] = (int32_t)p;
  }
  for (int64_t p = 0, n = used; p < inputs; p++) {
    if (used_pixels[p] == 0) pixel[n++] = (int32_t)p;
  }
  find_runs(pixel, used, run_ends);
  int64_t width = padded(used, COLUMNS);
  linear->inputs = inputs;
  linear->used = used;
  linear->width = linear->stride = width;
  linear->pixel = pixel;
  take_values(linear, memory, batch_rows, moments);
  linear->bytes = (uint8_t*)memory.take(count * width);
  if (memory.failed()) return nullptr;
  team->run([=](int member) {
    int64_t end = chunk_start(count, 1, member + 1, team->threads());
    for (int64_t i = chunk_start(count, 1, member, team->threads()); i < end; i++) {
      copy_runs(pixels + i * inputs, pixel, run_ends, used, linear->bytes + i * width);
    }
  });
  return linear;
}

// Images that an epoch shifts, each by at most (dx, dy). They and their rows are stored so far apart that reading an
// image (dx, dy) before its start gives the shifted one: zeros move in. What moves out is read into the columns between
// the rows, which have no pixel, no weight and no update.
struct ShiftedLinear {
  Arena memory;
  Linear* linear;
  int64_t dx, dy;
};

// Builds them for images->shifts unless that is done; false where the memory is too small. The layout depends on the
// shifts of this epoch alone, so a run that is stopped and resumed has the same bits.
bool make_shifted(
    ShiftedLinear* shifted, const Linear* unshifted, Team* team, const Images* images, int64_t batch, int moments) {
  int64_t count = images->count;
  int64_t dx = 0;
  int64_t dy = 0;
  for (int64_t i = 0; i < count; i++) {
    int64_t x = shift_x(images->shifts[i]);
    int64_t y = shift_y(images->shifts[i]);
    dx = x > dx ? x : -x > dx ? -x : dx;
    dy = y > dy ? y : -y > dy ? -y : dy;
  }
  if (shifted->linear != nullptr && dx == shifted->dx && dy == shifted->dy) return true;
  shifted->memory.close();
  *shifted = {{}, nullptr, dx, dy};
  Arena& memory = shifted->memory;
  Linear* linear = (Linear*)memory.take(sizeof(Linear));
  if (memory.failed()) return false;
  int64_t line = images->width + dx;
  int64_t apart = dy * line + dx;
  linear->width = linear->used = linear->inputs = padded(images->height * line, COLUMNS);
  linear->line = line;
  linear->stride = images->height * line + apart;
  take_values(linear, memory, batch < count ? batch : count, moments);
  linear->pixel = (int32_t*)memory.take(linear->inputs * sizeof(int32_t));
  linear->columns = (int32_t*)memory.take(linear->inputs * sizeof(int32_t));
  int32_t* positions = (int32_t*)memory.take(unshifted->inputs * sizeof(int32_t));
  int32_t* run_ends = (int32_t*)memory.take(unshifted->inputs * sizeof(int32_t));
  uint8_t* bytes = (uint8_t*)memory.take(apart + count * linear->stride + COLUMNS);
  if (memory.failed()) return false;
  linear->bytes = bytes + apart;
  for (int64_t c = 0; c < linear->inputs; c++) {
    bool has_pixel = c / line < images->height && c % line < images->width;
    linear->pixel[c] = has_pixel ? (int32_t)(c / line * images->width + c % line) : -1;
    linear->columns[c] = has_pixel ? (int32_t)c : -1;
  }
  for (int64_t c = 0; c < unshifted->used; c++) {
    positions[c] = (int32_t)(unshifted->pixel[c] / images->width * line + unshifted->pixel[c] % images->width);
  }
  find_runs(positions, unshifted->used, run_ends);
  team->run([=](int member) {
    int64_t end = chunk_start(count, 1, member + 1, team->threads());
    for (int64_t i = chunk_start(count, 1, member, team->threads()); i < end; i++) {
      const uint8_t* from = unshifted->bytes + i * unshifted->stride;
      uint8_t* to = linear->bytes + i * linear->stride;
      for (int64_t c = 0; c < unshifted->used; c = run_ends[c]) memcpy(to + positions[c], from + c, run_ends[c] - c);
    }
  });
  shifted->linear = linear;
  return true;
}

// Converts between the order of the pixels and that of the columns.
void to_columns(const Linear* linear, int moments, const Layer& layer) {
  for (int kind = 0; kind <= moments; kind++) {
    for (int64_t c = 0; c < linear->inputs; c++) {
      linear->values[kind][c] = linear->pixel[c] < 0 ? 0.0f : layer.values[kind][linear->pixel[c]];
    }
  }
}

void from_columns(const Linear* linear, int moments, const Layer& layer) {
  for (int kind = 0; kind <= moments; kind++) {
    for (int64_t c = 0; c < linear->inputs; c++) {
      if (linear->pixel[c] >= 0) layer.values[kind][linear->pixel[c]] = linear->values[kind][c];
    }
  }
}

// Whether the order has all images of one class, then those of the other, as the file does.
INLINE bool is_sequential(const int32_t* order, int64_t count) {
  int64_t descents = 0;
  for (int64_t i = 1; i < count; i++) descents += order[i] < order[i - 1];
  return descents <= 1;
}

// Copies the images of one batch without the columns that are zero in all of them; returns the number of columns left,
// padded.
int64_t copy_compact(const Linear* linear, const int32_t* order, int64_t rows, int32_t* columns, uint8_t* to) {
  int64_t used = 0;
  for (int64_t c = 0; c < linear->used; c += COLUMNS) {
    uint8_t used_columns[COLUMNS] = {};
    for (int64_t r = 0; r < rows; r++) {
      const uint8_t* row = linear->bytes + order[r] * linear->width + c;
      for (int64_t j = 0; j < COLUMNS; j++) used_columns[j] |= row[j];
    }
    for (int64_t j = 0; j < COLUMNS; j++) {
      if (used_columns[j] != 0) columns[used++] = (int32_t)(c + j);
    }
  }
  int64_t width = padded(used, COLUMNS);
  for (int64_t r = 0; r < rows; r++) {
    const uint8_t* row = linear->bytes + order[r] * linear->width;
    for (int64_t c = 0; c < used; c++) to[r * width + c] = row[columns[c]];
    memset(to + r * width + used, 0, width - used);
  }
  for (int64_t c = used; c < width; c++) columns[c] = -1;
  return width;
}

// Builds the compact batches where this order is worth it and they are not cached yet. Returns false where there are
// none: train_linear then reads the images in place.
bool make_compact(Linear* linear, Arena& memory, Team* team, const int32_t* order, int64_t count, int64_t batch) {
  if (memory.failed() || batch < PART_ROWS || !is_sequential(order, count)) return false;
  if (linear->compact_ready && memcmp(order, linear->cached_order, count * sizeof(int32_t)) == 0) return true;
  int64_t batches = (count + batch - 1) / batch;
  if (linear->compact_bytes == nullptr) {
    linear->cached_order = (int32_t*)memory.take(count * sizeof(int32_t));
    linear->compact_bytes = (uint8_t*)memory.take(count * linear->width);
    linear->compact_start = (int64_t*)memory.take(batches * sizeof(int64_t));
    linear->compact_width = (int64_t*)memory.take(batches * sizeof(int64_t));
    linear->compact_columns = (int32_t*)memory.take(batches * linear->width * sizeof(int32_t));
    linear->compact_weights = (float*)memory.take(linear->width * sizeof(float));
    if (memory.failed()) return false;
  }
  memcpy(linear->cached_order, order, count * sizeof(int32_t));
  team->run([=](int member) {
    int64_t end = chunk_start(batches, 1, member + 1, team->threads());
    for (int64_t b = chunk_start(batches, 1, member, team->threads()); b < end; b++) {
      int64_t rows = count - b * batch < batch ? count - b * batch : batch;
      linear->compact_start[b] = b * batch * linear->width;
      linear->compact_width[b] = copy_compact(
          linear, order + b * batch, rows, linear->compact_columns + b * linear->width,
          linear->compact_bytes + linear->compact_start[b]);
    }
  });
  return linear->compact_ready = true;
}

// Compact batch b, with the current weights.
LinearBatch compact_batch(const Linear* linear, int64_t b) {
  const int32_t* columns = linear->compact_columns + b * linear->width;
  int64_t width = linear->compact_width[b];
  for (int64_t c = 0; c < width; c++) {
    linear->compact_weights[c] = columns[c] < 0 ? 0.0f : linear->values[PARAMETERS][columns[c]];
  }
  return {linear->compact_bytes + linear->compact_start[b], width, nullptr, nullptr, 0, width, linear->compact_weights};
}

// A batch that is read where all images are stored.
INLINE LinearBatch whole_batch(const Linear* linear, const int32_t* order, const int32_t* shifts) {
  return {linear->bytes, linear->stride, order, shifts, linear->line, linear->width, linear->values[PARAMETERS]};
}

// Forward and backward over one part of a batch, its rows [r0, r1); the gradients are of the mean over batch_rows.
void linear_part(
    const Linear* linear, const LinearBatch& batch, int loss, const int32_t* targets, const int32_t* order, int64_t r0,
    int64_t r1, int64_t batch_rows, float bias, int64_t part, float* losses) {
  float* gradient = linear->part_gradients + part * batch.width;
  memset(gradient, 0, batch.width * sizeof(float));
  float all_dlogits = 0.0f;
  for (int64_t first = r0; first < r1; first += ROWS_AT_ONCE) {
    int64_t rows = r1 - first < ROWS_AT_ONCE ? r1 - first : ROWS_AT_ONCE;
    const uint8_t* bytes[ROWS_AT_ONCE];
    int32_t classes[ROWS_AT_ONCE];
    float logits[ROWS_AT_ONCE], dlogits[ROWS_AT_ONCE];
    for (int64_t r = 0; r < rows; r++) {
      bytes[r] = batch.row(first + r);
      classes[r] = targets[order[first + r]];
    }
    byte_dots(bytes, rows, batch.width, batch.weights, logits);
    for (int64_t r = 0; r < rows; r++) logits[r] = logits[r] * PIXEL_SCALE + bias;
    loss_rows(loss, rows, 1, 1, (float)batch_rows, logits, classes, dlogits, losses + first);
    add_byte_rows(bytes, rows, batch.width, dlogits, gradient);
    for (int64_t r = 0; r < rows; r++) all_dlogits += dlogits[r];
  }
  linear->part_dlogits[part] = all_dlogits;
}

// Adds the gradients of the parts in their order and takes the step. columns: those of a compact batch or of shifted
// images; null for all in order.
void linear_step(
    const Linear* linear, const Optimizer& optimizer, int64_t parts, int64_t width, const int32_t* columns,
    const float* step_parameters) {
  float* sums = linear->part_gradients;
  for (int64_t c = 0; c < width; c += LANES) {
    Lanes sum = load(sums + c);
    for (int64_t part = 1; part < parts; part++) sum = add(sum, load(sums + part * width + c));
    store(sums + c, multiply(sum, broadcast(PIXEL_SCALE)));
  }
  memset(linear->gradient, 0, linear->inputs * sizeof(float));
  for (int64_t c = 0; c < width; c++) {
    int64_t column = columns != nullptr ? columns[c] : c < linear->used ? c : -1;
    if (column >= 0) linear->gradient[column] = sums[c];
  }
  update_range(
      optimizer, linear->inputs, linear->values[PARAMETERS], linear->gradient, linear->values[FIRST_MOMENT],
      linear->values[SECOND_MOMENT], step_parameters);
}

}  // namespace INSTRUCTION_SET
