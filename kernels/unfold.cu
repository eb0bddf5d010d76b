// The windows of a convolution as the rows of a matrix, and the way back. Images are [height, width, channels], outside
// them are zeros, and a window is [kernel, kernel, channels].
//
//   images   f32 [rows, height, width, channels]
//   patches  f32 [rows, output_height, output_width, kernel, kernel, channels]
//
// unfold: patches[r, y, x, ky, kx, c] = images[r, y * stride + ky - border, x * stride + kx - border, c], or 0 outside.
// A thread an element of patches.
//
// fold: images[r, v, u, c] = the sum of the elements of patches that unfold would read from it, added from +0 in
// ascending order of ky, then kx. A thread an element of images, so that no two add to the same one.
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void unfold(
    unsigned int elements, int height, int width, int channels, int kernel, int stride, int border, int output_height,
    int output_width, const float* __restrict__ images, float* __restrict__ patches) {
  unsigned int i = element_index();
  if (i >= elements) return;
  unsigned int rest = i;
  int c = rest % channels;
  rest /= channels;
  int kx = rest % kernel;
  rest /= kernel;
  int ky = rest % kernel;
  rest /= kernel;
  int x = rest % output_width;
  rest /= output_width;
  int y = rest % output_height;
  unsigned int r = rest / output_height;
  int v = y * stride + ky - border;
  int u = x * stride + kx - border;
  bool exists = v >= 0 && v < height && u >= 0 && u < width;
  patches[i] = exists ? images[(((size_t)r * height + v) * width + u) * channels + c] : 0.0f;
}

extern "C" __global__ __launch_bounds__(THREADS) void fold(
    unsigned int elements, int height, int width, int channels, int kernel, int stride, int border, int output_height,
    int output_width, const float* __restrict__ patches, float* __restrict__ images) {
  unsigned int i = element_index();
  if (i >= elements) return;
  unsigned int rest = i;
  int c = rest % channels;
  rest /= channels;
  int u = rest % width;
  rest /= width;
  int v = rest % height;
  size_t r = rest / height;
  float sum = 0;
  for (int ky = 0; ky < kernel; ky++) {
    int down = v + border - ky;
    if (down < 0 || down % stride != 0 || down / stride >= output_height) continue;
    for (int kx = 0; kx < kernel; kx++) {
      int across = u + border - kx;
      if (across < 0 || across % stride != 0 || across / stride >= output_width) continue;
      size_t place = (r * output_height + down / stride) * output_width + across / stride;
      sum += patches[((place * kernel + ky) * kernel + kx) * channels + c];
    }
  }
  images[i] = sum;
}
