// Operations of a convolutional net whose sums are those of docs/determinism.md. Its products are those of gemm.cu,
// with splits of the depth that the page asks for.
//
// exact_last_layer: z[r, o] = T16 of the products x[r, :] * weight[o, :] + bias[o]. Half a warp an element.
//
//   x  f32 [rows, inputs]    weight  f32 [outputs, inputs]    bias  f32 [outputs]    z  f32 [rows, outputs], written
//
// exact_row_losses: each row's loss, and the gradient of the mean loss at its logits. A thread a row.
//
//   logits, dlogits  f32 [rows, outputs]    targets  i32 [rows]    losses  f32 [rows], written
//
// exact_evaluate: adds a batch to an evaluation, metrics[0] the sum of all losses so far in 32 chains and a tree,
// metrics[1] += the number of rows whose class is predicted correctly. One warp.
//
//   chains  f64 [33], the chains and the number of rows so far; all zero at the start of an evaluation
#include "exact.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void exact_last_layer(
    int rows, int inputs, int outputs, const float* __restrict__ x, const float* __restrict__ weight,
    const float* __restrict__ bias, float* __restrict__ z) {
  unsigned int element = element_index() / DOT_CHAINS;
  bool exists = element < (unsigned int)rows * outputs;
  unsigned int r = exists ? element / outputs : 0;
  unsigned int o = exists ? element % outputs : 0;
  float sum = half_warp_product(x + (size_t)r * inputs, weight + (size_t)o * inputs, inputs);
  if (exists && threadIdx.x % DOT_CHAINS == 0) z[element] = sum + bias[o];
}

extern "C" __global__ __launch_bounds__(THREADS) void exact_row_losses(
    int loss, int rows, int outputs, const float* __restrict__ logits, const int* __restrict__ targets,
    float* __restrict__ dlogits, float* __restrict__ losses) {
  unsigned int r = element_index();
  if (r >= (unsigned int)rows) return;
  const float* z = logits + (size_t)r * outputs;
  losses[r] = loss_of(loss, z, outputs, targets[r]);
  loss_gradient(loss, z, outputs, targets[r], (float)rows, 0, 1, dlogits + (size_t)r * outputs);
}

extern "C" __global__ __launch_bounds__(WARP) void exact_evaluate(
    int loss, int rows, int outputs, const float* __restrict__ logits, const int* __restrict__ targets, double* chains,
    double* metrics) {
  unsigned int lane = threadIdx.x;
  unsigned int place = (unsigned int)chains[WARP];
  double sum = chains[lane];
  double correct = 0;
  for (unsigned int r = (lane + WARP - place % WARP) % WARP; r < (unsigned int)rows; r += WARP) {
    const float* z = logits + (size_t)r * outputs;
    sum += (double)loss_of(loss, z, outputs, targets[r]);
    correct += is_correct(z, outputs, targets[r]);
  }
  chains[lane] = sum;
  for (int stride = WARP / 2; stride > 0; stride /= 2) {
    sum += __shfl_down_sync(WHOLE_WARP, sum, stride);
    correct += __shfl_down_sync(WHOLE_WARP, correct, stride);
  }
  if (lane == 0) {
    metrics[0] = sum;
    metrics[1] += correct;
    chains[WARP] = place + rows;
  }
}
