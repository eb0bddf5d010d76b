// Evaluates a batch, without a gradient: metrics[0] += the sum of the rows' losses, metrics[1] += the number of rows
// whose class is predicted correctly. logits f32 [rows, outputs], targets i32 [rows], metrics f64 [2]. Losses are
// summed in double, in the order of the rows.
#include "native.h"

namespace INSTRUCTION_SET {

// Writes each row's loss to losses; returns the number of rows that are predicted correctly.
int64_t evaluate_logits(
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

void evaluate(Team*, int loss, int rows, int outputs, const float* logits, const int32_t* targets, double* metrics) {
  float losses[BLOCK_ROWS];
  double sum = 0;
  for (int64_t first = 0; first < rows; first += BLOCK_ROWS) {
    int64_t block_rows = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    metrics[1] += (double)evaluate_logits(loss, block_rows, outputs, logits + first * outputs, targets + first, losses);
    for (int64_t r = 0; r < block_rows; r++) sum += losses[r];
  }
  metrics[0] += sum;
}

}  // namespace INSTRUCTION_SET
