// The gradient of the mean loss at each logit, dlogits[r, j] = d(mean loss) / d logits[r, j], and *loss_sum += the sum
// of the rows' losses. logits, dlogits f32 [rows, outputs]; targets i32 [rows]; loss_sum f64. Losses are summed in
// double, in the order of LossSum.
#include "native.h"

namespace INSTRUCTION_SET {

// Losses and gradients of one logit each; the loss is a template parameter, so that the loops have no branches and can
// be vectorised.
template <int LOSS>
INLINE void binary_rows(
    int64_t rows, float count, const float* __restrict__ z, const int32_t* __restrict__ targets,
    float* __restrict__ dlogits, float* __restrict__ losses) {
  for (int64_t r = 0; r < rows; r++) losses[r] = binary_loss(LOSS, z[r], targets[r]);
  for (int64_t r = 0; r < rows; r++) dlogits[r] = binary_loss_grad(LOSS, z[r], targets[r]) / count;
}

// As loss, with logits and gradients `stride` floats apart per row, for a mean over `count` rows; writes each row's
// loss to losses.
void loss_rows(
    int loss, int64_t rows, int outputs, int64_t stride, float count, const float* logits, const int32_t* targets,
    float* dlogits, float* losses) {
  if (loss == LOSS_CROSS_ENTROPY) {
    for (int64_t r = 0; r < rows; r++) {
      const float* z = logits + r * stride;
      SoftmaxRow row = softmax_row(z, outputs);
      losses[r] = softmax_loss(row, z, targets[r]);
      for (int j = 0; j < outputs; j++) dlogits[r * stride + j] = softmax_grad(row, z, targets[r], j) / count;
    }
  } else if (loss == LOSS_MNIST) {
    binary_rows<LOSS_MNIST>(rows, count, logits, targets, dlogits, losses);
  } else {
    binary_rows<LOSS_BCE>(rows, count, logits, targets, dlogits, losses);
  }
}

// The sum of a batch's losses, in the order that kernels/launch.cuh has for up to 256 rows: 32 chains of additions from
// +0, the loss at place r of the batch in chain r % 32, then a tree over the chains, of strides 16, 8, 4, 2, 1.
struct LossSum {
  static constexpr int64_t CHAINS = 32;

  double chains[CHAINS] = {};

  // The losses at the places [place, place + count) of the batch.
  void add(const float* losses, int64_t count, int64_t place) {
    for (int64_t r = 0; r < count; r++) chains[(place + r) % CHAINS] += losses[r];
  }

  double total() const {
    double sums[CHAINS];
    memcpy(sums, chains, sizeof sums);
    for (int64_t stride = CHAINS / 2; stride > 0; stride /= 2) {
      for (int64_t chain = 0; chain < stride; chain++) sums[chain] += sums[chain + stride];
    }
    return sums[0];
  }
};

void loss(
    Team*, int loss, int rows, int outputs, const float* logits, const int32_t* targets, float* dlogits,
    double* loss_sum) {
  float losses[BLOCK_ROWS];
  LossSum sum;
  for (int64_t first = 0; first < rows; first += BLOCK_ROWS) {
    int64_t block_rows = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    loss_rows(
        loss, block_rows, outputs, outputs, (float)rows, logits + first * outputs, targets + first,
        dlogits + first * outputs, losses);
    sum.add(losses, block_rows, first);
  }
  *loss_sum += sum.total();
}

}  // namespace INSTRUCTION_SET
