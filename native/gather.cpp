// Collects a batch: x[r, :] = pixels[order[first + r], :] / 255 and targets[r] = labels[order[first + r]].
//
//   pixels  u8  [images, width]     order    i32 [first + rows or more]
//   labels  i32 [images]            targets  i32 [rows], written
//   x       f32 [rows, width], written
#include "native.h"

namespace INSTRUCTION_SET {

INLINE void gather_row(const uint8_t* __restrict__ from, int64_t width, float* __restrict__ to) {
  for (int64_t p = 0; p < width; p++) to[p] = normalized(from[p]);
}

void gather(
    Team* team, const uint8_t* pixels, const int32_t* labels, const int32_t* order, int first, int rows, int width,
    float* x, int32_t* targets) {
  team->run_if((int64_t)rows * width > WORTH_SHARING, [=](int member) {
    int64_t end = share(rows, 1, member + 1, team->threads());
    for (int64_t r = share(rows, 1, member, team->threads()); r < end; r++) {
      int64_t image = order[first + r];
      gather_row(pixels + image * width, width, x + r * width);
      targets[r] = labels[image];
    }
  });
}

}  // namespace INSTRUCTION_SET
