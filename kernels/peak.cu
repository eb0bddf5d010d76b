// What the GPU's float32 units can do at most: every thread takes so many steps x = a x + b along CHAINS chains that begin at
// its number in the block and do not wait for each other, and leaves their sum, so that no step can be left out.
//
//   sums  f32 [blocks, THREADS], written
#include "launch.cuh"

constexpr int CHAINS = 8;

extern "C" __global__ __launch_bounds__(THREADS) void multiply_adds(
    int steps, float a, float b, float* __restrict__ sums) {
  float chains[CHAINS];
  for (int i = 0; i < CHAINS; i++) chains[i] = (float)(threadIdx.x + i);
// The loop's own instructions would take part of the time.
#pragma unroll 16
  for (int step = 0; step < steps; step++) {
#pragma unroll
    for (int i = 0; i < CHAINS; i++) chains[i] = fmaf(a, chains[i], b);
  }
  float total = 0;
  for (int i = 0; i < CHAINS; i++) total += chains[i];
  sums[element_index()] = total;
}
