// Shared by the kernels of the exact engine, whose sums are those of docs/determinism.md: a training has the bits that
// a CPU gives it.
//
// The model lies in memory as the kernels read it. Weights of the first layer of a net, and of a linear model with
// several logits, and of the hidden layers are [inputs, outputs]; those of the last of several layers and of a linear
// model with one logit are [outputs, inputs]. Rows of weights, biases and rows of activations are padded with zeros to
// whole panels of 32 floats, so that the lanes of a warp read a panel at once. `size` is the number of floats of a
// kind of values: the parameters [size], then each moment of the optimiser [size].
#pragma once

#include "launch.cuh"

// Outputs of a layer that a warp computes together, one a lane.
constexpr int PANEL = 32;

// Sums of the first layer over nonzero pixels have four chains, dot products of one output sixteen.
constexpr int SPARSE_CHAINS = 4;
constexpr int DOT_CHAINS = 16;

// Images whose gradients of the first layer's weights are summed together, and of a linear model with one logit.
constexpr int BLOCK_ROWS = 256;
constexpr int PART_ROWS = 64;

constexpr unsigned int WHOLE_WARP = 0xffffffffu;
constexpr float PIXEL_SCALE = 1.0f / 255;

// The ordinals of zerofive.backend.Optimizer.Kind.
enum OptimizerKind { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW };

// A layer, as zerofive.backend.cuda.ExactModel lays it out: ints alone.
struct ExactLayer {
  int inputs;
  int outputs;
  int by_input;    // whether a row of weights is that of an input
  int row_floats;  // from one row of weights to the next
  int weights;     // where they begin among the parameters
  int bias;        // likewise
  int transposed;  // where the weights begin that the backward pass reads, [outputs, transposed_floats]
  int transposed_floats;
  int output;  // where the layer's outputs begin in a row of activations
};

// Images as bytes u8 [images, height, width] and their classes, and which of them a batch takes: place i of the epoch
// is image order[i], moved by shifts[image]; without an order it is image i, and without shifts none is moved.
struct Pictures {
  const uint8_t* pixels;
  const int* labels;
  const int* order;
  const int* shifts;
  int height;
  int width;

  __device__ __forceinline__ int image(int place) const { return order == nullptr ? place : order[place]; }
};

// An image as it is trained.
struct Picture {
  const uint8_t* pixels;
  int height;
  int width;
  int dx;
  int dy;

  __device__ __forceinline__ Picture(const Pictures& pictures, int image)
      : pixels(pictures.pixels + (size_t)image * pictures.height * pictures.width),
        height(pictures.height),
        width(pictures.width),
        dx(pictures.shifts == nullptr ? 0 : shift_x(pictures.shifts[image])),
        dy(pictures.shifts == nullptr ? 0 : shift_y(pictures.shifts[image])) {}

  __device__ __forceinline__ uint8_t pixel(int p) const {
    return dx == 0 && dy == 0 ? pixels[p] : pixel(p / width, p % width);
  }

  // The pixels [p, p + 8), a byte each from the lowest on; those that the image does not have are 0. p is a multiple of
  // 8.
  __device__ __forceinline__ uint2 pixels_of_eight(int p) const {
    int size = height * width;
    // Sets of images begin at a multiple of 8 bytes, so each of these images does.
    if (dx == 0 && dy == 0 && size % 8 == 0) return *(const uint2*)(pixels + p);
    unsigned int halves[2] = {};
    int y = p / width;
    int x = p % width;
#pragma unroll
    for (int k = 0; k < 8; k++) {
      if (p + k < size) halves[k / 4] |= (unsigned int)pixel(y, x) << (k % 4 * 8);
      x++;
      if (x == width) {
        x = 0;
        y++;
      }
    }
    return make_uint2(halves[0], halves[1]);
  }

  __device__ __forceinline__ uint8_t pixel(int y, int x) const {
    int v = y - dy;
    int u = x - dx;
    bool exists = v >= 0 && v < height && u >= 0 && u < width;
    return exists ? pixels[v * width + u] : (uint8_t)0;
  }
};

__device__ __forceinline__ int whole_panels(int count) { return (count + PANEL - 1) / PANEL; }

// The lanes below this one, as bits.
__device__ __forceinline__ unsigned int lanes_below() { return (1u << (threadIdx.x % WARP)) - 1; }

// A term of a sum over nonzero pixels, in shared memory: the pixel's value, and where its factor stands, counted in
// floats, an int. Both are read at once.
__device__ __forceinline__ float2 term_of(unsigned int pixel, int offset) {
  return make_float2((float)pixel, __int_as_float(offset));
}

// Adds COUNT terms to CHAINS chains, one after the other: terms[0], terms[stride], ..., of which those below `end` are
// there. All factors are loaded before the first is used: a load takes as long as a hundred additions.
template <int COUNT, int CHAINS>
__device__ __forceinline__ void add_terms(
    float (&sums)[CHAINS], const float2* terms, int stride, int end, const float* factors) {
  float2 some[COUNT];
  float loaded[COUNT];
#pragma unroll
  for (int k = 0; k < COUNT; k++) some[k] = terms[k * stride < end ? k * stride : 0];
#pragma unroll
  for (int k = 0; k < COUNT; k++) loaded[k] = factors[__float_as_int(some[k].y)];
#pragma unroll
  for (int k = 0; k < COUNT; k++) {
    if (k * stride < end) sums[k % CHAINS] = fmaf(some[k].x, loaded[k], sums[k % CHAINS]);
  }
}

// The same for all of terms[first], terms[first + stride], ... below `end`; the first of them belongs to chain 0.
template <int CHAINS>
__device__ __forceinline__ void add_all_terms(
    float (&sums)[CHAINS], const float2* terms, int first, int stride, int end, const float* factors) {
  constexpr int MANY = 16;
  constexpr int FEW = 8;
  int e = first;
  for (; e + (MANY - 1) * stride < end; e += MANY * stride) {
    add_terms<MANY>(sums, terms + e, stride, MANY * stride, factors);
  }
  for (; e < end; e += FEW * stride) add_terms<FEW>(sums, terms + e, stride, end - e, factors);
}

// T16 over the sixteen lanes of half a warp; the first of them has it.
__device__ __forceinline__ float half_warp_sum(float chain) {
  for (int stride = DOT_CHAINS / 2; stride > 0; stride /= 2) {
    chain += __shfl_down_sync(WHOLE_WARP, chain, stride, DOT_CHAINS);
  }
  return chain;
}

// The last layer's product, by half a warp, whose threads have a chain each; the first of them has it.
__device__ __forceinline__ float half_warp_product(const float* x, const float* weights, int inputs) {
  int chain = threadIdx.x % DOT_CHAINS;
  float sum = 0.0f;
  for (int i = chain; i < inputs; i += DOT_CHAINS) sum = fmaf(x[i], weights[i], sum);
  // The zeros that pad the inputs to whole groups of sixteen: -0 becomes +0.
  int rest = inputs % DOT_CHAINS;
  if (rest != 0 && chain >= rest) sum += 0.0f;
  return half_warp_sum(sum);
}
