// Products of sparse vectors of pixels with a panel: out[j] = sum over the entries of value * rows[entry][j], for 32
// columns j. In the forward pass an image is a sparse row (CSR), whose entries index rows of the weights; in the
// backward pass a pixel is a sparse column (CSC), whose entries index rows of the hidden gradient.
//
// Entry e is added to partial sum e % 4, and the four are added as a tree: the bits depend on the entries alone. Pixel
// values are bytes here; the caller multiplies by PIXEL_SCALE.
#include "bytes.h"
#include "native.h"

namespace INSTRUCTION_SET {

constexpr float PIXEL_SCALE = 1.0f / 255;

// An image: pixel indices, and values apart.
struct SparseRow {
  const uint16_t* index;
  const uint8_t* value;
  INLINE_MEMBER int64_t row(int64_t e) const { return index[e]; }
  INLINE_MEMBER Quad values(int64_t e) const { return load_four_bytes(value + e); }
};

// An image of more pixels than 16 bits can number.
struct WideRow {
  const int32_t* index;
  const uint8_t* value;
  INLINE_MEMBER int64_t row(int64_t e) const { return index[e]; }
  INLINE_MEMBER Quad values(int64_t e) const { return load_four_bytes(value + e); }
};

// A pixel within a block of 256 images: index of the image in the high byte, value in the low one.
struct SparseColumn {
  const uint16_t* entries;
  INLINE_MEMBER int64_t row(int64_t e) const { return entries[e] >> 8; }
  INLINE_MEMBER Quad values(int64_t e) const { return load_low_bytes(entries + e); }
};

template <typename Vector>
INLINE void sparse_product(
    Vector vector, int64_t count, const float* rows, int64_t row_floats, Lanes (&out)[SPARSE_LANES]) {
  Lanes sums[4][SPARSE_LANES];
  for (int s = 0; s < 4; s++) {
    for (int l = 0; l < SPARSE_LANES; l++) sums[s][l] = zero();
  }
  for (int64_t e = 0; e < count; e += 4) {
    Quad values = vector.values(e);
    const float* row0 = rows + vector.row(e) * row_floats;
    const float* row1 = rows + vector.row(e + 1) * row_floats;
    const float* row2 = rows + vector.row(e + 2) * row_floats;
    const float* row3 = rows + vector.row(e + 3) * row_floats;
    for (int l = 0; l < SPARSE_LANES; l++) {
      sums[0][l] = multiply_add(broadcast_lane<0>(values), load(row0 + l * LANES), sums[0][l]);
      sums[1][l] = multiply_add(broadcast_lane<1>(values), load(row1 + l * LANES), sums[1][l]);
      sums[2][l] = multiply_add(broadcast_lane<2>(values), load(row2 + l * LANES), sums[2][l]);
      sums[3][l] = multiply_add(broadcast_lane<3>(values), load(row3 + l * LANES), sums[3][l]);
    }
  }
  for (int l = 0; l < SPARSE_LANES; l++) out[l] = add(add(sums[0][l], sums[1][l]), add(sums[2][l], sums[3][l]));
}

// A block of images by columns (CSC): pixel p has the entries [start[p], start[p] + count[p]), count being a multiple
// of four.
struct CscBlock {
  uint16_t* entries;
  int64_t* start;
  uint16_t* count;
};

// Entries of a column for which there is room; compress_pairs writes past the last one.
constexpr int64_t COLUMN_CAPACITY = BLOCK_ROWS + 32;

// Pixels whose columns are made at a time.
constexpr int64_t TILE_PIXELS = 64;

// 0, 1, 2, ...: the number of each image of a block.
struct ImageNumbers {
  uint8_t values[BLOCK_ROWS];

  constexpr ImageNumbers() : values() {
    for (int64_t r = 0; r < BLOCK_ROWS; r++) values[r] = (uint8_t)r;
  }
};

alignas(64) static constexpr ImageNumbers IMAGE_NUMBERS;

// The column of one pixel, of whose `count` values the first stands at `values`; a multiple of SIDE of them can be
// read. Padded to a multiple of four with copies of the last image that have a value of 0. Returns its length.
INLINE uint16_t make_column(const uint8_t* values, int64_t count, uint16_t* entries) {
  int64_t n = 0;
  for (int64_t r = 0; r < count; r += SIDE) {
    Bytes some = load_bytes16(values + r);
    Bytes numbers = load_bytes16(IMAGE_NUMBERS.values + r);
    uint32_t bits = nonzero_bits(some);
    n += compress_pairs(zip_low(some, numbers), bits & 0xff, entries + n);
    n += compress_pairs(zip_high(some, numbers), bits >> 8, entries + n);
  }
  int64_t length = padded(n, 4);
  for (; n < length; n++) entries[n] = (uint16_t)(entries[n - 1] & 0xff00);
  return (uint16_t)length;
}

// The columns of the pixels [p0, p1), at most TILE_PIXELS and whole multiples of SIDE, of a block of images, whose
// bytes start at rows[r]. Past the last pixel all bytes are zero.
INLINE void make_columns(
    const Images* images, const uint8_t* const* rows, int64_t count, int64_t p0, int64_t p1, CscBlock csc) {
  // An odd number of cache lines, so that the columns do not share cache sets.
  alignas(64) uint8_t columns[SIDE][BLOCK_ROWS + 64];
  static const uint8_t NONE[SIDE] = {};
  // Columns of pixels that are zero in all images, which a shift moves, are empty.
  int64_t reach = images->shifts != nullptr ? images->reach : 0;
  for (int64_t p = p0; p < p1; p += SIDE) {
    if (p + SIDE <= images->nonzero_start - reach || p >= images->nonzero_end + reach) {
      memset(csc.count + (p - p0), 0, SIDE * sizeof(uint16_t));
      continue;
    }
    for (int64_t r = 0; r < count; r += SIDE) {
      Bytes square[SIDE];
      for (int64_t i = 0; i < SIDE; i++) square[i] = load_bytes16(r + i < count ? rows[r + i] + p : NONE);
      transpose_square(square);
      for (int64_t i = 0; i < SIDE; i++) store_bytes16(columns[i] + r, square[i]);
    }
    for (int64_t i = 0; i < SIDE; i++) {
      int64_t column = p - p0 + i;
      csc.count[column] = make_column(columns[i], count, csc.entries + csc.start[column]);
    }
  }
}

// The nonzero pixels of a dense image, padded as a sparse row is; returns their number.
int64_t nonzero_pixels(const uint8_t* image, int64_t inputs, int32_t* index, uint8_t* value) {
  int64_t n = 0;
  for (int64_t p = 0; p < inputs; p++) {
    index[n] = (int32_t)p;
    value[n] = image[p];
    n += image[p] != 0;
  }
  for (; n % 4 != 0; n++) {
    index[n] = index[n - 1];
    value[n] = 0;
  }
  return n;
}

}  // namespace INSTRUCTION_SET
