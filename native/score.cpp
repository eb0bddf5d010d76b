// Measures without a gradient: metrics[0] += the sum of the rows' losses, metrics[1] += the rows whose class the logits name.
// logits f32 [rows, outputs], targets i32 [rows], metrics f64 [2]. Losses are summed in double, in the rows' order.
#include "native.h"

namespace INSTRUCTION_SET {

// Each row's loss goes to losses; returns how many rows' classes are named.
int64_t score_rows(
    int loss, int64_t rows, int outputs, const float* logits, const int32_t* targets, float* losses) {
  int64_t correct = 0;
  for (int64_t r = 0; r < rows; r++) {
    const float* z = logits + r * outputs;
    losses[r] = loss == LOSS_CROSS_ENTROPY ? softmax_loss(softmax_row(z, outputs), z, targets[r])
                                           : binary_loss(loss, z[0], targets[r]);
    correct += is_correct(z, outputs, targets[r]);
  }
  return correct;
}

void score(
    Team*, int loss, int rows, int outputs, const float* logits, const int32_t* targets, double* metrics) {
  float losses[BLOCK_ROWS];
  double sum = 0;
  for (int64_t first = 0; first < rows; first += BLOCK_ROWS) {
    int64_t here = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    metrics[1] += (double)score_rows(loss, here, outputs, logits + first * outputs, targets + first, losses);
    for (int64_t r = 0; r < here; r++) sum += losses[r];
  }
  metrics[0] += sum;
}

}  // namespace INSTRUCTION_SET
