// The linear model with one logit, on the images' bytes: converted in registers, forward and backward over a part of the batch
// while it is in the first cache.
//
// Training leaves out the pixels that no training image lights: the others come first (`pixel` tells which they are), and in that
// order stand weights, gradients and the optimiser's values while an epoch lasts. Where the order is that of the file, class after
// class, which comes again in every epoch, each batch is copied once more without the pixels that none of its images lights.
// That depends on the order alone, so a run that is stopped and resumed has the same bits.
#include "native.h"

namespace INSTRUCTION_SET {

// Rows that are taken one after the other while they are in the first cache, and rows whose gradients are summed apart,
// so that several threads can have them.
constexpr int64_t NEAR_ROWS = 32;
constexpr int64_t PART_ROWS = 64;

// Columns that are worked on at once.
constexpr int64_t COLUMNS = 64;

// A batch's images: row r is at bytes + number * stride, number being order[r], or r where the batch was copied for itself.
// A shifted image is read from elsewhere; `line` is the way from one line of its picture to the next.
struct LinearBatch {
  const uint8_t* bytes;
  int64_t stride;
  const int32_t* order;
  const int32_t* shifts;
  int64_t line;
  int64_t width;
  const float* weights;

  INLINE_MEMBER const uint8_t* row(int64_t r) const {
    int64_t number = order != nullptr ? order[r] : r;
    const uint8_t* still = bytes + number * stride;
    return shifts == nullptr ? still : still - shift_y(shifts[number]) * line - shift_x(shifts[number]);
  }
};

struct Linear {
  // All columns.
  int64_t inputs;
  // Pixels that are lit in some image, and that number as whole COLUMNS.
  int64_t used, width;
  // Pixel number of each column: the used ones, then the others; -1 for none.
  int32_t* pixel;
  // Where the gradient of each of the first `width` columns belongs, -1 for nowhere; null where it is the used columns' in order.
  int32_t* columns;
  // The used columns of each image, u8 [count, stride], zero past the last; and from one line of a shifted picture to the next.
  uint8_t* bytes;
  int64_t stride, line;
  // Weights, the optimiser's two kinds of values and the gradient in the columns' order, each padded to whole COLUMNS.
  float* values[3];
  float* gradient;
  // Each part's sums, f32 [parts, width], and its sum of gradients.
  float* part_gradients;
  float* part_dlogits;
  // Of batches that were copied for themselves: where each begins in `near`, how wide it is, and its columns, `width` for each;
  // the weights of the present one.
  int32_t* cached_order;
  bool near_made;
  uint8_t* near;
  int64_t* near_begin;
  int64_t* near_width;
  int32_t* near_columns;
  float* near_weights;
};

// Sums of eight rows: out[r] = sum over c of bytes[r, c] * w[c].
INLINE void eight_dots(const uint8_t* const (&rows)[8], int64_t width, const float* w, float* out) {
  Lanes sums[8];
  for (int r = 0; r < 8; r++) sums[r] = zero();
  for (int64_t c = 0; c < width; c += LANES) {
    Lanes weights = load(w + c);
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++) sums[r] = multiply_add(bytes(rows[r] + c), weights, sums[r]);
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

// gradient[c] += sum over r of gradients[r] * row r's byte c, r ascending.
void add_byte_rows(const uint8_t* const* rows, int64_t count, int64_t width, const float* dlogits, float* gradient) {
  constexpr int BLOCKS = COLUMNS / LANES;
  for (int64_t c = 0; c < width; c += COLUMNS) {
    Lanes sums[BLOCKS];
    for (int b = 0; b < BLOCKS; b++) sums[b] = load(gradient + c + b * LANES);
    for (int64_t r = 0; r < count; r++) {
      Lanes dlogit = broadcast(dlogits[r]);
      for (int b = 0; b < BLOCKS; b++) sums[b] = multiply_add(bytes(rows[r] + c + b * LANES), dlogit, sums[b]);
    }
    for (int b = 0; b < BLOCKS; b++) store(gradient + c + b * LANES, sums[b]);
  }
}

// Where each run of neighbours among `places` ends.
void find_runs(const int32_t* places, int64_t count, int32_t* run_ends) {
  for (int64_t c = count - 1; c >= 0; c--) {
    bool goes_on = c + 1 < count && places[c + 1] == places[c] + 1;
    run_ends[c] = goes_on ? run_ends[c + 1] : (int32_t)(c + 1);
  }
}

// Copies an image's used columns, a run of neighbours at a time.
INLINE void copy_runs(const uint8_t* from, const int32_t* pixel, const int32_t* run_ends, int64_t used, uint8_t* to) {
  for (int64_t c = 0; c < used; c = run_ends[c]) memcpy(to + c, from + pixel[c], run_ends[c] - c);
}

// Room for the weights and all that becomes of them.
void take_values(Linear* linear, Arena& memory, int64_t batch_rows, int moments) {
  int64_t whole = padded(linear->inputs, COLUMNS);
  int64_t parts = (batch_rows + PART_ROWS - 1) / PART_ROWS;
  for (int kind = 0; kind <= moments; kind++) linear->values[kind] = (float*)memory.take(whole * sizeof(float));
  linear->gradient = (float*)memory.take(whole * sizeof(float));
  linear->part_gradients = (float*)memory.take(parts * linear->width * sizeof(float));
  linear->part_dlogits = (float*)memory.take(parts * sizeof(float));
}

// pixels u8 [images, inputs]; batch_rows: the most images of a batch. Null where the memory is too small.
Linear* create_linear(
    Arena& memory, Team* team, const uint8_t* pixels, int64_t count, int64_t inputs, int64_t batch_rows, int moments) {
  Linear* linear = (Linear*)memory.take(sizeof(Linear));
  uint8_t* lit = (uint8_t*)memory.take(inputs);
  int32_t* pixel = (int32_t*)memory.take(inputs * sizeof(int32_t));
  int32_t* run_ends = (int32_t*)memory.take(inputs * sizeof(int32_t));
  if (memory.failed()) return nullptr;
  team->run([=](int member) {
    int64_t begin = share(inputs, 64, member, team->threads());
    int64_t end = share(inputs, 64, member + 1, team->threads());
    for (int64_t i = 0; i < count; i++) {
      for (int64_t p = begin; p < end; p++) lit[p] |= pixels[i * inputs + p];
    }
  });
  int64_t used = 0;
  for (int64_t p = 0; p < inputs; p++) {
    if (lit[p] != 0) pixel[used++] = (int32_t)p;
  }
  for (int64_t p = 0, n = used; p < inputs; p++) {
    if (lit[p] == 0) pixel[n++] = (int32_t)p;
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
    int64_t end = share(count, 1, member + 1, team->threads());
    for (int64_t i = share(count, 1, member, team->threads()); i < end; i++) {
      copy_runs(pixels + i * inputs, pixel, run_ends, used, linear->bytes + i * width);
    }
  });
  return linear;
}

// Pictures that an epoch shifts, each by at most (dx, dy). They lie so far apart, and their lines too, that a picture read from
// (dx, dy) before its place is the shifted one: zeros move in. What moves out comes to columns between the lines, which
// have no pixel, no weight and no step.
struct ShiftedLinear {
  Arena memory;
  Linear* linear;
  int64_t dx, dy;
};

// Makes them for images->shifts, if it is not done yet; false where the memory is too small. The layout depends on this epoch's
// shifts alone, so a run that is stopped and resumed has the same bits.
bool make_shifted(
    ShiftedLinear* shifted, const Linear* still, Team* team, const Images* images, int64_t batch, int moments) {
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
  int32_t* places = (int32_t*)memory.take(still->inputs * sizeof(int32_t));
  int32_t* run_ends = (int32_t*)memory.take(still->inputs * sizeof(int32_t));
  uint8_t* bytes = (uint8_t*)memory.take(apart + count * linear->stride + COLUMNS);
  if (memory.failed()) return false;
  linear->bytes = bytes + apart;
  for (int64_t c = 0; c < linear->inputs; c++) {
    bool has_pixel = c / line < images->height && c % line < images->width;
    linear->pixel[c] = has_pixel ? (int32_t)(c / line * images->width + c % line) : -1;
    linear->columns[c] = has_pixel ? (int32_t)c : -1;
  }
  for (int64_t c = 0; c < still->used; c++) {
    places[c] = (int32_t)(still->pixel[c] / images->width * line + still->pixel[c] % images->width);
  }
  find_runs(places, still->used, run_ends);
  team->run([=](int member) {
    int64_t end = share(count, 1, member + 1, team->threads());
    for (int64_t i = share(count, 1, member, team->threads()); i < end; i++) {
      const uint8_t* from = still->bytes + i * still->stride;
      uint8_t* to = linear->bytes + i * linear->stride;
      for (int64_t c = 0; c < still->used; c = run_ends[c]) memcpy(to + places[c], from + c, run_ends[c] - c);
    }
  });
  shifted->linear = linear;
  return true;
}

// Between the order of the pixels and that of the columns.
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

// Whether the order takes the images of one class, then those of the other, as the file has them.
INLINE bool is_sequential(const int32_t* order, int64_t count) {
  int64_t descents = 0;
  for (int64_t i = 1; i < count; i++) descents += order[i] < order[i - 1];
  return descents <= 1;
}

// One batch's images without the columns that none of them lights, one after the other; returns how many are left, padded.
int64_t copy_batch(const Linear* linear, const int32_t* order, int64_t rows, int32_t* columns, uint8_t* to) {
  int64_t used = 0;
  for (int64_t c = 0; c < linear->used; c += COLUMNS) {
    uint8_t lit[COLUMNS] = {};
    for (int64_t r = 0; r < rows; r++) {
      const uint8_t* row = linear->bytes + order[r] * linear->width + c;
      for (int64_t j = 0; j < COLUMNS; j++) lit[j] |= row[j];
    }
    for (int64_t j = 0; j < COLUMNS; j++) {
      if (lit[j] != 0) columns[used++] = (int32_t)(c + j);
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

// Copies every batch for itself, if this order is worth it and that is not done yet. False: the batches are as they were.
bool make_near(Linear* linear, Arena& memory, Team* team, const int32_t* order, int64_t count, int64_t batch) {
  if (memory.failed() || batch < PART_ROWS || !is_sequential(order, count)) return false;
  if (linear->near_made && memcmp(order, linear->cached_order, count * sizeof(int32_t)) == 0) return true;
  int64_t batches = (count + batch - 1) / batch;
  if (linear->near == nullptr) {
    linear->cached_order = (int32_t*)memory.take(count * sizeof(int32_t));
    linear->near = (uint8_t*)memory.take(count * linear->width);
    linear->near_begin = (int64_t*)memory.take(batches * sizeof(int64_t));
    linear->near_width = (int64_t*)memory.take(batches * sizeof(int64_t));
    linear->near_columns = (int32_t*)memory.take(batches * linear->width * sizeof(int32_t));
    linear->near_weights = (float*)memory.take(linear->width * sizeof(float));
    if (memory.failed()) return false;
  }
  memcpy(linear->cached_order, order, count * sizeof(int32_t));
  team->run([=](int member) {
    int64_t end = share(batches, 1, member + 1, team->threads());
    for (int64_t b = share(batches, 1, member, team->threads()); b < end; b++) {
      int64_t rows = count - b * batch < batch ? count - b * batch : batch;
      linear->near_begin[b] = b * batch * linear->width;
      linear->near_width[b] = copy_batch(linear, order + b * batch, rows, linear->near_columns + b * linear->width,
                                         linear->near + linear->near_begin[b]);
    }
  });
  return linear->near_made = true;
}

// Batch number b as it was copied, with the present weights.
LinearBatch near_batch(const Linear* linear, int64_t b) {
  const int32_t* columns = linear->near_columns + b * linear->width;
  int64_t width = linear->near_width[b];
  for (int64_t c = 0; c < width; c++) linear->near_weights[c] = columns[c] < 0 ? 0.0f : linear->values[0][columns[c]];
  return {linear->near + linear->near_begin[b], width, nullptr, nullptr, 0, width, linear->near_weights};
}

// A batch whose images stand where all do.
INLINE LinearBatch whole_batch(const Linear* linear, const int32_t* order, const int32_t* shifts) {
  return {linear->bytes, linear->stride, order, shifts, linear->line, linear->width, linear->values[0]};
}

// Forward and backward over one part of a batch, rows [r0, r1) of it; gradients' mean is over batch_rows.
void linear_part(
    const Linear* linear, const LinearBatch& batch, int loss, const int32_t* targets, const int32_t* order, int64_t r0,
    int64_t r1, int64_t batch_rows, float bias, int64_t part, float* losses) {
  float* gradient = linear->part_gradients + part * batch.width;
  memset(gradient, 0, batch.width * sizeof(float));
  float all_dlogits = 0.0f;
  for (int64_t first = r0; first < r1; first += NEAR_ROWS) {
    int64_t rows = r1 - first < NEAR_ROWS ? r1 - first : NEAR_ROWS;
    const uint8_t* bytes[NEAR_ROWS];
    int32_t classes[NEAR_ROWS];
    float logits[NEAR_ROWS], dlogits[NEAR_ROWS];
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

// The parts' sums added in their order, and the step taken. columns: where a copied batch's stand, or those of shifted pictures;
// null for all in order.
void linear_step(
    const Linear* linear, const Optimizer& optimizer, int64_t parts, int64_t width, const int32_t* columns,
    const float* rates) {
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
  update_some(optimizer, linear->inputs, linear->values[0], linear->gradient, linear->values[1], linear->values[2], rates);
}

}  // namespace INSTRUCTION_SET
