// Planted: the last thread writes one element too far.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void out_of_bounds(float* values) { values[threadIdx.x + 1] = 1.0f; }
