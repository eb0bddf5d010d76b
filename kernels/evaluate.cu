// Evaluates a batch, without a gradient: metrics[0] += the sum of the rows' losses, metrics[1] += the number of rows
// whose class is predicted correctly. logits f32 [rows, outputs], targets i32 [rows], metrics f64 [2]. Threads and the
// order of the sums are those of loss.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void evaluate(
    int loss, int rows, int outputs, const float* __restrict__ logits, const int* __restrict__ targets, double* metrics,
    double* partials, unsigned int* counter) {
  double sum = 0;
  double correct = 0;
  for (unsigned int r = element_index(); r < (unsigned int)rows; r += gridDim.x * THREADS) {
    const float* z = logits + (size_t)r * outputs;
    int target = targets[r];
    sum +=
        loss == LOSS_CROSS_ENTROPY ? softmax_loss(softmax_row(z, outputs), z, target) : binary_loss(loss, z[0], target);
    correct += is_correct(z, outputs, target);
  }
  add_to_metrics({sum, correct}, metrics, partials, counter);
}
