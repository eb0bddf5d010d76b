// Planted: an int overflows.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void overflow(float* values) {
  int large = 2147483647 - 100 + (int)values[0];
  values[threadIdx.x] = (float)(large + (int)threadIdx.x);
}
