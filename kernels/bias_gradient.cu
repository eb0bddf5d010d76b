// Column sums: gradient[j] = sum over r of delta[r, j]. delta f32 [rows, width], gradient f32 [width].
// A block sums 32 columns: 32 groups of 32 threads take every 32nd row, then one group adds the groups' sums in order.
#include "launch.cuh"

constexpr int COLUMNS = 32;
constexpr int GROUPS = 32;
constexpr int COLUMN_THREADS = COLUMNS * GROUPS;

extern "C" __global__ __launch_bounds__(COLUMN_THREADS) void bias_gradient(
    int rows, int width, const float* __restrict__ delta, float* __restrict__ gradient) {
  __shared__ float sums[GROUPS][COLUMNS];
  int column = threadIdx.x % COLUMNS;
  int group = threadIdx.x / COLUMNS;
  int j = blockIdx.x * COLUMNS + column;
  float sum = 0.0f;
  if (j < width) {
    for (int r = group; r < rows; r += GROUPS) sum += delta[(size_t)r * width + j];
  }
  sums[group][column] = sum;
  __syncthreads();
  if (group == 0 && j < width) {
    for (int g = 1; g < GROUPS; g++) sum += sums[g][column];
    gradient[j] = sum;
  }
}
