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

// An image of bytes, shifted: to[y, x] = from[y - dy, x - dx] where there is such a pixel, else 0. All pixels move as
// one range, by copy(from, count, to); then those that came from a neighbouring row are zeroed.
template <typename T, typename Copy>
INLINE void shift_image(const uint8_t* from, int64_t height, int64_t width, int32_t shift, T* to, Copy copy) {
  int64_t dx = shift_x(shift);
  int64_t dy = shift_y(shift);
  int64_t size = height * width;
  // The rows that receive pixels of the image.
  int64_t start = (dy > 0 ? dy : 0) * width;
  int64_t end = (dy < 0 ? height + dy : height) * width;
  int64_t left = dx > 0 ? dx : 0;
  int64_t right = dx < 0 ? -dx : 0;
  if (start >= end || left >= width || right >= width) {
    memset(to, 0, size * sizeof(T));
    return;
  }
  memset(to, 0, (start + left) * sizeof(T));
  copy(from + start + left - dy * width - dx, end - right - start - left, to + start + left);
  memset(to + end - right, 0, (size - end + right) * sizeof(T));
  // A column at a time, since a row's few pixels would become a call of memset.
  for (int64_t x = 0; x < left; x++) {
    for (int64_t row = start; row < end; row += width) to[row + x] = 0;
  }
  for (int64_t x = width - right; x < width; x++) {
    for (int64_t row = start; row < end; row += width) to[row + x] = 0;
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
      shift_image(pixels + image * size, height, width, shifts[image], x + r * size, gather_row);
      targets[r] = labels[image];
    }
  });
}

}  // namespace INSTRUCTION_SET
