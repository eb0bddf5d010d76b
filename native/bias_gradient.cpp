// Column sums: gradient[j] = sum over r of delta[r, j], r ascending. delta f32 [rows, width], gradient f32 [width].
#include "native.h"

namespace INSTRUCTION_SET {

void bias_gradient(Team* team, int rows, int width, const float* delta, float* gradient) {
  team->run_if((int64_t)rows * width > PARALLEL_THRESHOLD, [=](int member) {
    int64_t start = chunk_start(width, LANES, member, team->threads());
    int64_t end = chunk_start(width, LANES, member + 1, team->threads());
    for (int64_t j = start; j < end; j++) gradient[j] = 0.0f;
    for (int64_t r = 0; r < rows; r++) {
      const float* row = delta + r * width;
      for (int64_t j = start; j < end; j++) gradient[j] += row[j];
    }
  });
}

}  // namespace INSTRUCTION_SET
