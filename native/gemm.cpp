// Matrix product c = a b, a [m, k], b [k, n], c [m, n] row-major. Element (i, p) of a stands at a[i * a_row_stride + p
// * a_column_stride], one of the two strides being 1; b likewise: so one kernel serves all four transpositions.
//
// b is copied into panels of 32 columns, [k, 32] each, and a tile of c, as large as the registers hold, is computed by
// walking down one panel. Each element of c is one chain of multiply-adds over k ascending: the bits depend neither on
// the tiles nor on the threads.
#include "native.h"

namespace INSTRUCTION_SET {

// Rows of a panel that stay in the first-level cache while all rows of a are multiplied with them.
constexpr int64_t DEPTH = 256;

// Rows of the left factor that are evenly spaced, with evenly spaced elements.
struct EvenRows {
  const float* a;
  int64_t row_stride, column_stride;
  INLINE_MEMBER int64_t place(int64_t p) const { return p * column_stride; }
  INLINE_MEMBER float at(int i, int64_t place) const { return a[i * row_stride + place]; }
};

// Rows of the right factor that are evenly spaced.
struct EvenSteps {
  const float* b;
  int64_t row_stride;
  INLINE_MEMBER const float* at(int64_t p) const { return b + p * row_stride; }
};

// The walk of every product: sums[i, l] = fma(left.at(i, left.place(p)), right.at(p)[l * LANES ...], sums[i, l]) for
// p = 0, 1, ..., for ROWS x WIDE * 16.
template <int ROWS, int WIDE, typename Left, typename Right>
INLINE void walk(int64_t depth, const Left& left, const Right& right, Lanes (&sums)[ROWS][WIDE]) {
  for (int64_t p = 0; p < depth; p++) {
    Lanes row[WIDE];
    for (int l = 0; l < WIDE; l++) row[l] = load(right.at(p) + l * LANES);
    int64_t place = left.place(p);
#pragma GCC unroll 13
    for (int i = 0; i < ROWS; i++) {
      Lanes factor = broadcast(left.at(i, place));
      for (int l = 0; l < WIDE; l++) sums[i][l] = multiply_add(factor, row[l], sums[i][l]);
    }
  }
}

// c[i, j] = (add ? c[i, j] : 0) + sum over p of a[i * a_row_stride + p * a_column_stride] b[p * b_row_stride + j], for
// ROWS x TILE_LANES * 16.
template <int ROWS>
INLINE void tile(
    int64_t depth, const float* a, int64_t a_row_stride, int64_t a_column_stride, const float* b, int64_t b_row_stride,
    bool add, float* c, int64_t c_row) {
  Lanes sums[ROWS][TILE_LANES];
  for (int i = 0; i < ROWS; i++) {
    for (int l = 0; l < TILE_LANES; l++) sums[i][l] = add ? load(c + i * c_row + l * LANES) : zero();
  }
  walk(depth, EvenRows{a, a_row_stride, a_column_stride}, EvenSteps{b, b_row_stride}, sums);
  for (int i = 0; i < ROWS; i++) {
    for (int l = 0; l < TILE_LANES; l++) store(c + i * c_row + l * LANES, sums[i][l]);
  }
}

// The last tile, with fewer than ROWS + 1 rows.
template <int ROWS>
INLINE void last_tile(
    int64_t rows, int64_t depth, const float* a, int64_t a_row_stride, int64_t a_column_stride, const float* b,
    int64_t b_row_stride, bool add, float* c, int64_t c_row) {
  if constexpr (ROWS > 0) {
    if (rows == ROWS) {
      tile<ROWS>(depth, a, a_row_stride, a_column_stride, b, b_row_stride, add, c, c_row);
    } else {
      last_tile<ROWS - 1>(rows, depth, a, a_row_stride, a_column_stride, b, b_row_stride, add, c, c_row);
    }
  }
}

// A panel of 32 columns of c, any number of rows.
void multiply_panel(
    int64_t rows, int64_t depth, const float* a, int64_t a_row_stride, int64_t a_column_stride, const float* b,
    int64_t b_row_stride, bool add, float* c, int64_t c_row) {
  for (int64_t p = 0; p == 0 || p < depth; p += DEPTH) {
    int64_t deep = depth - p < DEPTH ? depth - p : DEPTH;
    for (int64_t j = 0; j < PANEL; j += TILE_LANES * LANES) {
      const float* right = b + p * b_row_stride + j;
      int64_t i = 0;
      for (; i + TILE_ROWS <= rows; i += TILE_ROWS) {
        tile<TILE_ROWS>(
            deep, a + i * a_row_stride + p * a_column_stride, a_row_stride, a_column_stride, right, b_row_stride, add,
            c + i * c_row + j, c_row);
      }
      last_tile<TILE_ROWS - 1>(
          rows - i, deep, a + i * a_row_stride + p * a_column_stride, a_row_stride, a_column_stride, right,
          b_row_stride, add, c + i * c_row + j, c_row);
    }
    add = true;
  }
}

// Rows [p0, p1) of a panel: panel[p, j] = b(p, j), 0 past the last of `columns` columns.
INLINE void pack_panel(
    int64_t p0, int64_t p1, int64_t columns, const float* __restrict__ b, int64_t b_row_stride, int64_t b_column_stride,
    float* __restrict__ panel) {
  if (b_column_stride == 1) {
    for (int64_t p = p0; p < p1; p++) {
      for (int64_t j = 0; j < columns; j++) panel[p * PANEL + j] = b[p * b_row_stride + j];
      for (int64_t j = columns; j < PANEL; j++) panel[p * PANEL + j] = 0.0f;
    }
    return;
  }
  // Sixteen rows at a time, so that both source and destination stay in the first-level cache.
  for (int64_t first = p0; first < p1; first += LANES) {
    int64_t end = first + LANES < p1 ? first + LANES : p1;
    for (int64_t j = 0; j < PANEL; j++) {
      for (int64_t p = first; p < end; p++)
        panel[p * PANEL + j] = j < columns ? b[p * b_row_stride + j * b_column_stride] : 0.0f;
    }
  }
}

// Rows [i0, i1) of the panel of c that starts at column j0.
INLINE void multiply_block(
    int64_t i0, int64_t i1, int64_t j0, int64_t n, int64_t k, const float* a, int64_t a_row_stride,
    int64_t a_column_stride, const float* panel, float* c) {
  const float* left = a + i0 * a_row_stride;
  if (j0 + PANEL <= n) {
    multiply_panel(i1 - i0, k, left, a_row_stride, a_column_stride, panel, PANEL, false, c + i0 * n + j0, n);
    return;
  }
  float ragged[TILE_ROWS * PANEL];
  for (int64_t i = i0; i < i1; i += TILE_ROWS) {
    int64_t rows = i1 - i < TILE_ROWS ? i1 - i : TILE_ROWS;
    multiply_panel(rows, k, a + i * a_row_stride, a_row_stride, a_column_stride, panel, PANEL, false, ragged, PANEL);
    for (int64_t r = 0; r < rows; r++) memcpy(c + (i + r) * n + j0, ragged + r * PANEL, (n - j0) * sizeof(float));
  }
}

// scratch: f32 [panels of n, k, 32].
void gemm(
    Team* team, int m, int n, int k, const float* a, int64_t a_row_stride, int64_t a_column_stride, const float* b,
    int64_t b_row_stride, int64_t b_column_stride, float* c, float* scratch) {
  constexpr int64_t BLOCK = 8 * TILE_ROWS;
  int64_t panels = (n + PANEL - 1) / PANEL;
  int64_t blocks = (m + BLOCK - 1) / BLOCK;
  bool parallel = (double)m * n * k > 8.0 * PARALLEL_THRESHOLD;
  team->run_if(parallel, [=](int member) {
    int64_t end = chunk_start(panels * k, 1, member + 1, team->threads());
    for (int64_t at = chunk_start(panels * k, 1, member, team->threads()); at < end;) {
      int64_t panel = at / k;
      int64_t until = (panel + 1) * k < end ? (panel + 1) * k : end;
      int64_t left = n - panel * PANEL;
      pack_panel(
          at % k, until - panel * k, left < PANEL ? left : PANEL, b + panel * PANEL * b_column_stride, b_row_stride,
          b_column_stride, scratch + panel * k * PANEL);
      at = until;
    }
  });
  team->run_if(parallel, [=](int member) {
    int64_t end = chunk_start(panels * blocks, 1, member + 1, team->threads());
    for (int64_t unit = chunk_start(panels * blocks, 1, member, team->threads()); unit < end; unit++) {
      int64_t panel = unit / blocks;
      int64_t i0 = unit % blocks * BLOCK;
      int64_t i1 = i0 + BLOCK < m ? i0 + BLOCK : m;
      multiply_block(i0, i1, panel * PANEL, n, k, a, a_row_stride, a_column_stride, scratch + panel * k * PANEL, c);
    }
  });
}

}  // namespace INSTRUCTION_SET
