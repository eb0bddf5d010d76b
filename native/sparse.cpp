// Products of sparse vectors of pixels with a panel: out[j] = sum over the entries of value * rows[entry][j], for 32
// columns j. In the forward pass an image is a sparse row (CSR), whose entries index rows of the weights; in the
// backward pass a pixel is a sparse column (CSC), whose entries index rows of the hidden gradient.
//
// Entry e is added to partial sum e % 4, and the four are added as a tree: the bits depend on the entries alone. Pixel
// values are bytes here; the caller multiplies by PIXEL_SCALE.
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

// Distance between columns where each has room for a whole block; an odd number of cache lines, so that the ends of the
// columns, which grow together, do not share cache sets.
constexpr int64_t COLUMN_CAPACITY = BLOCK_ROWS + 32;

// Prefetches a row that is needed soon: shuffled images are anywhere in memory.
INLINE void prefetch(const uint16_t* index, const uint8_t* value, int64_t start, int64_t end) {
  constexpr int64_t LINE = 64;
  for (int64_t e = start; e < end; e += LINE / 2) __builtin_prefetch(index + e);
  for (int64_t e = start; e < end; e += LINE) __builtin_prefetch(value + e);
}

// Pads the columns [p0, p1) to multiples of four with copies of the last image that have a value of 0.
INLINE void pad_columns(int64_t p0, int64_t p1, CscBlock csc) {
  for (int64_t p = p0; p < p1; p++) {
    uint16_t* column = csc.entries + p * COLUMN_CAPACITY;
    int64_t n = csc.count[p];
    csc.count[p] = (uint16_t)padded(n, 4);
    for (; n < csc.count[p]; n++) column[n] = (uint16_t)(column[n - 1] & 0xff00);
  }
}

// Transposes one member's pixels of a block of images, [bounds[member], bounds[member + 1]), into columns
// COLUMN_CAPACITY apart.
void transpose_to_csc(const Images* images, int threads, int member, const int32_t* order, int64_t rows, CscBlock csc) {
  int64_t p0 = images->bounds[member];
  int64_t p1 = images->bounds[member + 1];
  const uint16_t* __restrict__ index = images->index;
  const uint8_t* __restrict__ value = images->value;
  uint16_t* __restrict__ entries = csc.entries;
  uint16_t* __restrict__ count = csc.count;
  memset(csc.count + p0, 0, (p1 - p0) * sizeof(uint16_t));
  for (int64_t r = 0; r < rows; r++) {
    const int64_t* split = images->split + (int64_t)order[r] * (threads + 1) + member;
    int64_t end = split[1];
    if (r + 4 < rows) {
      const int64_t* soon = images->split + (int64_t)order[r + 4] * (threads + 1) + member;
      prefetch(index, value, soon[0], soon[1]);
    }
    for (int64_t e = split[0]; e < end; e++) {
      int64_t p = index[e];
      int64_t n = count[p];
      count[p] = (uint16_t)(n + 1);
      entries[p * COLUMN_CAPACITY + n] = (uint16_t)(r << 8 | value[e]);
    }
  }
  pad_columns(p0, p1, csc);
}

// The same for images that are shifted. An image's entries for this member's pixels are consecutive as before.
void transpose_shifted_to_csc(
    const Images* images, int threads, int member, const int32_t* order, int64_t rows, CscBlock csc) {
  int64_t p0 = images->bounds[member];
  int64_t p1 = images->bounds[member + 1];
  const uint16_t* __restrict__ index = images->index;
  const uint8_t* __restrict__ value = images->value;
  uint16_t* __restrict__ entries = csc.entries;
  uint16_t* __restrict__ count = csc.count;
  memset(csc.count + p0, 0, (p1 - p0) * sizeof(uint16_t));
  for (int64_t r = 0; r < rows; r++) {
    const int64_t* split = images->split + (int64_t)order[r] * (threads + 1);
    if (r + 4 < rows) {
      const int64_t* soon = images->split + (int64_t)order[r + 4] * (threads + 1);
      prefetch(index, value, soon[member], soon[member + 1]);
    }
    Shift shift = shift_of(images, order[r]);
    int64_t end = split[threads];
    int64_t e = first_not_below(index, split[0], end, p0 - shift.offset);
    end = first_not_below(index, e, end, p1 - shift.offset);
    if (shift.inside) {
      for (; e < end; e++) {
        int64_t p = index[e] + shift.offset;
        int64_t n = count[p];
        count[p] = (uint16_t)(n + 1);
        entries[p * COLUMN_CAPACITY + n] = (uint16_t)(r << 8 | value[e]);
      }
      continue;
    }
    // An entry that leaves its row is written too, and not counted.
    for (; e < end; e++) {
      int64_t p = index[e] + shift.offset;
      int64_t column = images->columns[index[e]] + shift.dx;
      int64_t n = count[p];
      entries[p * COLUMN_CAPACITY + n] = (uint16_t)(r << 8 | value[e]);
      count[p] = (uint16_t)(n + (column >= 0 && column < images->width));
    }
  }
  pad_columns(p0, p1, csc);
}

// The same for the pixels [p0, p1) of dense images, which become the columns from 0 on.
void bytes_to_csc(const uint8_t* const* images, int64_t rows, int64_t p0, int64_t p1, CscBlock csc) {
  memset(csc.count, 0, (p1 - p0) * sizeof(uint16_t));
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t p = p0; p < p1; p++) {
      int64_t column = p - p0;
      csc.entries[column * COLUMN_CAPACITY + csc.count[column]] = (uint16_t)(r << 8 | images[r][p]);
      csc.count[column] = (uint16_t)(csc.count[column] + (images[r][p] != 0));
    }
  }
  pad_columns(0, p1 - p0, csc);
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

// Copies the columns [p0, p1) to the cache, one after the other from `at` on.
void copy_csc(CscBlock from, int64_t p0, int64_t p1, int64_t at, CscBlock to) {
  for (int64_t p = p0; p < p1; p++) {
    to.start[p] = at;
    to.count[p] = from.count[p];
    memcpy(to.entries + at, from.entries + from.start[p], from.count[p] * sizeof(uint16_t));
    at += from.count[p];
  }
}

}  // namespace INSTRUCTION_SET
