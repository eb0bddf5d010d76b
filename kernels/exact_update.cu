// The gradients of all weights and biases from what exact_forward.cu left, and the optimiser's step. It reads the rows
// of one block of the batch, `rows` of them from place `first` of the epoch on; a large batch comes in several blocks,
// whole multiples of 256 rows but for the last, and then sums stand in `gradient`, f32 [size], between the launches:
// `begins` and `ends` tell a batch's first and last block. No two threads write one parameter.
#include "exact.cuh"

constexpr int WARPS = THREADS / WARP;

// Weights of neighbouring rows of a hidden layer that a thread sums at once.
constexpr int ROWS_AT_ONCE = 4;

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

// Weights of the first layer: a warp a pixel, from p0 on. In each block of 256 rows the rows are listed in which the
// pixel is nonzero, and their gradients added in four chains.
__device__ __forceinline__ void update_pixels(
    const Step& step, const ExactLayer& layer, const Pictures& pictures, int first, int rows, const float* d,
    int row_floats, int p0) {
  __shared__ uint8_t bytes[WARPS][BLOCK_ROWS];
  __shared__ uint16_t lists[WARPS][BLOCK_ROWS];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int p = p0 + warp;
  for (int start = 0; start < rows; start += BLOCK_ROWS) {
    // A thread a row: neighbouring pixels of an image lie side by side.
    int r = start + threadIdx.x;
    if (start > 0) __syncthreads();
    if (r < rows) {
      Picture picture(pictures, pictures.image(first + r));
#pragma unroll
      for (int w = 0; w < WARPS; w++) bytes[w][threadIdx.x] = p0 + w < layer.inputs ? picture.pixel(p0 + w) : 0;
    } else {
#pragma unroll
      for (int w = 0; w < WARPS; w++) bytes[w][threadIdx.x] = 0;
    }
    __syncthreads();
    if (p >= layer.inputs) continue;
    uint16_t* list = lists[warp];
    int count = list_nonzero(list, [&](int row) { return (unsigned int)bytes[warp][row]; });
    __syncwarp();
    bool begins = step.begins && start == 0;
    bool ends = step.ends && rows - start <= BLOCK_ROWS;
    if (count == 0 && begins && ends && step.is_plain()) continue;
    for (int o = lane; o < whole_panels(layer.outputs) * PANEL; o += PANEL) {
      const float* gradients = d + (size_t)start * row_floats + layer.output + o;
      auto add = [&](float sum, int e) {
        int entry = list[e];
        return fmaf((float)(entry & 0xff), gradients[(size_t)(entry >> 8) * row_floats], sum);
      };
      float sums[SPARSE_CHAINS] = {};
      int e = 0;
#pragma unroll 2
      for (; e + SPARSE_CHAINS <= count; e += SPARSE_CHAINS) {
#pragma unroll
        for (int chain = 0; chain < SPARSE_CHAINS; chain++) sums[chain] = add(sums[chain], e + chain);
      }
      if (e < count) sums[0] = add(sums[0], e);
      if (e + 1 < count) sums[1] = add(sums[1], e + 1);
      if (e + 2 < count) sums[2] = add(sums[2], e + 2);
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

// Panels of ROWS_AT_ONCE rows of a layer's weights.
__device__ __forceinline__ int weight_items(const ExactLayer& layer) {
  int weight_rows = layer.by_input ? layer.inputs : layer.outputs;
  int columns = layer.by_input ? layer.outputs : layer.inputs;
  return (weight_rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * whole_panels(columns);
}

// Weights of a layer that has another below it: a warp takes a panel of ROWS_AT_ONCE rows of weights, `item` of them
// all. The gradient of a weight is one chain over the rows of the batch.
__device__ __forceinline__ void update_weights(
    const Step& step, const ExactLayer& layer, int below, int item, int rows, const float* h, const float* d,
    int row_floats, float* transposed) {
  int lane = threadIdx.x % WARP;
  int weight_rows = layer.by_input ? layer.inputs : layer.outputs;
  int columns = layer.by_input ? layer.outputs : layer.inputs;
  int panels = whole_panels(columns);
  int row = item / panels * ROWS_AT_ONCE;
  int column = item % panels * PANEL + lane;
  if (row >= weight_rows) return;
  const float* factors = (layer.by_input ? h + below : d + layer.output) + row;
  const float* others = (layer.by_input ? d + layer.output : h + below) + column;
  size_t at = layer.weights + (size_t)row * layer.row_floats + column;
  float sums[ROWS_AT_ONCE];
#pragma unroll
  for (int k = 0; k < ROWS_AT_ONCE; k++) {
    sums[k] = row + k < weight_rows ? step.begun(at + (size_t)k * layer.row_floats) : 0.0f;
  }
#pragma unroll 8
  for (int r = 0; r < rows; r++) {
    float4 factor = *(const float4*)(factors + (size_t)r * row_floats);
    float other = others[(size_t)r * row_floats];
    sums[0] = fmaf(factor.x, other, sums[0]);
    sums[1] = fmaf(factor.y, other, sums[1]);
    sums[2] = fmaf(factor.z, other, sums[2]);
    sums[3] = fmaf(factor.w, other, sums[3]);
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

// A thread an output: additions over the rows of the batch.
__device__ __forceinline__ void update_biases(
    const Step& step, const ExactLayer& layer, int o, int rows, const float* d, int row_floats) {
  if (o >= layer.outputs) return;
  size_t at = layer.bias + o;
  float sum = step.begun(at);
#pragma unroll 8
  for (int r = 0; r < rows; r++) sum += d[(size_t)r * row_floats + layer.output + o];
  step.finish(at, sum);
}

// Blocks: first those of the pixels, then for each other layer those of its weights, then for each layer those of its
// biases.
extern "C" __global__ __launch_bounds__(THREADS) void exact_update(
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
    blocks = (weight_items(layer) + WARPS - 1) / WARPS;
    if (block < blocks) {
      int item = block * WARPS + threadIdx.x / WARP;
      update_weights(step, layer, layout[l - 1].output, item, rows, h, d, row_floats, transposed);
      return;
    }
  }
  for (int l = 0; l < layers; l++) {
    block -= blocks;
    blocks = (layout[l].outputs + THREADS - 1) / THREADS;
    if (block < blocks) {
      update_biases(step, layout[l], block * THREADS + threadIdx.x, rows, d, row_floats);
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
