// The linear model with one logit, on the images' bytes: converted in registers, forward and backward over a part of the batch
// while it is in the first cache.
//
// Training leaves out the pixels that no training image lights: the others come first (`pixel` tells which they are), and in that
// order stand weights, gradients and the optimiser's values while an epoch lasts.
#include "native.h"

namespace INSTRUCTION_SET {

// Rows that are taken one after the other while they are in the first cache, and rows whose gradients are summed apart,
// so that several threads can have them.
constexpr int64_t NEAR_ROWS = 32;
constexpr int64_t PART_ROWS = 64;

// Columns that are worked on at once.
constexpr int64_t COLUMNS = 64;

struct Linear {
  int64_t inputs;
  // Pixels that are lit in some image, and that number as whole COLUMNS.
  int64_t used, width;
  // Pixel number of each column: the used ones, then the others.
  int32_t* pixel;
  // The used columns of each image, u8 [count, width], zero past the last.
  uint8_t* bytes;
  // Weights, the optimiser's two kinds of values and the gradient in the columns' order, each padded to whole COLUMNS.
  float* values[3];
  float* gradient;
  // Each part's sums, f32 [parts, width], and its sum of slopes.
  float* part_gradients;
  float* part_slopes;
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

// gradient[c] += sum over r of slopes[r] * row r's byte c, r ascending.
void add_byte_rows(const uint8_t* const* rows, int64_t count, int64_t width, const float* slopes, float* gradient) {
  constexpr int BLOCKS = COLUMNS / LANES;
  for (int64_t c = 0; c < width; c += COLUMNS) {
    Lanes sums[BLOCKS];
    for (int b = 0; b < BLOCKS; b++) sums[b] = load(gradient + c + b * LANES);
    for (int64_t r = 0; r < count; r++) {
      Lanes slope = broadcast(slopes[r]);
      for (int b = 0; b < BLOCKS; b++) sums[b] = multiply_add(bytes(rows[r] + c + b * LANES), slope, sums[b]);
    }
    for (int b = 0; b < BLOCKS; b++) store(gradient + c + b * LANES, sums[b]);
  }
}

// Copies an image's used columns, a run of neighbours at a time.
INLINE void copy_runs(const uint8_t* from, const int32_t* pixel, const int32_t* run_ends, int64_t used, uint8_t* to) {
  for (int64_t c = 0; c < used; c = run_ends[c]) memcpy(to + c, from + pixel[c], run_ends[c] - c);
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
  for (int64_t c = used - 1; c >= 0; c--) {
    bool goes_on = c + 1 < used && pixel[c + 1] == pixel[c] + 1;
    run_ends[c] = goes_on ? run_ends[c + 1] : (int32_t)(c + 1);
  }
  int64_t width = padded(used, COLUMNS);
  int64_t whole = padded(inputs, COLUMNS);
  int64_t parts = (batch_rows + PART_ROWS - 1) / PART_ROWS;
  *linear = {inputs, used, width, pixel, nullptr, {}, nullptr, nullptr, nullptr};
  for (int kind = 0; kind <= moments; kind++) linear->values[kind] = (float*)memory.take(whole * sizeof(float));
  linear->gradient = (float*)memory.take(whole * sizeof(float));
  linear->part_gradients = (float*)memory.take(parts * width * sizeof(float));
  linear->part_slopes = (float*)memory.take(parts * sizeof(float));
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

// Between the order of the pixels and that of the columns.
void to_columns(const Linear* linear, int moments, const Layer& layer) {
  for (int kind = 0; kind <= moments; kind++) {
    for (int64_t c = 0; c < linear->inputs; c++) linear->values[kind][c] = layer.values[kind][linear->pixel[c]];
  }
}

void from_columns(const Linear* linear, int moments, const Layer& layer) {
  for (int kind = 0; kind <= moments; kind++) {
    for (int64_t c = 0; c < linear->inputs; c++) layer.values[kind][linear->pixel[c]] = linear->values[kind][c];
  }
}

// Forward and backward over one part of a batch, rows [r0, r1) of the order; slopes' mean is over batch_rows.
void linear_part(
    const Linear* linear, int loss, const int32_t* targets, const int32_t* order, int64_t r0, int64_t r1, int64_t batch_rows,
    float bias, int64_t part, float* losses) {
  float* gradient = linear->part_gradients + part * linear->width;
  memset(gradient, 0, linear->width * sizeof(float));
  float all_slopes = 0.0f;
  for (int64_t first = r0; first < r1; first += NEAR_ROWS) {
    int64_t rows = r1 - first < NEAR_ROWS ? r1 - first : NEAR_ROWS;
    const uint8_t* bytes[NEAR_ROWS];
    int32_t classes[NEAR_ROWS];
    float logits[NEAR_ROWS], slopes[NEAR_ROWS];
    for (int64_t r = 0; r < rows; r++) {
      bytes[r] = linear->bytes + order[first + r] * linear->width;
      classes[r] = targets[order[first + r]];
    }
    byte_dots(bytes, rows, linear->width, linear->values[0], logits);
    for (int64_t r = 0; r < rows; r++) logits[r] = logits[r] * PER_SHADE + bias;
    loss_rows(loss, rows, 1, 1, (float)batch_rows, logits, classes, slopes, losses + first);
    add_byte_rows(bytes, rows, linear->width, slopes, gradient);
    for (int64_t r = 0; r < rows; r++) all_slopes += slopes[r];
  }
  linear->part_slopes[part] = all_slopes;
}

// The parts' sums added in their order, and the step taken.
void linear_step(const Linear* linear, const Optimizer& optimizer, int64_t parts, const float* rates) {
  for (int64_t c = 0; c < linear->width; c += LANES) {
    Lanes sums = load(linear->part_gradients + c);
    for (int64_t part = 1; part < parts; part++) sums = add(sums, load(linear->part_gradients + part * linear->width + c));
    store(linear->gradient + c, multiply(sums, broadcast(PER_SHADE)));
  }
  update_some(optimizer, linear->inputs, linear->values[0], linear->gradient, linear->values[1], linear->values[2], rates);
}

}  // namespace INSTRUCTION_SET
