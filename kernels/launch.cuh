// What kernels share: one-dimensional blocks of threads, sums over a block in a fixed order, and a way for the last of
// several blocks to finish what the others left, so that the bits do not depend on the order in which blocks run.
#pragma once

#include "element_math.h"

// Threads of a block, in every kernel but bias_gradient.
constexpr int THREADS = 256;

// The element that belongs to this thread. Unsigned: the last block may reach past the largest int.
__device__ __forceinline__ unsigned int element_index() {
  return blockIdx.x * blockDim.x + threadIdx.x;
}

// The sum of every thread's value, by a tree of fixed shape; thread 0 has it.
__device__ __forceinline__ double block_sum(double value) {
  __shared__ double sums[THREADS];
  sums[threadIdx.x] = value;
  for (int half = THREADS / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
  }
  double total = threadIdx.x == 0 ? sums[0] : 0;
  __syncthreads();
  return total;
}

// Whether this block is the last of `blocks` to come here; it then sees what all of them wrote before. The counter wraps
// to zero, ready for the next launch.
__device__ __forceinline__ bool is_last_block(unsigned int* counter, unsigned int blocks) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(counter, blocks - 1) == blocks - 1;
  __syncthreads();
  __threadfence();
  return last;
}

// Adds up to two sums over all blocks to metrics[0] and metrics[1]: each block leaves its own in partials [blocks, 2],
// and the last one adds them in the order of the blocks.
__device__ __forceinline__ void add_to_metrics(
    double loss, double correct, double* metrics, double* partials, unsigned int* counter) {
  loss = block_sum(loss);
  correct = block_sum(correct);
  if (gridDim.x > 1) {
    if (threadIdx.x == 0) {
      partials[2 * blockIdx.x] = loss;
      partials[2 * blockIdx.x + 1] = correct;
    }
    if (!is_last_block(counter, gridDim.x)) return;
    loss = 0;
    correct = 0;
    for (int block = threadIdx.x; block < gridDim.x; block += THREADS) {
      loss += __ldcg(partials + 2 * block);
      correct += __ldcg(partials + 2 * block + 1);
    }
    loss = block_sum(loss);
    correct = block_sum(correct);
  }
  if (threadIdx.x == 0) {
    metrics[0] += loss;
    metrics[1] += correct;
  }
}
