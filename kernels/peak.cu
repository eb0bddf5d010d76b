// Measures the peak float32 throughput of the GPU: every thread computes x = a x + b `steps` times in each of CHAINS
// independent chains, which start at its index in the block, and writes the sum of the chains, so that the compiler can
// leave out no step.
//
//   sums  f32 [blocks, THREADS], written
#include "launch.cuh"

constexpr int CHAINS = 8;

extern "C" __global__ __launch_bounds__(THREADS) void multiply_adds(
    int steps, float a, float b, float* __restrict__ sums) {
  float chains[CHAINS];
  for (int i = 0; i < CHAINS; i++) chains[i] = (float)(threadIdx.x + i);
// Unrolled, since the instructions of the loop itself would take part of the time.
#pragma unroll 16
  for (int step = 0; step < steps; step++) {
#pragma unroll
    for (int i = 0; i < CHAINS; i++) chains[i] = fmaf(a, chains[i], b);
  }
  float total = 0;
  for (int i = 0; i < CHAINS; i++) total += chains[i];
  sums[element_index()] = total;
}
