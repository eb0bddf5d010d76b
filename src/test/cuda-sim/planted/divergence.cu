// Planted: half of the threads return before a barrier that the others wait at.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void divergence(float* values) {
  if (threadIdx.x % 2 == 1) return;
  __syncthreads();
  values[threadIdx.x] = 1.0f;
}
