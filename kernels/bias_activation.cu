// z[r, j] = activation(z[r, j] + bias[j]), in place. z f32 [rows, width], bias f32 [width]. A thread an element.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void bias_activation(
    int activation, unsigned int elements, unsigned int width, const float* __restrict__ bias, float* __restrict__ z) {
  unsigned int i = element_index();
  if (i < elements) z[i] = activated(activation, z[i] + bias[i % width]);
}
