// delta[i] = delta[i] times the activation's gradient, computed from the activated value. Both f32 [elements]. A thread
// an element.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void activation_gradient(
    int activation, unsigned int elements, const float* __restrict__ activated, float* __restrict__ delta) {
  unsigned int i = element_index();
  if (i < elements) delta[i] = activation_backward(activation, activated[i], delta[i]);
}
