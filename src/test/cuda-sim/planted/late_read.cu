// Planted: thread 0 writes between two barriers what the others read there. The next barrier must not hide that.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void late_read(float* values) {
  __shared__ float row[THREADS];
  row[threadIdx.x] = values[threadIdx.x];
  __syncthreads();
  if (threadIdx.x == 0) row[0] += row[1];
  float sum = row[0];
  __syncthreads();
  values[threadIdx.x] = sum;
}
