// Collects a batch. gather: x[r, :] = pixels[order[first + r], :] / 255 and targets[r] = labels[order[first + r]].
//
//   pixels  u8  [images, width]     order    i32 [first + rows or more]
//   labels  i32 [images]            targets  i32 [rows], written
//   x       f32 [rows, width], written
//
// gather_shifted: x[r, v, u] = pixels[order[first + r], v - dy, u - dx] / 255 where there is such a pixel, else 0;
// width is then the width of an image in pixels, and
//
//   shifts  i32 [images], (dx, dy) of each image
#include "native.h"

namespace INSTRUCTION_SET {

INLINE void gather_row(const uint8_t* __restrict__ from, int64_t width, float* __restrict__ to) {
  for (int64_t p = 0; p < width; p++) to[p] = normalized(from[p]);
}

void gather(
    Team* team, const uint8_t* pixels, const int32_t* labels, const int32_t* order, int first, int rows, int width,
    float* x, int32_t* targets) {
  team->run_if((int64_t)rows * width > PARALLEL_THRESHOLD, [=](int member) {
    int64_t end = chunk_start(rows, 1, member + 1, team->threads());
    for (int64_t r = chunk_start(rows, 1, member, team->threads()); r < end; r++) {
      int64_t image = order[first + r];
      gather_row(pixels + image * width, width, x + r * width);
      targets[r] = labels[image];
    }
  });
}

// Copies the image as one range of pixels at a constant offset, then zeroes the pixels that come from a neighbouring
// row.
INLINE void gather_shifted_row(
    const uint8_t* __restrict__ from, int64_t height, int64_t width, int32_t shift, float* __restrict__ to) {
  int64_t dx = shift_x(shift);
  int64_t dy = shift_y(shift);
  int64_t size = height * width;
  // The rows of x that receive pixels of the image.
  int64_t start = (dy > 0 ? dy : 0) * width;
  int64_t end = (dy < 0 ? height + dy : height) * width;
  if (start >= end || dx >= width || -dx >= width) {
    memset(to, 0, size * sizeof(float));
    return;
  }
  int64_t left = dx > 0 ? dx : 0;
  int64_t right = dx < 0 ? -dx : 0;
  memset(to, 0, (start + left) * sizeof(float));
  for (int64_t p = start + left; p < end - right; p++) to[p] = normalized(from[p - dy * width - dx]);
  memset(to + end - right, 0, (size - end + right) * sizeof(float));
  for (int64_t row = start; row < end; row += width) {
    for (int64_t u = 0; u < left; u++) to[row + u] = 0.0f;
    for (int64_t u = width - right; u < width; u++) to[row + u] = 0.0f;
  }
}

void gather_shifted(
    Team* team, const uint8_t* pixels, const int32_t* labels, const int32_t* order, const int32_t* shifts, int first,
    int rows, int height, int width, float* x, int32_t* targets) {
  int64_t size = (int64_t)height * width;
  team->run_if(rows * size > PARALLEL_THRESHOLD, [=](int member) {
    int64_t end = chunk_start(rows, 1, member + 1, team->threads());
    for (int64_t r = chunk_start(rows, 1, member, team->threads()); r < end; r++) {
      int64_t image = order[first + r];
      gather_shifted_row(pixels + image * size, height, width, shifts[image], x + r * size);
      targets[r] = labels[image];
    }
  });
}

}  // namespace INSTRUCTION_SET
