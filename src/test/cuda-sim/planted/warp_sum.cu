// No fault: the sum of a block by shuffles, an atomic and a barrier, for the emulation's own sake.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void warp_sum(float* values) {
  __shared__ int total;
  if (threadIdx.x == 0) total = 0;
  __syncthreads();
  int sum = (int)threadIdx.x;
  for (int delta = 16; delta > 0; delta /= 2) sum += __shfl_down_sync(0xffffffffu, sum, delta);
  int all = (int)threadIdx.x;
  for (int lanes = 16; lanes > 0; lanes /= 2) all += __shfl_xor_sync(0xffffffffu, all, lanes);
  bool same = __shfl_sync(0xffffffffu, sum, 0) == all;
  if (threadIdx.x % 32 == 0) atomicAdd(&total, sum);
  __syncthreads();
  values[threadIdx.x] = same && total == THREADS * (THREADS - 1) / 2 ? 1.0f : 0.0f;
}
