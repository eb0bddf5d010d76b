// Matrix product c = a b, a [m, k], b [k, n], c [m, n] row-major, with what a layer does to each element of c after it.
// Element (i, p) of a stands at a[i * a_row + p * a_column], one of the two strides being 1; b likewise: so one kernel
// serves all four transpositions.
//
// A block makes TILE x TILE elements of c, a thread EACH x EACH of them, from slices of a and b, DEPTH deep, in shared
// memory; the next slice is on its way while this one is used. Where row_sums [m] is given, the sum of each row of a is
// written there: a layer's bias gradient beside its weight gradient. Where c has too few tiles to fill a card, k is cut
// into parts of `part` each (blockIdx.y): every part's block leaves its sums in partials [parts, m, n], and a tile's
// last block adds them in the order of the parts (sums of rows lie behind, [parts, m]). Each element is one chain of fused multiply-adds a part, so the bits
// depend on the shape alone.
#include "launch.cuh"

constexpr int DEPTH = 32;

// As zerofive.backend.cuda.Epilogue has them.
enum Epilogue { EPILOGUE_NONE, EPILOGUE_BIAS_ACTIVATION, EPILOGUE_ACTIVATION_GRADIENT };

struct Matrix {
  const float* values;
  int row;
  int column;
};

template <int TILE>
struct Slice {
  static constexpr int LOADS = TILE * DEPTH / THREADS;
  float values[LOADS];

  // Where load number l of this thread stands in the slice. Threads run along the stride-1 direction of memory.
  static __device__ __forceinline__ void place(int l, bool along_depth, int* across, int* depth) {
    int e = threadIdx.x + l * THREADS;
    *across = along_depth ? e / DEPTH : e % TILE;
    *depth = along_depth ? e % DEPTH : e / TILE;
  }

  // Rows [first, first + TILE) of a matrix of `rows` rows, its columns [begin, begin + DEPTH) up to `end`; 0 outside.
  __device__ __forceinline__ void load(Matrix matrix, int first, int rows, int begin, int end) {
#pragma unroll
    for (int l = 0; l < LOADS; l++) {
      int across, depth;
      place(l, matrix.column == 1, &across, &depth);
      int i = first + across;
      int p = begin + depth;
      values[l] = i < rows && p < end ? matrix.values[i * matrix.row + p * matrix.column] : 0.0f;
    }
  }

  __device__ __forceinline__ void store(Matrix matrix, float (*tile)[TILE + 1]) {
#pragma unroll
    for (int l = 0; l < LOADS; l++) {
      int across, depth;
      place(l, matrix.column == 1, &across, &depth);
      tile[depth][across] = values[l];
    }
  }
};

template <int TILE, int EACH>
__device__ __forceinline__ void multiply(
    int m, int n, int k, Matrix a, Matrix b, float* c, int epilogue, int activation, const float* other, int part,
    float* row_sums, float* partials, unsigned int* counters) {
  constexpr int SIDE = TILE / EACH;
  static_assert(SIDE * SIDE == THREADS, "every thread has its elements");
  __shared__ float a_tile[DEPTH][TILE + 1];
  __shared__ float b_tile[DEPTH][TILE + 1];

  int tiles_across = (n + TILE - 1) / TILE;
  int i0 = (int)(blockIdx.x / tiles_across) * TILE;
  int j0 = (int)(blockIdx.x % tiles_across) * TILE;
  int ty = threadIdx.x / SIDE;
  int tx = threadIdx.x % SIDE;
  int begin = blockIdx.y * part;
  int end = k - begin < part ? k : begin + part;
  Matrix b_transposed = {b.values, b.column, b.row};

  // The first TILE threads of a row's first tile.
  bool sums_a_row = row_sums != nullptr && j0 == 0 && threadIdx.x < TILE && i0 + (int)threadIdx.x < m;
  float row_sum = 0.0f;

  float sums[EACH][EACH] = {};
  Slice<TILE> a_slice, b_slice;
  a_slice.load(a, i0, m, begin, end);
  b_slice.load(b_transposed, j0, n, begin, end);
  for (int p0 = begin; p0 < end; p0 += DEPTH) {
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
      for (int p = 0; p < depth; p++) row_sum += a_tile[p][threadIdx.x];
    }
#pragma unroll 8
    for (int p = 0; p < depth; p++) {
#pragma unroll
      for (int i = 0; i < EACH; i++) {
#pragma unroll
        for (int j = 0; j < EACH; j++) {
          sums[i][j] = fmaf(a_tile[p][ty + i * SIDE], b_tile[p][tx + j * SIDE], sums[i][j]);
        }
      }
    }
    __syncthreads();
  }

  int parts = gridDim.y;
  if (parts > 1) {
#pragma unroll
    for (int e = 0; e < EACH * EACH; e++) {
      int i = i0 + ty + e / EACH * SIDE;
      int j = j0 + tx + e % EACH * SIDE;
      if (i < m && j < n) partials[((size_t)blockIdx.y * m + i) * n + j] = sums[e / EACH][e % EACH];
    }
    float* row_partials = partials + (size_t)parts * m * n;
    if (sums_a_row) row_partials[blockIdx.y * m + i0 + threadIdx.x] = row_sum;
    if (!is_last_block(counters + blockIdx.x, parts)) return;
    if (sums_a_row) {
      row_sum = 0.0f;
      for (int s = 0; s < parts; s++) row_sum += __ldcg(row_partials + s * m + i0 + threadIdx.x);
    }
  }
  if (sums_a_row) row_sums[i0 + threadIdx.x] = row_sum;
#pragma unroll
  for (int e = 0; e < EACH * EACH; e++) {
    int i = i0 + ty + e / EACH * SIDE;
    int j = j0 + tx + e % EACH * SIDE;
    if (i < m && j < n) {
      float v = sums[e / EACH][e % EACH];
      if (parts > 1) {
        v = 0.0f;
        for (int s = 0; s < parts; s++) v += __ldcg(partials + ((size_t)s * m + i) * n + j);
      }
      if (epilogue == EPILOGUE_BIAS_ACTIVATION) v = activated(activation, v + other[j]);
      if (epilogue == EPILOGUE_ACTIVATION_GRADIENT) v = activation_slope(activation, other[i * n + j], v);
      c[i * n + j] = v;
    }
  }
}

// other: the bias [n], or what was activated [m, n], as the epilogue asks.
extern "C" __global__ __launch_bounds__(THREADS) void gemm_32(
    int m, int n, int k, const float* __restrict__ a, int a_row, int a_column, const float* __restrict__ b, int b_row,
    int b_column, float* __restrict__ c, int epilogue, int activation, const float* __restrict__ other, int part,
    float* __restrict__ row_sums, float* partials, unsigned int* counters) {
  multiply<32, 2>(m, n, k, {a, a_row, a_column}, {b, b_row, b_column}, c, epilogue, activation, other, part, row_sums,
      partials, counters);
}

extern "C" __global__ __launch_bounds__(THREADS) void gemm_64(
    int m, int n, int k, const float* __restrict__ a, int a_row, int a_column, const float* __restrict__ b, int b_row,
    int b_column, float* __restrict__ c, int epilogue, int activation, const float* __restrict__ other, int part,
    float* __restrict__ row_sums, float* partials, unsigned int* counters) {
  multiply<64, 4>(m, n, k, {a, a_row, a_column}, {b, b_row, b_column}, c, epilogue, activation, other, part, row_sums,
      partials, counters);
}
