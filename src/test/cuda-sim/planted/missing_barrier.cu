// Planted: a thread reads what its neighbour wrote, and nothing makes it wait.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void missing_barrier(float* values) {
  __shared__ float row[THREADS];
  row[threadIdx.x] = values[threadIdx.x];
  values[threadIdx.x] = row[(threadIdx.x + 1) % THREADS];
}
