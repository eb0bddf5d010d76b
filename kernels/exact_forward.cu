// The forward and backward pass of the exact engine. It reads all weights and writes none. For each image of a batch:
// its loss, and for training each layer's outputs h and the gradients d of the batch's mean loss at them, before the
// activation, f32 [rows, row_floats] both; else its logits and whether its class is predicted.
//
//   losses   f32 [places], of the image at each place
//   logits   f32 [places, outputs]; null in training
//   correct  i32 [places], 1 or 0; null in training
#include "exact.cuh"

// Four warps an image: one for each chain of the first layer.
constexpr int IMAGE_THREADS = SPARSE_CHAINS * WARP;

// Pixels whose nonzero ones are listed at a time, panels whose chains are kept at a time, and groups of 32 pixels that
// a warp lists.
constexpr int LISTED_PIXELS = 1024;
constexpr int KEPT_PANELS = 8;
constexpr int LISTED_GROUPS = LISTED_PIXELS / IMAGE_THREADS;

// Images of a block of exact_linear_forward_backward.
constexpr int LINEAR_ROWS = IMAGE_THREADS / DOT_CHAINS;

// Lists the nonzero ones of the pixels [start, start + LISTED_PIXELS) up to `inputs`, ascending, as terms whose factors
// stand in the rows of weights from that of `start` on. Returns their number; has a barrier before the list is there,
// and none before it is overwritten.
__device__ __forceinline__ int list_pixels(
    const Picture& picture, int start, int inputs, int row_floats, float2* terms) {
  __shared__ int counts[SPARSE_CHAINS];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int first = start + warp * (LISTED_GROUPS * WARP) + lane;
  unsigned int values[LISTED_GROUPS];
  unsigned int nonzero[LISTED_GROUPS];
  int count = 0;
#pragma unroll
  for (int g = 0; g < LISTED_GROUPS; g++) {
    int p = first + g * WARP;
    values[g] = p < inputs ? picture.pixel(p) : 0u;
  }
#pragma unroll
  for (int g = 0; g < LISTED_GROUPS; g++) {
    nonzero[g] = __ballot_sync(WHOLE_WARP, values[g] != 0);
    count += __popc(nonzero[g]);
  }
  if (lane == 0) counts[warp] = count;
  __syncthreads();
  int all = 0;
  int at = 0;
#pragma unroll
  for (int w = 0; w < SPARSE_CHAINS; w++) {
    if (w == warp) at = all;
    all += counts[w];
  }
#pragma unroll
  for (int g = 0; g < LISTED_GROUPS; g++) {
    int p = first - start + g * WARP;
    if (values[g] != 0) terms[at + __popc(nonzero[g] & lanes_below())] = term_of(values[g], p * row_floats);
    at += __popc(nonzero[g]);
  }
  __syncthreads();
  return all;
}

// z[o] = activation(T4 of the sum over nonzero pixels of pixel * weights[pixel, o], times 1/255, + bias[o]); the
// padding of z becomes zero.
__device__ __forceinline__ void first_layer(
    const ExactLayer& layer, bool hidden, const float* __restrict__ values, const Picture& picture, float* z) {
  __shared__ float2 terms[LISTED_PIXELS];
  __shared__ float sums[SPARSE_CHAINS][KEPT_PANELS][PANEL];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  int panels = whole_panels(layer.outputs);
  int found = 0;
  for (int first = 0; first < panels; first += KEPT_PANELS) {
    int some = panels - first < KEPT_PANELS ? panels - first : KEPT_PANELS;
    int before = 0;
    for (int start = 0; start < layer.inputs; start += LISTED_PIXELS) {
      // A small image is listed once for all panels.
      if (first == 0 || layer.inputs > LISTED_PIXELS) {
        if (first > 0 || start > 0) __syncthreads();
        found = list_pixels(picture, start, layer.inputs, layer.row_floats, terms);
      }
      // The first term whose number in the whole image is this warp's chain modulo 4.
      int e0 = (warp - before) & (SPARSE_CHAINS - 1);
      for (int panel = 0; panel < some; panel++) {
        const float* rows = values + layer.weights + (size_t)start * layer.row_floats + (first + panel) * PANEL + lane;
        float sum[1] = {start == 0 ? 0.0f : sums[warp][panel][lane]};
        add_all_terms(sum, terms, e0, SPARSE_CHAINS, found, rows);
        sums[warp][panel][lane] = sum[0];
      }
      before += found;
    }
    __syncthreads();
    for (int panel = warp; panel < some; panel += SPARSE_CHAINS) {
      int o = (first + panel) * PANEL + lane;
      float sum = (sums[0][panel][lane] + sums[1][panel][lane]) + (sums[2][panel][lane] + sums[3][panel][lane]);
      float v = fmaf(sum, PIXEL_SCALE, values[layer.bias + o]);
      z[o] = hidden ? activated(ACTIVATION_RELU, v) : v;
    }
    __syncthreads();
  }
}

// A layer between others: z[o] = ReLU(a chain over the inputs + bias[o]). By `threads` threads, whole warps, of which
// this one is `thread`; so are the functions below.
__device__ __forceinline__ void hidden_layer(
    const ExactLayer& layer, const float* __restrict__ values, const float* x, float* z, unsigned int thread,
    unsigned int threads) {
  int lane = thread % WARP;
  for (int panel = thread / WARP; panel < whole_panels(layer.outputs); panel += threads / WARP) {
    int o = panel * PANEL + lane;
    const float* weights = values + layer.weights + o;
    float sum = 0.0f;
#pragma unroll 8
    for (int i = 0; i < layer.inputs; i++) sum = fmaf(x[i], weights[(size_t)i * layer.row_floats], sum);
    z[o] = activated(ACTIVATION_RELU, sum + values[layer.bias + o]);
  }
}

// The last of several layers: half a warp an output, z[o] = T16 of the products with x + bias[o].
__device__ __forceinline__ void last_layer(
    const ExactLayer& layer, const float* __restrict__ values, const float* x, float* z, unsigned int thread,
    unsigned int threads) {
  int half = thread / DOT_CHAINS % 2;
  for (int first = thread / WARP * 2; first < layer.outputs; first += threads / WARP * 2) {
    int o = first + half;
    bool exists = o < layer.outputs;
    const float* weights = values + layer.weights + (size_t)(exists ? o : first) * layer.row_floats;
    float bias = values[layer.bias + (exists ? o : first)];
    float sum = half_warp_product(x, weights, layer.inputs);
    if (exists && thread % DOT_CHAINS == 0) z[o] = sum + bias;
  }
}

// below[i] = a chain over the outputs of d[o] * weight[o, i], where the layer below put out more than 0, else 0.
__device__ __forceinline__ void backward_layer(
    const ExactLayer& layer, const float* __restrict__ values, const float* __restrict__ transposed, const float* d,
    const float* x, float* below, unsigned int thread, unsigned int threads) {
  const float* rows = layer.by_input ? transposed + layer.transposed : values + layer.weights;
  int row_floats = layer.by_input ? layer.transposed_floats : layer.row_floats;
  for (int i = thread; i < whole_panels(layer.inputs) * PANEL; i += threads) {
    float sum = 0.0f;
#pragma unroll 8
    for (int o = 0; o < layer.outputs; o++) sum = fmaf(d[o], rows[(size_t)o * row_floats + i], sum);
    below[i] = activation_backward(ACTIVATION_RELU, x[i], sum);
  }
}

// The logit of a linear model with one, by half a warp, whose threads have a chain each; the first of them has it.
__device__ __forceinline__ float linear_logit(
    const ExactLayer& layer, const float* __restrict__ values, const Picture& picture) {
  const float* weights = values + layer.weights;
  float sum = 0.0f;
#pragma unroll 8
  for (int p = threadIdx.x % DOT_CHAINS; p < layer.inputs; p += DOT_CHAINS) {
    sum = fmaf((float)picture.pixel(p), weights[p], sum);
  }
  return fmaf(half_warp_sum(sum), PIXEL_SCALE, values[layer.bias]);
}

// The loss of a row of logits, and for training its gradient: of the mean over batch_rows.
__device__ __forceinline__ float loss_of(int loss, const float* z, int outputs, int target) {
  return outputs > 1 ? softmax_loss(softmax_row(z, outputs), z, target) : binary_loss(loss, z[0], target);
}

__device__ __forceinline__ void loss_gradient(
    int loss, const float* z, int outputs, int target, float batch_rows, int first, int step, float* d) {
  if (outputs == 1) {
    if (first == 0) d[0] = binary_loss_grad(loss, z[0], target) / batch_rows;
    return;
  }
  SoftmaxRow row = softmax_row(z, outputs);
  for (int j = first; j < outputs; j += step) d[j] = softmax_grad(row, z, target, j) / batch_rows;
}

// A block an image; where there are more images than blocks, a block takes several, one after the other, and their
// outputs take each other's place. The bound of four blocks a multiprocessor keeps assemblers from saving registers and
// spilling.
extern "C" __global__ __launch_bounds__(IMAGE_THREADS, 4) void exact_forward_backward(
    int training, int loss, int layers, const ExactLayer* __restrict__ layout, const float* __restrict__ values,
    const float* __restrict__ transposed, const uint8_t* __restrict__ pixels, const int* __restrict__ labels,
    const int* __restrict__ order, const int* __restrict__ shifts, int height, int width, int first, int rows,
    int batch_rows, int row_floats, float* h, float* d, float* losses, float* logits, int* correct) {
  Pictures pictures = {pixels, labels, order, shifts, height, width};
  float* outputs = h + (size_t)blockIdx.x * row_floats;
  const ExactLayer& last = layout[layers - 1];
  for (int r = blockIdx.x; r < rows; r += gridDim.x) {
    int image = pictures.image(first + r);
    int target = labels[image];
    first_layer(layout[0], layers > 1, values, Picture(pictures, image), outputs + layout[0].output);
    for (int l = 1; l < layers; l++) {
      const ExactLayer& layer = layout[l];
      const float* x = outputs + layout[l - 1].output;
      if (layer.by_input) {
        hidden_layer(layer, values, x, outputs + layer.output, threadIdx.x, IMAGE_THREADS);
      } else {
        last_layer(layer, values, x, outputs + layer.output, threadIdx.x, IMAGE_THREADS);
      }
      __syncthreads();
    }
    const float* z = outputs + last.output;
    float loss_here = threadIdx.x == 0 ? loss_of(loss, z, last.outputs, target) : 0.0f;
    if (training) {
      float* gradients = d + (size_t)r * row_floats;
      loss_gradient(
          loss, z, last.outputs, target, (float)batch_rows, threadIdx.x, IMAGE_THREADS, gradients + last.output);
      // Stored after both have read the logits, which are then read once.
      if (threadIdx.x == 0) losses[first + r] = loss_here;
      for (int l = layers - 1; l > 0; l--) {
        __syncthreads();
        int below = layout[l - 1].output;
        const ExactLayer& layer = layout[l];
        backward_layer(
            layer, values, transposed, gradients + layer.output, outputs + below, gradients + below, threadIdx.x,
            IMAGE_THREADS);
      }
    } else {
      if (threadIdx.x == 0) {
        losses[first + r] = loss_here;
        correct[first + r] = is_correct(z, last.outputs, target);
      }
      for (int j = threadIdx.x; j < last.outputs; j += IMAGE_THREADS) {
        logits[(size_t)(first + r) * last.outputs + j] = z[j];
      }
      __syncthreads();
    }
  }
}

// The same for a linear model with one logit: half a warp an image. Its gradients d are f32 [rows, row_floats], of
// which the first column is written.
extern "C" __global__ __launch_bounds__(IMAGE_THREADS) void exact_linear_forward_backward(
    int training, int loss, const ExactLayer* __restrict__ layout, const float* __restrict__ values,
    const uint8_t* __restrict__ pixels, const int* __restrict__ labels, const int* __restrict__ order,
    const int* __restrict__ shifts, int height, int width, int first, int rows, int batch_rows, int row_floats,
    float* d, float* losses, float* logits, int* correct) {
  Pictures pictures = {pixels, labels, order, shifts, height, width};
  const ExactLayer layer = layout[0];
  int place = blockIdx.x * LINEAR_ROWS + threadIdx.x / DOT_CHAINS;
  bool exists = place < rows;
  int r = exists ? place : rows - 1;
  int image = pictures.image(first + r);
  float z = linear_logit(layer, values, Picture(pictures, image));
  if (threadIdx.x % DOT_CHAINS != 0 || !exists) return;
  int target = labels[image];
  losses[first + r] = binary_loss(loss, z, target);
  if (training) {
    d[(size_t)r * row_floats] = binary_loss_grad(loss, z, target) / (float)batch_rows;
  } else {
    logits[first + r] = z;
    correct[first + r] = is_correct(&z, 1, target);
  }
}

// sums[s] = the losses of step s, whose batch are the places [s * batch, (s + 1) * batch) up to `count`, added in 32
// chains and a tree; and where `correct` is given, sums[1] = how many are, of a single step. A warp a step.
extern "C" __global__ __launch_bounds__(WARP) void exact_loss_sums(
    const float* __restrict__ losses, const int* __restrict__ correct, int batch, int count,
    double* __restrict__ sums) {
  int first = blockIdx.x * batch;
  int rows = count - first < batch ? count - first : batch;
  double sum = chained_sum((unsigned int)rows, [=](unsigned int r) { return (double)losses[first + r]; });
  if (threadIdx.x == 0) sums[blockIdx.x] = sum;
  if (correct == nullptr) return;
  double right = chained_sum((unsigned int)rows, [=](unsigned int r) { return (double)correct[r]; });
  if (threadIdx.x == 0) sums[1] = right;
}
