// The linear model with one logit, on the bytes of the images: converted in registers, forward and backward over a part
// of the batch while it is in the first-level cache.
//
// Pixel p of an image belongs to chain p % 16 of its dot product, a lane of the vectors; aligned groups of sixteen
// pixels that are zero in all training images at the start or the end of an image are left out.
#include "native.h"

namespace INSTRUCTION_SET {

// Rows that are processed together while they are in the first-level cache, and rows whose gradients are summed
// separately, so that several threads can compute them.
constexpr int64_t ROWS_AT_ONCE = 32;
constexpr int64_t PART_ROWS = 64;

// Vectors of pixels that are processed together.
constexpr int64_t GROUPS = 4;

struct Linear {
  // The pixels [start, end) are whole groups and hold all that are nonzero in some training image.
  int64_t start, end;
  // The gradient of each part, f32 [parts, padded pixels], and its sum of dlogits.
  float* part_gradients;
  float* part_dlogits;
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

// logits[r] = bias + the sum over c of row r's byte c times w[c] / 255, for any number of rows.
void byte_logits(const uint8_t* const* rows, int64_t count, int64_t width, const float* w, float bias, float* logits) {
  for (int64_t first = 0; first < count; first += 8) {
    const uint8_t* eight[8];
    float sums[8];
    for (int64_t r = 0; r < 8; r++) eight[r] = rows[first + r < count ? first + r : count - 1];
    eight_dots(eight, width, w, sums);
    for (int64_t r = 0; r < 8 && first + r < count; r++) logits[first + r] = fused(sums[r], PIXEL_SCALE, bias);
  }
}

// gradient[c] += sum over r of dlogits[r] * row r's byte c, r ascending, for a few groups of columns.
template <int64_t COUNT>
INLINE void add_groups(const uint8_t* const* rows, int64_t count, int64_t c, const float* dlogits, float* gradient) {
  Lanes sums[COUNT];
  for (int64_t g = 0; g < COUNT; g++) sums[g] = load(gradient + c + g * LANES);
  for (int64_t r = 0; r < count; r++) {
    Lanes dlogit = broadcast(dlogits[r]);
    for (int64_t g = 0; g < COUNT; g++) sums[g] = multiply_add(load_bytes(rows[r] + c + g * LANES), dlogit, sums[g]);
  }
  for (int64_t g = 0; g < COUNT; g++) store(gradient + c + g * LANES, sums[g]);
}

// The same for all columns.
void add_byte_rows(const uint8_t* const* rows, int64_t count, int64_t width, const float* dlogits, float* gradient) {
  int64_t c = 0;
  for (; c + GROUPS * LANES <= width; c += GROUPS * LANES) add_groups<GROUPS>(rows, count, c, dlogits, gradient);
  for (; c < width; c += LANES) add_groups<1>(rows, count, c, dlogits, gradient);
}

// batch_rows: the maximum number of images in a batch. Null where the memory is too small.
Linear* create_linear(Arena& memory, Team* team, const Images* images, const Layer& layer, int64_t batch_rows) {
  Linear* linear = (Linear*)memory.take(sizeof(Linear));
  uint8_t* used = (uint8_t*)memory.take(layer.padded_inputs);
  int64_t parts = (batch_rows + PART_ROWS - 1) / PART_ROWS;
  float* part_gradients = (float*)memory.take(parts * layer.padded_inputs * sizeof(float));
  float* part_dlogits = (float*)memory.take(parts * sizeof(float));
  if (memory.failed()) return nullptr;
  team->run([=](int member) {
    int64_t first = chunk_start(images->inputs, 64, member, team->threads());
    int64_t last = chunk_start(images->inputs, 64, member + 1, team->threads());
    for (int64_t i = 0; i < images->count; i++) {
      for (int64_t p = first; p < last; p++) used[p] |= images->bytes[i * images->stride + p];
    }
  });
  int64_t start = 0;
  int64_t end = images->inputs;
  while (start < end && used[start] == 0) start++;
  while (start < end && used[end - 1] == 0) end--;
  *linear = {start / LANES * LANES, padded(end, LANES), part_gradients, part_dlogits};
  return linear;
}

// Forward and backward over one part of a batch, its rows [r0, r1); the gradients are of the mean over batch_rows.
// shifted: a buffer for ROWS_AT_ONCE images where they are shifted.
void linear_part(
    const Linear* linear, const Layer& layer, const Images* images, int loss, const int32_t* order, int64_t r0,
    int64_t r1, int64_t batch_rows, int64_t part, uint8_t* shifted, float* losses) {
  // Shifts move what is nonzero by at most the gap.
  int64_t reach = images->shifts != nullptr ? padded(images->gap, LANES) : 0;
  int64_t start = linear->start > reach ? linear->start - reach : 0;
  int64_t all = padded(images->inputs, LANES);
  int64_t width = (linear->end + reach < all ? linear->end + reach : all) - start;
  float* gradient = linear->part_gradients + part * layer.padded_inputs;
  memset(gradient, 0, layer.padded_inputs * sizeof(float));
  float all_dlogits = 0.0f;
  for (int64_t first = r0; first < r1; first += ROWS_AT_ONCE) {
    int64_t rows = r1 - first < ROWS_AT_ONCE ? r1 - first : ROWS_AT_ONCE;
    const uint8_t* bytes[ROWS_AT_ONCE];
    int32_t classes[ROWS_AT_ONCE];
    float logits[ROWS_AT_ONCE], dlogits[ROWS_AT_ONCE];
    for (int64_t r = 0; r < rows; r++) {
      int64_t image = order[first + r];
      bytes[r] = shifted_bytes(images, image, shifted, r) + start;
      classes[r] = images->targets[image];
    }
    byte_logits(bytes, rows, width, layer.values[PARAMETERS] + start, layer.bias()[0], logits);
    loss_rows(loss, rows, 1, 1, (float)batch_rows, logits, classes, dlogits, losses + first);
    add_byte_rows(bytes, rows, width, dlogits, gradient + start);
    for (int64_t r = 0; r < rows; r++) all_dlogits += dlogits[r];
  }
  linear->part_dlogits[part] = all_dlogits;
}

// Adds the gradients of the parts in their order and takes the step.
void linear_step(
    const Linear* linear, const Layer& layer, const Optimizer& optimizer, int64_t parts, const float* step_parameters) {
  for (int64_t p = 0; p < layer.padded_inputs; p += LANES) {
    Lanes sum = load(linear->part_gradients + p);
    for (int64_t part = 1; part < parts; part++) {
      sum = add(sum, load(linear->part_gradients + part * layer.padded_inputs + p));
    }
    store(layer.gradient + p, multiply(sum, broadcast(PIXEL_SCALE)));
  }
  float& bias_gradient = layer.gradient[layer.weights];
  bias_gradient = 0.0f;
  for (int64_t part = 0; part < parts; part++) bias_gradient += linear->part_dlogits[part];
  update_range(
      optimizer, layer.weights + 1, layer.values[PARAMETERS], layer.gradient, layer.values[FIRST_MOMENT],
      layer.values[SECOND_MOMENT], step_parameters);
}

}  // namespace INSTRUCTION_SET
