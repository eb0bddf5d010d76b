// The gradients of all weights and biases from what exact_forward.cu left, and the optimiser's step. It reads the rows
// of one block of the batch, `rows` of them from place `first` of the epoch on; a large batch comes in several blocks,
// whole multiples of 256 rows but for the last, and then sums stand in `gradient`, f32 [size], between the launches:
// `begins` and `ends` tell a batch's first and last block. No two threads write one parameter.
#include "exact.cuh"

constexpr int WARPS = THREADS / WARP;

// Weights of neighbouring rows of a hidden layer that a thread sums at once.
constexpr int ROWS_AT_ONCE = PANEL / WARPS;
static_assert(ROWS_AT_ONCE == 4, "a float4");

// Rows of a batch that are in shared memory at a time.
constexpr int STAGED_ROWS = 64;

// Where a gradient goes: into memory, or where the batch ends, into an optimiser's step.
struct Step {
  float* values;
  float* gradient;
  size_t size;
  bool begins;
  bool ends;
  int kind;
  float momentum;
  float decay;
  const float* parameters;  // a row of step_parameters, as update.cu describes it

  // What the launches before this one have summed.
  __device__ __forceinline__ float begun(size_t at) const { return begins ? 0.0f : gradient[at]; }

  // The step of the parameter at `at` along g; returns its new value. The formulas are those of update.cu.
  __device__ __forceinline__ float take(size_t at, float g) const {
    float w = values[at];
    if (kind == OPTIMIZER_SGD) {
      g = add_weight_decay(g, w, decay);
      if (momentum != 0.0f) {
        g = momentum_update(values[size + at], g, momentum);
        values[size + at] = g;
      }
      w = sgd_step(w, g, parameters[0]);
    } else {
      bool decoupled = kind == OPTIMIZER_ADAMW;
      if (decoupled) {
        w = parameters[3] * w;
      } else {
        g = add_weight_decay(g, w, decay);
      }
      float m = adam_first_moment(values[size + at], g);
      float v = adam_second_moment(values[2 * size + at], g);
      values[size + at] = m;
      values[2 * size + at] = v;
      w = adam_step(w, m, v, parameters[1], parameters[2]);
    }
    values[at] = w;
    return w;
  }

  __device__ __forceinline__ void finish(size_t at, float g) const {
    if (ends) {
      take(at, g);
    } else {
      gradient[at] = g;
    }
  }

  // Whether a gradient of zero changes nothing.
  __device__ __forceinline__ bool is_plain() const {
    return kind == OPTIMIZER_SGD && momentum == 0.0f && decay == 0.0f;
  }
};

// Shared memory of a block, which has one of these tasks at a time.
union Scratch {
  struct {
    uint8_t bytes[WARPS][BLOCK_ROWS];
    float2 terms[WARPS][BLOCK_ROWS];
  } pixels;
  struct {
    float factors[STAGED_ROWS][PANEL];
    float others[STAGED_ROWS][PANEL];
  } rows;
};

__device__ __forceinline__ Scratch& scratch() {
  __shared__ Scratch memory;
  return memory;
}

// Weights of the first layer: a warp a pixel, from p0 on. In each block of 256 rows the rows are listed in which the
// pixel is nonzero, and their gradients added in four chains.
__device__ __forceinline__ void update_pixels(
    const Step& step, const ExactLayer& layer, const Pictures& pictures, int first, int rows, const float* d,
    int row_floats, int p0) {
  auto& shared = scratch().pixels;
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int p = p0 + warp;
  float2* terms = shared.terms[warp];
  for (int start = 0; start < rows; start += BLOCK_ROWS) {
    // A thread a row: neighbouring pixels of an image lie side by side.
    static_assert(WARPS == 8, "pixels_of_eight");
    uint2 values = make_uint2(0, 0);
    int r = start + threadIdx.x;
    if (r < rows) values = Picture(pictures, pictures.image(first + r)).pixels_of_eight(p0);
    if (start > 0) __syncthreads();
#pragma unroll
    for (int w = 0; w < WARPS; w++) {
      shared.bytes[w][threadIdx.x] = (uint8_t)((w < 4 ? values.x : values.y) >> (w % 4 * 8));
    }
    __syncthreads();
    if (p >= layer.inputs) continue;
    int count = 0;
#pragma unroll
    for (int g = 0; g < BLOCK_ROWS / WARP; g++) {
      int row = g * WARP + lane;
      unsigned int value = shared.bytes[warp][row];
      unsigned int nonzero = __ballot_sync(WHOLE_WARP, value != 0);
      if (value != 0) terms[count + __popc(nonzero & lanes_below())] = term_of(value, row * row_floats);
      count += __popc(nonzero);
    }
    __syncwarp();
    bool begins = step.begins && start == 0;
    bool ends = step.ends && rows - start <= BLOCK_ROWS;
    if (count == 0 && begins && ends && step.is_plain()) continue;
    for (int o = lane; o < whole_panels(layer.outputs) * PANEL; o += PANEL) {
      const float* gradients = d + (size_t)start * row_floats + layer.output + o;
      float sums[SPARSE_CHAINS] = {};
      add_all_terms(sums, terms, 0, 1, count, gradients);
      if (o >= layer.outputs) continue;
      size_t at = layer.weights + (size_t)p * layer.row_floats + o;
      float g = ((sums[0] + sums[1]) + (sums[2] + sums[3])) * PIXEL_SCALE;
      // Added to nothing, -0 keeps its sign.
      if (!begins) g = step.gradient[at] + g;
      if (ends) {
        step.take(at, g);
      } else {
        step.gradient[at] = g;
      }
    }
  }
}

// The part of STAGED_ROWS rows of a batch, a panel of each, that one thread copies into shared memory: all its loads
// are in flight at once.
struct StagedPart {
  float values[STAGED_ROWS / WARPS];

  // From a panel in the first of `rows` rows; later rows are 0.
  __device__ __forceinline__ void load(const float* panel, int rows, int row_floats) {
#pragma unroll
    for (int k = 0; k < STAGED_ROWS / WARPS; k++) {
      int r = k * WARPS + threadIdx.x / WARP;
      values[k] = r < rows ? panel[(size_t)r * row_floats + threadIdx.x % WARP] : 0.0f;
    }
  }

  __device__ __forceinline__ void store(float (*to)[PANEL]) const {
#pragma unroll
    for (int k = 0; k < STAGED_ROWS / WARPS; k++) to[k * WARPS + threadIdx.x / WARP][threadIdx.x % WARP] = values[k];
  }
};

// Weights of a layer that has another below it: a block takes a tile of 32 rows of weights and 32 columns, `tile` of
// them all, and a warp of it ROWS_AT_ONCE rows. The gradient of a weight is one chain over the rows of the batch.
__device__ __forceinline__ void update_weights(
    const Step& step, const ExactLayer& layer, int below, int tile, int rows, const float* h, const float* d,
    int row_floats, float* transposed) {
  auto& shared = scratch().rows;
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int weight_rows = layer.by_input ? layer.inputs : layer.outputs;
  int columns = layer.by_input ? layer.outputs : layer.inputs;
  int panels = whole_panels(columns);
  int row0 = tile / panels * PANEL;
  int column0 = tile % panels * PANEL;
  const float* factors = (layer.by_input ? h + below : d + layer.output) + row0;
  const float* others = (layer.by_input ? d + layer.output : h + below) + column0;
  int row = row0 + warp * ROWS_AT_ONCE;
  int column = column0 + lane;
  size_t at = layer.weights + (size_t)row * layer.row_floats + column;
  float sums[ROWS_AT_ONCE];
#pragma unroll
  for (int k = 0; k < ROWS_AT_ONCE; k++) {
    sums[k] = row + k < weight_rows ? step.begun(at + (size_t)k * layer.row_floats) : 0.0f;
  }
  StagedPart factors_part, others_part;
  factors_part.load(factors, rows, row_floats);
  others_part.load(others, rows, row_floats);
  for (int start = 0; start < rows; start += STAGED_ROWS) {
    __syncthreads();
    factors_part.store(shared.factors);
    others_part.store(shared.others);
    __syncthreads();
    int left = rows - start;
    if (left > STAGED_ROWS) {
      size_t next = (size_t)(start + STAGED_ROWS) * row_floats;
      factors_part.load(factors + next, left - STAGED_ROWS, row_floats);
      others_part.load(others + next, left - STAGED_ROWS, row_floats);
    }
    int some = left < STAGED_ROWS ? left : STAGED_ROWS;
#pragma unroll 8
    for (int r = 0; r < some; r++) {
      float4 factor = *(const float4*)&shared.factors[r][warp * ROWS_AT_ONCE];
      float other = shared.others[r][lane];
      sums[0] = fmaf(factor.x, other, sums[0]);
      sums[1] = fmaf(factor.y, other, sums[1]);
      sums[2] = fmaf(factor.z, other, sums[2]);
      sums[3] = fmaf(factor.w, other, sums[3]);
    }
  }
  if (column >= columns) return;
#pragma unroll
  for (int k = 0; k < ROWS_AT_ONCE; k++) {
    if (row + k >= weight_rows) return;
    size_t weight = at + (size_t)k * layer.row_floats;
    if (!step.ends) {
      step.gradient[weight] = sums[k];
      continue;
    }
    float w = step.take(weight, sums[k]);
    if (layer.by_input) transposed[layer.transposed + (size_t)column * layer.transposed_floats + row + k] = w;
  }
}

// Tiles of such a layer.
__device__ __forceinline__ int weight_tiles(const ExactLayer& layer) {
  return whole_panels(layer.inputs) * whole_panels(layer.outputs);
}

// A panel of a layer's biases, by a block, of which a warp adds: additions over the rows of the batch.
__device__ __forceinline__ void update_biases(
    const Step& step, const ExactLayer& layer, int panel, int rows, const float* d, int row_floats) {
  auto& shared = scratch().rows;
  int o = panel * PANEL + threadIdx.x;
  bool adds = threadIdx.x < WARP && o < layer.outputs;
  size_t at = layer.bias + o;
  float sum = adds ? step.begun(at) : 0.0f;
  const float* gradients = d + layer.output + panel * PANEL;
  StagedPart part;
  part.load(gradients, rows, row_floats);
  for (int start = 0; start < rows; start += STAGED_ROWS) {
    __syncthreads();
    part.store(shared.others);
    __syncthreads();
    int left = rows - start;
    if (left > STAGED_ROWS) {
      part.load(gradients + (size_t)(start + STAGED_ROWS) * row_floats, left - STAGED_ROWS, row_floats);
    }
    if (!adds) continue;
    int some = left < STAGED_ROWS ? left : STAGED_ROWS;
#pragma unroll 8
    for (int r = 0; r < some; r++) sum += shared.others[r][threadIdx.x];
  }
  if (adds) step.finish(at, sum);
}

// Blocks: first those of the pixels, then for each other layer those of its weights, then for each layer those of its
// biases. The bound of two blocks a multiprocessor keeps assemblers from saving registers and spilling.
extern "C" __global__ __launch_bounds__(THREADS, 2) void exact_update(
    int layers, const ExactLayer* __restrict__ layout, float* values, float* transposed, float* gradient, int size,
    const uint8_t* __restrict__ pixels, const int* __restrict__ order, const int* __restrict__ shifts, int height,
    int width, int first, int rows, int begins, int ends, const float* __restrict__ h, const float* __restrict__ d,
    int row_floats, int kind, float momentum, float decay, const float* __restrict__ step_parameters, int number) {
  const float* parameters = step_parameters + (size_t)number * STEP_PARAMETERS;
  Step step = {values, gradient, (size_t)size, begins != 0, ends != 0, kind, momentum, decay, parameters};
  int block = blockIdx.x;
  int blocks = (layout[0].inputs + WARPS - 1) / WARPS;
  if (block < blocks) {
    Pictures pictures = {pixels, nullptr, order, shifts, height, width};
    update_pixels(step, layout[0], pictures, first, rows, d, row_floats, block * WARPS);
    return;
  }
  for (int l = 1; l < layers; l++) {
    block -= blocks;
    const ExactLayer layer = layout[l];
    blocks = weight_tiles(layer);
    if (block < blocks) {
      update_weights(step, layer, layout[l - 1].output, block, rows, h, d, row_floats, transposed);
      return;
    }
  }
  for (int l = 0; l < layers; l++) {
    block -= blocks;
    blocks = whole_panels(layout[l].outputs);
    if (block < blocks) {
      update_biases(step, layout[l], block, rows, d, row_floats);
      return;
    }
  }
}

// The same for a linear model with one logit (the bound of two blocks keeps assemblers from saving registers and
// spilling): a block has 32 pixels, whose rows are summed in parts of 64, a warp a
// part, and the parts added in order. The last block has the bias.
extern "C" __global__ __launch_bounds__(THREADS, 2) void exact_linear_update(
    const ExactLayer* __restrict__ layout, float* values, float* gradient, int size, const uint8_t* __restrict__ pixels,
    const int* __restrict__ order, const int* __restrict__ shifts, int height, int width, int first, int rows,
    int begins, int ends, const float* __restrict__ d, int row_floats, int kind, float momentum, float decay,
    const float* __restrict__ step_parameters, int number) {
  __shared__ float parts[WARPS][WARP];
  const float* parameters = step_parameters + (size_t)number * STEP_PARAMETERS;
  Step step = {values, gradient, (size_t)size, begins != 0, ends != 0, kind, momentum, decay, parameters};
  const ExactLayer layer = layout[0];
  Pictures pictures = {pixels, nullptr, order, shifts, height, width};
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  bool is_bias = blockIdx.x == gridDim.x - 1;
  int p = blockIdx.x * WARP + lane;
  bool exists = is_bias ? lane == 0 : p < layer.inputs;
  size_t at = is_bias ? layer.bias : layer.weights + p;
  float sum = exists && warp == 0 ? step.begun(at) : 0.0f;
  for (int start = 0; start < rows; start += WARPS * PART_ROWS) {
    int r0 = start + warp * PART_ROWS;
    int r1 = rows - r0 < PART_ROWS ? rows : r0 + PART_ROWS;
    float part = 0.0f;
    if (is_bias) {
      for (int r = r0; r < r1; r++) part += d[(size_t)r * row_floats];
    } else if (exists) {
      int y = p / width;
      int x = p % width;
#pragma unroll 4
      for (int r = r0; r < r1; r++) {
        Picture picture(pictures, pictures.image(first + r));
        part = fmaf((float)picture.pixel(y, x), d[(size_t)r * row_floats], part);
      }
    }
    parts[warp][lane] = part;
    __syncthreads();
    if (warp == 0) {
      for (int w = 0; w < WARPS && start + w * PART_ROWS < rows; w++) {
        // The pixels' first part is added to nothing, the bias's to zero.
        bool is_first = step.begins && start == 0 && w == 0 && !is_bias;
        sum = is_first ? parts[w][lane] : sum + parts[w][lane];
      }
    }
    __syncthreads();
  }
  if (!exists || warp != 0) return;
  if (step.ends) {
    step.take(at, is_bias ? sum : sum * PIXEL_SCALE);
  } else {
    gradient[at] = sum;
  }
}
