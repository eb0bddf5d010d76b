// Matrix product c = a b, a [m, k], b [k, n], c [m, n] row-major, with what a layer does to each element of c after it.
// Element (i, p) of a stands at a[i * a_row_stride + p * a_column_stride], one of the two strides being 1; b likewise:
// so one kernel serves all four transpositions.
//
// A block computes a TILE x TILE tile of c, a thread EACH x EACH elements of it, from slices of a and b of DEPTH
// columns and rows in shared memory; the next slice is loaded while this one is used. Where row_sums [m] is given, the
// sum of each row of a is written there: a layer's bias gradient beside its weight gradient. Where c has too few tiles
// to fill a GPU, the product is split along k (split-k) into ranges of split_depth, one for each blockIdx.y: the block
// of each split writes its sums to partials [splits, tiles, TILE * TILE], aligned to 8 bytes, in the order of the
// threads, and a tile's last block adds them in the order of the splits; the row sums follow them, [splits, m]. Each
// element is one chain of fused multiply-adds per split, so the bits depend on the shape alone.
#include "launch.cuh"

constexpr int DEPTH = 32;

// As zerofive.backend.cuda.Epilogue has them.
enum Epilogue { EPILOGUE_NONE, EPILOGUE_BIAS_ACTIVATION, EPILOGUE_ACTIVATION_GRADIENT };

struct Matrix {
  const float* values;
  int row_stride;
  int column_stride;
};

// A slice in shared memory, read and written as pairs of neighbours along the tile: one 64-bit access for two values.
// From one depth to the next it is TILE + 2 floats:
// - an even number, since a pair has to stand at a multiple of 8 bytes;
// - an odd number of pairs, so that 16 threads that write pairs at 16 depths, one below the other, use all 32 banks
//   once (a 64-bit access takes half a warp at a time). Writing and reading along the tile, neighbours in
//   neighbouring banks, is without conflicts at any pitch.
template <int TILE>
struct Tile {
  static constexpr int PITCH = TILE / 2 + 1;
  static_assert(PITCH % 2 == 1, "pairs at neighbouring depths have to be in different banks");
  float2 pairs[DEPTH][PITCH];

  __device__ __forceinline__ float* row(int depth) { return (float*)pairs[depth]; }
};

// The part of a slice that one thread copies from global to shared memory.
template <int TILE>
struct Slice {
  static constexpr int LOADS = TILE * DEPTH / THREADS;
  static_assert(LOADS % 2 == 0, "every thread loads pairs");
  float values[LOADS];

  // Where load number l of this thread stands in the slice. Threads run along the stride-1 direction of memory; where
  // that is the depth, two loads of a thread are a pair.
  static __device__ __forceinline__ void place(int l, bool along_depth, int* across, int* depth) {
    if (along_depth) {
      int pair = threadIdx.x + l / 2 * THREADS;
      *across = pair / DEPTH * 2 + l % 2;
      *depth = pair % DEPTH;
    } else {
      int e = threadIdx.x + l * THREADS;
      *across = e % TILE;
      *depth = e / TILE;
    }
  }

  // Rows [first, first + TILE) of a matrix of `rows` rows, its columns [start, start + DEPTH) up to `end`; 0 outside.
  __device__ __forceinline__ void load(Matrix matrix, int first, int rows, int start, int end) {
#pragma unroll
    for (int l = 0; l < LOADS; l++) {
      int across, depth;
      place(l, matrix.column_stride == 1, &across, &depth);
      int i = first + across;
      int p = start + depth;
      values[l] = i < rows && p < end ? matrix.values[i * matrix.row_stride + p * matrix.column_stride] : 0.0f;
    }
  }

  __device__ __forceinline__ void store(Matrix matrix, Tile<TILE>& tile) {
    int across, depth;
    if (matrix.column_stride == 1) {
#pragma unroll
      for (int l = 0; l < LOADS; l += 2) {
        place(l, true, &across, &depth);
        tile.pairs[depth][across / 2] = make_float2(values[l], values[l + 1]);
      }
    } else {
#pragma unroll
      for (int l = 0; l < LOADS; l++) {
        place(l, false, &across, &depth);
        tile.row(depth)[across] = values[l];
      }
    }
  }
};

__device__ __forceinline__ void add_product(float2* sum, float a, float2 b) {
  sum->x = fmaf(a, b.x, sum->x);
  sum->y = fmaf(a, b.y, sum->y);
}

template <int TILE, int EACH>
__device__ __forceinline__ void multiply(
    int m, int n, int k, Matrix a, Matrix b, float* c, int epilogue, int activation, const float* other,
    int split_depth, float* row_sums, float* partials, unsigned int* counters) {
  constexpr int SIDE = TILE / EACH;
  constexpr int PAIRS = EACH / 2;
  static_assert(SIDE * SIDE == THREADS && EACH == 2 * PAIRS, "every thread has its pairs of elements");
  __shared__ Tile<TILE> a_tile;
  __shared__ Tile<TILE> b_tile;

  int tiles_across = (n + TILE - 1) / TILE;
  int i0 = (int)(blockIdx.x / tiles_across) * TILE;
  int j0 = (int)(blockIdx.x % tiles_across) * TILE;
  int ty = threadIdx.x / SIDE;
  int tx = threadIdx.x % SIDE;
  int start = blockIdx.y * split_depth;
  int end = k - start < split_depth ? k : start + split_depth;
  Matrix b_transposed = {b.values, b.column_stride, b.row_stride};

  // The first TILE threads of a row's first tile.
  bool sums_a_row = row_sums != nullptr && j0 == 0 && threadIdx.x < TILE && i0 + (int)threadIdx.x < m;
  float row_sum = 0.0f;

  // A thread has pairs of neighbouring rows and pairs of neighbouring columns; SIDE threads side by side take SIDE
  // pairs side by side, then the next SIDE. sums[i][j] belongs to row row_of(i), columns column_of(j) and the one
  // after it.
  auto row_of = [=](int i) { return i0 + 2 * (ty + i / 2 * SIDE) + i % 2; };
  auto column_of = [=](int j) { return j0 + 2 * (tx + j * SIDE); };
  float2 sums[EACH][PAIRS] = {};
  Slice<TILE> a_slice, b_slice;
  a_slice.load(a, i0, m, start, end);
  b_slice.load(b_transposed, j0, n, start, end);
  for (int p0 = start; p0 < end; p0 += DEPTH) {
    a_slice.store(a, a_tile);
    b_slice.store(b_transposed, b_tile);
    __syncthreads();
    if (p0 + DEPTH < end) {
      a_slice.load(a, i0, m, p0 + DEPTH, end);
      b_slice.load(b_transposed, j0, n, p0 + DEPTH, end);
    }
    // Past the end of k there is nothing to add: 0 times an infinity would be NaN.
    int depth = end - p0 < DEPTH ? end - p0 : DEPTH;
    if (sums_a_row) {
      for (int p = 0; p < depth; p++) row_sum += a_tile.row(p)[threadIdx.x];
    }
#pragma unroll 8
    for (int p = 0; p < depth; p++) {
      float2 b_pairs[PAIRS];
#pragma unroll
      for (int j = 0; j < PAIRS; j++) b_pairs[j] = b_tile.pairs[p][tx + j * SIDE];
#pragma unroll
      for (int i = 0; i < PAIRS; i++) {
        float2 a_pair = a_tile.pairs[p][ty + i * SIDE];
#pragma unroll
        for (int j = 0; j < PAIRS; j++) {
          add_product(&sums[2 * i][j], a_pair.x, b_pairs[j]);
          add_product(&sums[2 * i + 1][j], a_pair.y, b_pairs[j]);
        }
      }
    }
    __syncthreads();
  }

  int splits = gridDim.y;
  if (splits > 1) {
    size_t tiles = gridDim.x;
    float2* pair_partials = (float2*)partials + (size_t)blockIdx.x * (TILE * TILE / 2) + threadIdx.x;
    size_t pairs_per_split = tiles * (TILE * TILE / 2);
    float* row_partials = partials + 2 * splits * pairs_per_split + i0 + threadIdx.x;
#pragma unroll
    for (int e = 0; e < EACH * PAIRS; e++) {
      if (row_of(e / PAIRS) < m && column_of(e % PAIRS) < n) {
        pair_partials[blockIdx.y * pairs_per_split + e * THREADS] = sums[e / PAIRS][e % PAIRS];
      }
    }
    if (sums_a_row) row_partials[(size_t)blockIdx.y * m] = row_sum;
    if (!is_last_block(counters + blockIdx.x, splits)) return;
#pragma unroll
    for (int e = 0; e < EACH * PAIRS; e++) sums[e / PAIRS][e % PAIRS] = make_float2(0.0f, 0.0f);
    row_sum = 0.0f;
    // All loads of a split, and those of several splits, are in flight at once: none waits for another's addition.
#pragma unroll 16 / (EACH * EACH)
    for (int s = 0; s < splits; s++) {
#pragma unroll
      for (int e = 0; e < EACH * PAIRS; e++) {
        if (row_of(e / PAIRS) < m && column_of(e % PAIRS) < n) {
          float2 partial = __ldcg(pair_partials + s * pairs_per_split + e * THREADS);
          sums[e / PAIRS][e % PAIRS].x += partial.x;
          sums[e / PAIRS][e % PAIRS].y += partial.y;
        }
      }
      if (sums_a_row) row_sum += __ldcg(row_partials + (size_t)s * m);
    }
  }
  if (sums_a_row) row_sums[i0 + threadIdx.x] = row_sum;
#pragma unroll
  for (int e = 0; e < EACH * EACH; e++) {
    int i = row_of(e / EACH);
    int j = column_of(e % EACH / 2) + e % 2;
    if (i < m && j < n) {
      float2 pair = sums[e / EACH][e % EACH / 2];
      float v = e % 2 == 0 ? pair.x : pair.y;
      if (epilogue == EPILOGUE_BIAS_ACTIVATION) v = activated(activation, v + other[j]);
      if (epilogue == EPILOGUE_ACTIVATION_GRADIENT) v = activation_backward(activation, other[i * n + j], v);
      c[i * n + j] = v;
    }
  }
}

// other: the bias [n] or the activations [m, n], as the epilogue needs.
extern "C" __global__ __launch_bounds__(THREADS) void gemm_32(
    int m, int n, int k, const float* __restrict__ a, int a_row_stride, int a_column_stride,
    const float* __restrict__ b, int b_row_stride, int b_column_stride, float* __restrict__ c, int epilogue,
    int activation, const float* __restrict__ other, int split_depth, float* __restrict__ row_sums, float* partials,
    unsigned int* counters) {
  multiply<32, 2>(
      m, n, k, {a, a_row_stride, a_column_stride}, {b, b_row_stride, b_column_stride}, c, epilogue, activation, other,
      split_depth, row_sums, partials, counters);
}

extern "C" __global__ __launch_bounds__(THREADS) void gemm_64(
    int m, int n, int k, const float* __restrict__ a, int a_row_stride, int a_column_stride,
    const float* __restrict__ b, int b_row_stride, int b_column_stride, float* __restrict__ c, int epilogue,
    int activation, const float* __restrict__ other, int split_depth, float* __restrict__ row_sums, float* partials,
    unsigned int* counters) {
  multiply<64, 4>(
      m, n, k, {a, a_row_stride, a_column_stride}, {b, b_row_stride, b_column_stride}, c, epilogue, activation, other,
      split_depth, row_sums, partials, counters);
}
