// The windows of a convolution as the rows of a matrix, and the way back. Images are [height, width, channels], outside
// them are zeros, and a window is [kernel, kernel, channels].
//
//   images   [rows, height, width, channels]
//   patches  [rows, output_height, output_width, kernel, kernel, channels]
//
// unfold: patches[r, y, x, ky, kx, c] = images[r, y * stride + ky - border, x * stride + kx - border, c], or 0 outside.
//
// fold: images[r, v, u, c] = the sum of the elements of patches that unfold would read from it, added from +0 in
// ascending order of ky, then kx.
#include "native.h"

namespace INSTRUCTION_SET {

// Places of a window along one side of an image.
INLINE int64_t places(int64_t side, int64_t kernel, int64_t stride, int64_t border) {
  return (side + 2 * border - kernel) / stride + 1;
}

void unfold(
    Team* team, int rows, int height, int width, int channels, int kernel, int stride, int border, const float* images,
    float* patches) {
  int64_t output_width = places(width, kernel, stride, border);
  int64_t fan_in = (int64_t)kernel * kernel * channels;
  int64_t positions = places(height, kernel, stride, border) * output_width;
  int64_t row_size = (int64_t)kernel * channels;
  team->run_if(rows * positions * fan_in > PARALLEL_THRESHOLD, [=](int member) {
    int64_t end = chunk_start(rows, 1, member + 1, team->threads());
    for (int64_t r = chunk_start(rows, 1, member, team->threads()); r < end; r++) {
      const float* image = images + r * height * width * channels;
      for (int64_t position = 0; position < positions; position++) {
        int64_t top = position / output_width * stride - border;
        int64_t left = position % output_width * stride - border;
        int64_t missing_left = left < 0 ? -left : 0;
        int64_t beyond = left + kernel - width;
        int64_t inside = kernel - missing_left - (beyond > 0 ? beyond : 0);
        float* to = patches + (r * positions + position) * fan_in;
        for (int64_t v = top; v < top + kernel; v++, to += row_size) {
          if (v < 0 || v >= height || inside <= 0) {
            memset(to, 0, row_size * sizeof(float));
            continue;
          }
          const float* from = image + (v * width + left + missing_left) * channels;
          memset(to, 0, missing_left * channels * sizeof(float));
          memcpy(to + missing_left * channels, from, inside * channels * sizeof(float));
          memset(
              to + (missing_left + inside) * channels, 0, (kernel - missing_left - inside) * channels * sizeof(float));
        }
      }
    }
  });
}

void fold(
    Team* team, int rows, int height, int width, int channels, int kernel, int stride, int border, const float* patches,
    float* images) {
  int64_t output_width = places(width, kernel, stride, border);
  int64_t size = (int64_t)height * width * channels;
  int64_t positions = places(height, kernel, stride, border) * output_width;
  team->run_if(rows * size > PARALLEL_THRESHOLD, [=](int member) {
    int64_t end = chunk_start(rows, 1, member + 1, team->threads());
    for (int64_t r = chunk_start(rows, 1, member, team->threads()); r < end; r++) {
      float* image = images + r * size;
      const float* image_patches = patches + r * positions * kernel * kernel * channels;
      memset(image, 0, size * sizeof(float));
      for (int64_t ky = 0; ky < kernel; ky++) {
        for (int64_t kx = 0; kx < kernel; kx++) {
          for (int64_t y = 0; y < positions / output_width; y++) {
            int64_t v = y * stride + ky - border;
            if (v < 0 || v >= height) continue;
            for (int64_t x = 0; x < output_width; x++) {
              int64_t u = x * stride + kx - border;
              if (u < 0 || u >= width) continue;
              int64_t place = y * output_width + x;
              const float* from = image_patches + ((place * kernel + ky) * kernel + kx) * channels;
              float* to = image + (v * width + u) * channels;
              for (int64_t c = 0; c < channels; c++) to[c] += from[c];
            }
          }
        }
      }
    }
  });
}

}  // namespace INSTRUCTION_SET
