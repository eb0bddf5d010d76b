// The gradient of the mean loss at each logit, dlogits[r, j] = d(mean loss) / d logits[r, j], and *loss_sum += the sum
// of the rows' losses. logits, dlogits f32 [rows, outputs]; targets i32 [rows]; loss_sum is the step's element of
// loss_sums f64 [steps]. A thread a row; where the grid has its maximum size, a thread first adds the losses of its
// several rows. Sums are in double, in the order that launch.cuh defines, which depends on the number of rows alone.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void loss(
    int loss, int rows, int outputs, const float* __restrict__ logits, const int* __restrict__ targets,
    float* __restrict__ dlogits, double* loss_sum, double* partials, unsigned int* counter) {
  double sum = 0;
  float count = (float)rows;
  for (unsigned int r = element_index(); r < (unsigned int)rows; r += gridDim.x * THREADS) {
    const float* z = logits + (size_t)r * outputs;
    float* dlogit = dlogits + (size_t)r * outputs;
    int target = targets[r];
    if (loss == LOSS_CROSS_ENTROPY) {
      SoftmaxRow row = softmax_row(z, outputs);
      sum += softmax_loss(row, z, target);
      for (int j = 0; j < outputs; j++) dlogit[j] = softmax_grad(row, z, target, j) / count;
    } else {
      sum += binary_loss(loss, z[0], target);
      dlogit[0] = binary_loss_grad(loss, z[0], target) / count;
    }
  }
  add_to_metrics({sum}, loss_sum, partials, counter);
}
