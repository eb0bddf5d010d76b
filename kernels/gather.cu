// Collects a batch. gather: x[r, :] = pixels[order[first + r], :] / 255 and targets[r] = labels[order[first + r]].
//
//   pixels  u8  [images, width]     order    i32 [first + rows or more]
//   labels  i32 [images]            targets  i32 [rows], written
//   x       f32 [rows, width], written
//
// One block a row. The order is read from memory, so that a captured graph gathers other images in the next epoch.
//
// gather_shifted: x[r, v, u] = pixels[order[first + r], v - dy, u - dx] / 255 where there is such a pixel, else 0;
// width is then the width of an image in pixels, and
//
//   shifts  i32 [images], (dx, dy) of each image
#include "launch.cuh"

extern "C" __global__ __launch_bounds__(THREADS) void gather(
    const uint8_t* __restrict__ pixels, const int* __restrict__ labels, const int* __restrict__ order, int first,
    int width, float* __restrict__ x, int* __restrict__ targets) {
  int r = blockIdx.x;
  int image = order[first + r];
  const uint8_t* from = pixels + (size_t)image * width;
  float* to = x + (size_t)r * width;
  if (threadIdx.x == 0) targets[r] = labels[image];
  bool by_four = width % 4 == 0 && (size_t)from % sizeof(uchar4) == 0 && (size_t)to % sizeof(float4) == 0;
  if (by_four) {
    const uchar4* from4 = (const uchar4*)from;
    float4* to4 = (float4*)to;
    for (int p = threadIdx.x; p < width / 4; p += THREADS) {
      uchar4 s = from4[p];
      to4[p] = make_float4(normalized(s.x), normalized(s.y), normalized(s.z), normalized(s.w));
    }
  } else {
    for (int p = threadIdx.x; p < width; p += THREADS) to[p] = normalized(from[p]);
  }
}

extern "C" __global__ __launch_bounds__(THREADS) void gather_shifted(
    const uint8_t* __restrict__ pixels, const int* __restrict__ labels, const int* __restrict__ order,
    const int* __restrict__ shifts, int first, int height, int width, float* __restrict__ x,
    int* __restrict__ targets) {
  int r = blockIdx.x;
  int image = order[first + r];
  int size = height * width;
  const uint8_t* from = pixels + (size_t)image * size;
  float* to = x + (size_t)r * size;
  if (threadIdx.x == 0) targets[r] = labels[image];
  int dx = shift_x(shifts[image]);
  int dy = shift_y(shifts[image]);
  for (int p = threadIdx.x; p < size; p += THREADS) {
    int v = p / width - dy;
    int u = p % width - dx;
    bool exists = v >= 0 && v < height && u >= 0 && u < width;
    to[p] = exists ? normalized(from[v * width + u]) : 0.0f;
  }
}
