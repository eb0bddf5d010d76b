// Trains many models at once, a block each: the forward and backward pass, a barrier, the update, a barrier, step after
// step. A warp has an image, or the pixels of an update, so that nothing else waits. A launch takes some steps of an
// epoch of every model; all that the next one needs is in memory. The sums are those of exact_forward.cu and
// exact_update.cu, term by term.
//
// The models have one architecture and one way to train it, and differ in their images, their order and their values.
// Each has a part of every buffer:
//
//   pixels, labels          the sets of images, one after the other
//   order, shifts           i32, of each model its places of an epoch, one model after the other; shifts may be null
//   step_parameters         f32 [steps, 4], likewise
//   losses, sums            f32 of each place and f64 of each step, likewise, written; or where a model is measured f32
//                           of each image and f64 [models, 2], the sum of losses and how many images are right
//   values                  f32 [models, kinds, size]; kinds are the parameters and the optimiser's moments
//   transposed, gradient    f32 [models, transposed_floats], [models, size]; gradient only where a batch has several
//                           blocks of rows
//   h, d                    f32 [models, rows, row_floats]: outputs and gradients of a batch
#include "exact.cuh"

// What the models have in common, as zerofive.backend.cuda.ExactSweep lays it out.
struct SweepPlan {
  int loss;
  int layers;
  int height;
  int width;
  int batch;
  int rows;  // of a batch in h and d
  int row_floats;
  int size;
  int kinds;
  int transposed_floats;
  int optimizer;
  float momentum;
  float decay;
};

// A model, likewise.
struct SweepModel {
  int slot;   // in the buffers of all models
  int count;  // images of its set
  int first_image;
  int first_place;
  int first_step;
};

// Pixels that a warp lists at a time; as many as an update lists rows.
constexpr int WARP_PIXELS = BLOCK_ROWS;

// Lists those i of [0, BLOCK_ROWS) whose value(i), a byte, is nonzero, ascending, each as i << 8 | value. By a whole
// warp; returns their number.
template <typename Value>
__device__ __forceinline__ int list_nonzero(uint16_t* list, Value value) {
  int count = 0;
  unsigned int values[BLOCK_ROWS / WARP];
#pragma unroll
  for (int g = 0; g < BLOCK_ROWS / WARP; g++) values[g] = value(g * WARP + threadIdx.x % WARP);
#pragma unroll
  for (int g = 0; g < BLOCK_ROWS / WARP; g++) {
    int i = g * WARP + threadIdx.x % WARP;
    unsigned int nonzero = __ballot_sync(WHOLE_WARP, values[g] != 0);
    if (values[g] != 0) list[count + __popc(nonzero & lanes_below())] = (uint16_t)(i << 8 | values[g]);
    count += __popc(nonzero);
  }
  return count;
}

// Moves every chain `count` places down: of those that follow, the next term belongs to the first.
__device__ __forceinline__ void turn(float (&chains)[SPARSE_CHAINS], int count) {
  static_assert(SPARSE_CHAINS == 4, "two bits");
  if (count & 1) {
    float first = chains[0];
    chains[0] = chains[1];
    chains[1] = chains[2];
    chains[2] = chains[3];
    chains[3] = first;
  }
  if (count & 2) {
    float first = chains[0];
    float second = chains[1];
    chains[0] = chains[2];
    chains[1] = chains[3];
    chains[2] = first;
    chains[3] = second;
  }
}

// As first_layer, by one warp.
__device__ __forceinline__ void first_layer_by_warp(
    const ExactLayer& layer, bool hidden, const float* values, const Picture& picture, uint16_t* list, float* z) {
  int lane = threadIdx.x % WARP;
  int found = 0;
  for (int panel = 0; panel < whole_panels(layer.outputs); panel++) {
    int o = panel * PANEL + lane;
    float chains[SPARSE_CHAINS] = {};
    int before = 0;
    for (int start = 0; start < layer.inputs; start += WARP_PIXELS) {
      // A small image is listed once for all panels.
      if (panel == 0 || layer.inputs > WARP_PIXELS) {
        __syncwarp();
        found = list_nonzero(
            list, [&](int i) { return start + i < layer.inputs ? (unsigned int)picture.pixel(start + i) : 0u; });
        __syncwarp();
      }
      const float* rows = values + layer.weights + (size_t)start * layer.row_floats + o;
      auto add = [&](int chain, int e) {
        int entry = list[e];
        chains[chain] = fmaf((float)(entry & 0xff), rows[(size_t)(entry >> 8) * layer.row_floats], chains[chain]);
      };
      int e = 0;
#pragma unroll 2
      for (; e + SPARSE_CHAINS <= found; e += SPARSE_CHAINS) {
#pragma unroll
        for (int chain = 0; chain < SPARSE_CHAINS; chain++) add(chain, e + chain);
      }
      if (e < found) add(0, e);
      if (e + 1 < found) add(1, e + 1);
      if (e + 2 < found) add(2, e + 2);
      turn(chains, found);
      before += found;
    }
    turn(chains, -before);
    float sum = (chains[0] + chains[1]) + (chains[2] + chains[3]);
    float v = fmaf(sum, PIXEL_SCALE, values[layer.bias + o]);
    z[o] = hidden ? activated(ACTIVATION_RELU, v) : v;
  }
  __syncwarp();
}

// The outputs h of all layers for an image, by one warp.
__device__ __forceinline__ void forward_by_warp(
    int layers, const ExactLayer* layout, const float* values, const Picture& picture, uint16_t* list, float* h) {
  int lane = threadIdx.x % WARP;
  first_layer_by_warp(layout[0], layers > 1, values, picture, list, h + layout[0].output);
  for (int l = 1; l < layers; l++) {
    const ExactLayer& layer = layout[l];
    const float* x = h + layout[l - 1].output;
    if (layer.by_input) {
      hidden_layer(layer, values, x, h + layer.output, lane, WARP);
    } else {
      last_layer(layer, values, x, h + layer.output, lane, WARP);
    }
    __syncwarp();
  }
}

// The optimiser's step on all parameters of a net.
__device__ __forceinline__ void update_net(
    const Step& step, int layers, const ExactLayer* layout, const Pictures& pictures, int first, int rows,
    const float* h, const float* d, int row_floats, float* transposed) {
  for (int p0 = 0; p0 < layout[0].inputs; p0 += WARPS) {
    if (p0 > 0) __syncthreads();
    update_pixels(step, layout[0], pictures, first, rows, d, row_floats, p0);
  }
  for (int l = 1; l < layers; l++) {
    const ExactLayer& layer = layout[l];
    for (int tile = 0; tile < weight_tiles(layer); tile++) {
      update_weights(step, layer, layout[l - 1].output, tile, rows, h, d, row_floats, transposed);
    }
  }
  for (int l = 0; l < layers; l++) {
    for (int panel = 0; panel < whole_panels(layout[l].outputs); panel++) {
      update_biases(step, layout[l], panel, rows, d, row_floats);
    }
  }
}

// The same for a linear model with one logit: a warp has 32 pixels, or the bias, and adds its parts of 64 rows in
// order.
__device__ __forceinline__ void update_linear(
    const Step& step, const ExactLayer& layer, const Pictures& pictures, int first, int rows, const float* d,
    int row_floats) {
  int lane = threadIdx.x % WARP;
  int panels = whole_panels(layer.inputs);
  for (int panel = threadIdx.x / WARP; panel <= panels; panel += WARPS) {
    bool is_bias = panel == panels;
    int p = panel * PANEL + lane;
    if (is_bias ? lane > 0 : p >= layer.inputs) continue;
    int y = p / pictures.width;
    int x = p % pictures.width;
    float sum = 0.0f;
    for (int start = 0; start < rows; start += PART_ROWS) {
      int end = rows - start < PART_ROWS ? rows : start + PART_ROWS;
      float part = 0.0f;
      if (is_bias) {
        for (int r = start; r < end; r++) part += d[(size_t)r * row_floats];
      } else {
#pragma unroll 4
        for (int r = start; r < end; r++) {
          Picture picture(pictures, pictures.image(first + r));
          part = fmaf((float)picture.pixel(y, x), d[(size_t)r * row_floats], part);
        }
      }
      // The pixels' first part is added to nothing, the bias's to zero.
      sum = start == 0 && !is_bias ? part : sum + part;
    }
    step.take(is_bias ? layer.bias : layer.weights + p, is_bias ? sum : sum * PIXEL_SCALE);
  }
}

__device__ __forceinline__ Pictures pictures_of(
    const SweepPlan& plan, const SweepModel& model, const uint8_t* pixels, const int* labels, const int* order,
    const int* shifts) {
  return {
      pixels + (size_t)model.first_image * plan.height * plan.width,
      labels + model.first_image,
      order == nullptr ? nullptr : order + model.first_place,
      shifts == nullptr ? nullptr : shifts + model.first_place,
      plan.height,
      plan.width};
}

__device__ __forceinline__ Step step_of(
    const SweepPlan& plan, const SweepModel& model, float* values, float* gradient, const float* step_parameters,
    int s) {
  return {
      values,
      gradient + (size_t)model.slot * plan.size,
      (size_t)plan.size,
      true,
      true,
      plan.optimizer,
      plan.momentum,
      plan.decay,
      step_parameters + (size_t)(model.first_step + s) * STEP_PARAMETERS};
}

// The losses of a step, by the last warp, which has the least to update.
__device__ __forceinline__ void add_losses(const float* losses, int rows, double* sum) {
  if (threadIdx.x / WARP != WARPS - 1) return;
  double added = chained_sum((unsigned int)rows, [=](unsigned int r) { return (double)losses[r]; });
  if (threadIdx.x % WARP == 0) *sum = added;
}

// Steps [first_step, first_step + steps) of an epoch, as far as a model has them. The bound of two blocks a
// multiprocessor is what exact_sweep's assemblers can do without spilling.
extern "C" __global__ __launch_bounds__(THREADS, 2) void exact_sweep(
    int first_step, int steps, const SweepPlan* __restrict__ plan, const ExactLayer* __restrict__ layout,
    const SweepModel* __restrict__ models, const uint8_t* __restrict__ pixels, const int* __restrict__ labels,
    const int* __restrict__ order, const int* __restrict__ shifts, const float* __restrict__ step_parameters,
    float* values, float* transposed, float* gradient, float* h, float* d, float* losses, double* sums) {
  __shared__ uint16_t lists[WARPS][WARP_PIXELS];
  int lane = threadIdx.x % WARP;
  int warp = threadIdx.x / WARP;
  const SweepModel model = models[blockIdx.x];
  Pictures pictures = pictures_of(*plan, model, pixels, labels, order, shifts);
  int row_floats = plan->row_floats;
  h += (size_t)model.slot * plan->rows * row_floats;
  d += (size_t)model.slot * plan->rows * row_floats;
  values += (size_t)model.slot * plan->kinds * plan->size;
  transposed += (size_t)model.slot * plan->transposed_floats;
  losses += model.first_place;
  const ExactLayer& last = layout[plan->layers - 1];
  for (int s = first_step; s < first_step + steps && (long long)s * plan->batch < model.count; s++) {
    int first = s * plan->batch;
    int rows = model.count - first < plan->batch ? model.count - first : plan->batch;
    for (int r = warp; r < rows; r += WARPS) {
      int image = pictures.image(first + r);
      float* outputs = h + (size_t)r * row_floats;
      float* gradients = d + (size_t)r * row_floats;
      forward_by_warp(plan->layers, layout, values, Picture(pictures, image), lists[warp], outputs);
      const float* z = outputs + last.output;
      int target = pictures.labels[image];
      if (lane == 0) losses[first + r] = loss_of(plan->loss, z, last.outputs, target);
      loss_gradient(plan->loss, z, last.outputs, target, (float)rows, lane, WARP, gradients + last.output);
      for (int l = plan->layers - 1; l > 0; l--) {
        __syncwarp();
        int below = layout[l - 1].output;
        const ExactLayer& layer = layout[l];
        backward_layer(
            layer, values, transposed, gradients + layer.output, outputs + below, gradients + below, lane, WARP);
      }
    }
    __syncthreads();
    Step step = step_of(*plan, model, values, gradient, step_parameters, s);
    update_net(step, plan->layers, layout, pictures, first, rows, h, d, row_floats, transposed);
    add_losses(losses + first, rows, sums + model.first_step + s);
    __syncthreads();
  }
}

// The same for a linear model with one logit. Of its gradients d the first column is written.
extern "C" __global__ __launch_bounds__(THREADS, 3) void exact_linear_sweep(
    int first_step, int steps, const SweepPlan* __restrict__ plan, const ExactLayer* __restrict__ layout,
    const SweepModel* __restrict__ models, const uint8_t* __restrict__ pixels, const int* __restrict__ labels,
    const int* __restrict__ order, const int* __restrict__ shifts, const float* __restrict__ step_parameters,
    float* values, float* gradient, float* d, float* losses, double* sums) {
  const SweepModel model = models[blockIdx.x];
  const ExactLayer layer = layout[0];
  Pictures pictures = pictures_of(*plan, model, pixels, labels, order, shifts);
  int row_floats = plan->row_floats;
  d += (size_t)model.slot * plan->rows * row_floats;
  values += (size_t)model.slot * plan->kinds * plan->size;
  losses += model.first_place;
  for (int s = first_step; s < first_step + steps && (long long)s * plan->batch < model.count; s++) {
    int first = s * plan->batch;
    int rows = model.count - first < plan->batch ? model.count - first : plan->batch;
    for (int start = 0; start < rows; start += THREADS / DOT_CHAINS) {
      int place = start + threadIdx.x / DOT_CHAINS;
      int r = place < rows ? place : rows - 1;
      int image = pictures.image(first + r);
      float z = linear_logit(layer, values, Picture(pictures, image));
      if (threadIdx.x % DOT_CHAINS != 0 || place >= rows) continue;
      int target = pictures.labels[image];
      losses[first + r] = binary_loss(plan->loss, z, target);
      d[(size_t)r * row_floats] = binary_loss_grad(plan->loss, z, target) / (float)rows;
    }
    __syncthreads();
    update_linear(
        step_of(*plan, model, values, gradient, step_parameters, s), layer, pictures, first, rows, d, row_floats);
    add_losses(losses + first, rows, sums + model.first_step + s);
    __syncthreads();
  }
}

// After the last of a model's images the sums over all of them.
__device__ __forceinline__ void add_measures(
    const SweepModel& model, int first, int count, const float* losses, const int* correct, double* sums) {
  __syncthreads();
  bool ends = first < model.count && model.count - first <= count;
  if (!ends || threadIdx.x >= WARP) return;
  unsigned int all = (unsigned int)model.count;
  double loss = chained_sum(all, [=](unsigned int r) { return (double)losses[r]; });
  double right = chained_sum(all, [=](unsigned int r) { return (double)correct[r]; });
  if (threadIdx.x != 0) return;
  sums[2 * model.slot] = loss;
  sums[2 * model.slot + 1] = right;
}

// Measures images [first, first + count), as far as a model's set has them.
extern "C" __global__ __launch_bounds__(THREADS, 3) void exact_sweep_measure(
    int first, int count, const SweepPlan* __restrict__ plan, const ExactLayer* __restrict__ layout,
    const SweepModel* __restrict__ models, const uint8_t* __restrict__ pixels, const int* __restrict__ labels,
    const float* __restrict__ values, float* h, float* losses, int* correct, double* sums) {
  __shared__ uint16_t lists[WARPS][WARP_PIXELS];
  int warp = threadIdx.x / WARP;
  const SweepModel model = models[blockIdx.x];
  Pictures pictures = pictures_of(*plan, model, pixels, labels, nullptr, nullptr);
  h += ((size_t)model.slot * plan->rows + warp) * plan->row_floats;
  values += (size_t)model.slot * plan->kinds * plan->size;
  losses += model.first_place;
  correct += model.first_place;
  const ExactLayer& last = layout[plan->layers - 1];
  const float* z = h + last.output;
  for (int r = first + warp; r < model.count && r - first < count; r += WARPS) {
    forward_by_warp(plan->layers, layout, values, Picture(pictures, r), lists[warp], h);
    if (threadIdx.x % WARP == 0) {
      losses[r] = loss_of(plan->loss, z, last.outputs, pictures.labels[r]);
      correct[r] = is_correct(z, last.outputs, pictures.labels[r]);
    }
    __syncwarp();
  }
  add_measures(model, first, count, losses, correct, sums);
}

// The same for a linear model with one logit.
extern "C" __global__ __launch_bounds__(THREADS, 3) void exact_linear_sweep_measure(
    int first, int count, const SweepPlan* __restrict__ plan, const ExactLayer* __restrict__ layout,
    const SweepModel* __restrict__ models, const uint8_t* __restrict__ pixels, const int* __restrict__ labels,
    const float* __restrict__ values, float* losses, int* correct, double* sums) {
  const SweepModel model = models[blockIdx.x];
  const ExactLayer layer = layout[0];
  Pictures pictures = pictures_of(*plan, model, pixels, labels, nullptr, nullptr);
  values += (size_t)model.slot * plan->kinds * plan->size;
  losses += model.first_place;
  correct += model.first_place;
  int end = model.count - first < count ? model.count : first + count;
  for (int start = first; start < end; start += THREADS / DOT_CHAINS) {
    int place = start + threadIdx.x / DOT_CHAINS;
    int r = place < end ? place : end - 1;
    float z = linear_logit(layer, values, Picture(pictures, r));
    if (threadIdx.x % DOT_CHAINS != 0 || place >= end) continue;
    losses[r] = binary_loss(plan->loss, z, pictures.labels[r]);
    correct[r] = is_correct(&z, 1, pictures.labels[r]);
  }
  add_measures(model, first, count, losses, correct, sums);
}
