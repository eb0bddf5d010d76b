// Shared by all kernels: one-dimensional blocks of threads, sums over all rows of a batch in a fixed order, and a way
// for the last of several blocks to add the partial sums of the others, so that the bits do not depend on the order in
// which blocks run.
#pragma once

#include "element_math.h"

// Threads of a block, in every kernel but bias_gradient.
constexpr int THREADS = 256;

constexpr int WARP = 32;

// Floats of a row of step_parameters, as update.cu describes it.
constexpr int STEP_PARAMETERS = 4;

// The index of this thread's element. Unsigned: the last block may reach past the maximum int.
__device__ __forceinline__ unsigned int element_index() { return blockIdx.x * blockDim.x + threadIdx.x; }

// Whether this block is the last of `blocks` to arrive here; it then sees what all of them wrote before. The counter
// wraps to zero, ready for the next launch.
__device__ __forceinline__ bool is_last_block(unsigned int* counter, unsigned int blocks) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(counter, blocks - 1) == blocks - 1;
  __syncthreads();
  __threadfence();
  return last;
}

// The sum of value(0), ..., value(count - 1) by one whole warp, whose lane 0 has it, in the order in which losses are
// added: 32 chains of additions from +0, value r in chain r % 32, then a tree over the chains, of strides 16, 8, 4,
// 2, 1.
template <typename Value>
__device__ __forceinline__ double chained_sum(unsigned int count, Value value) {
  unsigned int lane = threadIdx.x % WARP;
  double sum = 0;
  for (unsigned int first = 0; first < count; first += WARP) {
    if (first + lane < count) sum += value(first + lane);
  }
  for (int stride = WARP / 2; stride > 0; stride /= 2) sum += __shfl_down_sync(0xffffffffu, sum, stride);
  return sum;
}

// Adds SUMS sums over the values of all threads to metrics[0], metrics[1], ... One block, enough for up to THREADS rows
// with a row a thread, needs one barrier, and its sums are chained_sum over the rows of the batch. Of several blocks,
// each writes such sums over its own threads to partials [blocks, SUMS], and the last one computes chained_sum over the
// blocks.
template <int SUMS>
__device__ __forceinline__ void add_to_metrics(
    const double (&values)[SUMS], double* metrics, double* partials, unsigned int* counter) {
  __shared__ double thread_values[SUMS][THREADS];
  for (int s = 0; s < SUMS; s++) thread_values[s][threadIdx.x] = values[s];
  __syncthreads();
  double sums[SUMS];
  if (threadIdx.x < WARP) {
    for (int s = 0; s < SUMS; s++) sums[s] = chained_sum(THREADS, [&](unsigned int r) { return thread_values[s][r]; });
  }
  if (gridDim.x > 1) {
    if (threadIdx.x == 0) {
      for (int s = 0; s < SUMS; s++) partials[SUMS * blockIdx.x + s] = sums[s];
    }
    if (!is_last_block(counter, gridDim.x) || threadIdx.x >= WARP) return;
    for (int s = 0; s < SUMS; s++) {
      sums[s] = chained_sum(gridDim.x, [&](unsigned int b) { return __ldcg(partials + SUMS * b + s); });
    }
  }
  if (threadIdx.x == 0) {
    for (int s = 0; s < SUMS; s++) metrics[s] += sums[s];
  }
}
