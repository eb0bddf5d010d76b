// z[r, j] = activation(z[r, j] + bias[j]), in place. z f32 [rows, width], bias f32 [width].
#include "native.h"

namespace INSTRUCTION_SET {

void bias_activation(Team* team, int activation, int rows, int width, const float* bias, float* z) {
  team->run_if((int64_t)rows * width > PARALLEL_THRESHOLD, [=](int member) {
    int64_t end = chunk_start(rows, 1, member + 1, team->threads());
    for (int64_t r = chunk_start(rows, 1, member, team->threads()); r < end; r++) {
      float* row = z + r * width;
      for (int64_t j = 0; j < width; j++) row[j] = activated(activation, row[j] + bias[j]);
    }
  });
}

}  // namespace INSTRUCTION_SET
