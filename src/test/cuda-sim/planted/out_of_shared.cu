// Planted: the last thread writes one element past a shared array.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void out_of_shared(float* values) {
  __shared__ float row[THREADS];
  row[threadIdx.x + 1] = values[threadIdx.x];
  __syncthreads();
  values[threadIdx.x] = row[threadIdx.x];
}
