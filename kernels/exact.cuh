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

// Lists those i of [0, BLOCK_ROWS) whose value(i), a byte, is nonzero, ascending, each as i << 8 | value. By a whole
// warp; returns their number.
template <typename Value>
__device__ __forceinline__ int list_nonzero(uint16_t* list, Value value) {
  int count = 0;
  unsigned int values[BLOCK_ROWS / WARP];
#pragma unroll
  for (int g = 0; g < BLOCK_ROWS / WARP; g++) values[g] = value(g * WARP + threadIdx.x % WARP);
#pragma unroll
  for (int g = 0; g < BLOCK_ROWS / WARP; g++) {
    int i = g * WARP + threadIdx.x % WARP;
    unsigned int nonzero = __ballot_sync(WHOLE_WARP, values[g] != 0);
    if (values[g] != 0) list[count + __popc(nonzero & lanes_below())] = (uint16_t)(i << 8 | values[g]);
    count += __popc(nonzero);
  }
  return count;
}

// T16 over the sixteen lanes of half a warp; the first of them has it.
__device__ __forceinline__ float half_warp_sum(float chain) {
  for (int stride = DOT_CHAINS / 2; stride > 0; stride /= 2) {
    chain += __shfl_down_sync(WHOLE_WARP, chain, stride, DOT_CHAINS);
  }
  return chain;
}
