// Products with lists of nonzero pixels: out[j] = sum over a list's entries of value * rows[entry][j], for a panel's 32 columns.
// Forward, an image's list names rows of the weights; backward, a pixel's list names rows of the hidden gradient.
//
// Entry e goes to sum number e % 4, and the four are added as a tree: the bits depend on the list alone. Shades are bytes
// here; whoever calls divides by 255.
#include "native.h"

namespace INSTRUCTION_SET {

constexpr float PIXEL_SCALE = 1.0f / 255;

// An image's list: pixel numbers, and values apart.
struct ImageList {
  const uint16_t* index;
  const uint8_t* value;
  INLINE_MEMBER int64_t row(int64_t e) const { return index[e]; }
  INLINE_MEMBER Quad values(int64_t e) const { return four_bytes(value + e); }
};

// A pixel's list within a block of 256 images: image number in the high byte, value in the low one.
struct PixelList {
  const uint16_t* entries;
  INLINE_MEMBER int64_t row(int64_t e) const { return entries[e] >> 8; }
  INLINE_MEMBER Quad values(int64_t e) const { return low_bytes(entries + e); }
};

template <typename List>
INLINE void list_product(List list, int64_t count, const float* rows, int64_t row_floats, Lanes (&out)[LIST_LANES]) {
  Lanes sums[4][LIST_LANES];
  for (int s = 0; s < 4; s++) {
    for (int l = 0; l < LIST_LANES; l++) sums[s][l] = zero();
  }
  for (int64_t e = 0; e < count; e += 4) {
    Quad values = list.values(e);
    const float* row0 = rows + list.row(e) * row_floats;
    const float* row1 = rows + list.row(e + 1) * row_floats;
    const float* row2 = rows + list.row(e + 2) * row_floats;
    const float* row3 = rows + list.row(e + 3) * row_floats;
    for (int l = 0; l < LIST_LANES; l++) {
      sums[0][l] = multiply_add(pick<0>(values), load(row0 + l * LANES), sums[0][l]);
      sums[1][l] = multiply_add(pick<1>(values), load(row1 + l * LANES), sums[1][l]);
      sums[2][l] = multiply_add(pick<2>(values), load(row2 + l * LANES), sums[2][l]);
      sums[3][l] = multiply_add(pick<3>(values), load(row3 + l * LANES), sums[3][l]);
    }
  }
  for (int l = 0; l < LIST_LANES; l++) out[l] = add(add(sums[0][l], sums[1][l]), add(sums[2][l], sums[3][l]));
}

// The lists of a block's pixels: pixel p's entries stand at entries[start[p]], count[p] of them, a multiple of four.
struct PixelLists {
  uint16_t* entries;
  int64_t* start;
  uint16_t* count;
};

// Entries from one pixel's list to the next where each has room for a whole block; an odd number of cache lines, so that the
// lists' ends, which grow together, do not meet in the cache.
constexpr int64_t LIST_ROOM = BLOCK_ROWS + 32;

// Has a list that is needed soon brought into the cache: shuffled images are anywhere in memory.
INLINE void fetch(const uint16_t* index, const uint8_t* value, int64_t begin, int64_t end) {
  constexpr int64_t LINE = 64;
  for (int64_t e = begin; e < end; e += LINE / 2) __builtin_prefetch(index + e);
  for (int64_t e = begin; e < end; e += LINE) __builtin_prefetch(value + e);
}

// Pads the lists of the pixels [p0, p1) to multiples of four: the last image once more, with a value of 0.
INLINE void pad_lists(int64_t p0, int64_t p1, PixelLists lists) {
  for (int64_t p = p0; p < p1; p++) {
    uint16_t* list = lists.entries + p * LIST_ROOM;
    int64_t n = lists.count[p];
    lists.count[p] = (uint16_t)padded(n, 4);
    for (; n < lists.count[p]; n++) list[n] = (uint16_t)(list[n - 1] & 0xff00);
  }
}

// Makes one member's pixels' lists of a block of images anew, [bounds[member], bounds[member + 1]), LIST_ROOM apart.
void list_by_pixel(const Images* images, int threads, int member, const int32_t* order, int64_t rows, PixelLists lists) {
  int64_t p0 = images->bounds[member];
  int64_t p1 = images->bounds[member + 1];
  const uint16_t* __restrict__ index = images->index;
  const uint8_t* __restrict__ value = images->value;
  uint16_t* __restrict__ entries = lists.entries;
  uint16_t* __restrict__ count = lists.count;
  memset(lists.count + p0, 0, (p1 - p0) * sizeof(uint16_t));
  for (int64_t r = 0; r < rows; r++) {
    const int64_t* split = images->split + (int64_t)order[r] * (threads + 1) + member;
    int64_t end = split[1];
    if (r + 4 < rows) {
      const int64_t* soon = images->split + (int64_t)order[r + 4] * (threads + 1) + member;
      fetch(index, value, soon[0], soon[1]);
    }
    for (int64_t e = split[0]; e < end; e++) {
      int64_t p = index[e];
      int64_t n = count[p];
      count[p] = (uint16_t)(n + 1);
      entries[p * LIST_ROOM + n] = (uint16_t)(r << 8 | value[e]);
    }
  }
  pad_lists(p0, p1, lists);
}

// The same of images that are shifted. An image's entries for this member's pixels are neighbours as before.
void list_shifted_by_pixel(
    const Images* images, int threads, int member, const int32_t* order, int64_t rows, PixelLists lists) {
  int64_t p0 = images->bounds[member];
  int64_t p1 = images->bounds[member + 1];
  const uint16_t* __restrict__ index = images->index;
  const uint8_t* __restrict__ value = images->value;
  uint16_t* __restrict__ entries = lists.entries;
  uint16_t* __restrict__ count = lists.count;
  memset(lists.count + p0, 0, (p1 - p0) * sizeof(uint16_t));
  for (int64_t r = 0; r < rows; r++) {
    const int64_t* split = images->split + (int64_t)order[r] * (threads + 1);
    if (r + 4 < rows) {
      const int64_t* soon = images->split + (int64_t)order[r + 4] * (threads + 1);
      fetch(index, value, soon[member], soon[member + 1]);
    }
    Move move = move_of(images, order[r]);
    int64_t end = split[threads];
    int64_t e = first_not_below(index, split[0], end, p0 - move.step);
    end = first_not_below(index, e, end, p1 - move.step);
    if (move.inside) {
      for (; e < end; e++) {
        int64_t p = index[e] + move.step;
        int64_t n = count[p];
        count[p] = (uint16_t)(n + 1);
        entries[p * LIST_ROOM + n] = (uint16_t)(r << 8 | value[e]);
      }
      continue;
    }
    // One that leaves its row is written too, and not counted.
    for (; e < end; e++) {
      int64_t p = index[e] + move.step;
      int64_t column = images->columns[index[e]] + move.dx;
      int64_t n = count[p];
      entries[p * LIST_ROOM + n] = (uint16_t)(r << 8 | value[e]);
      count[p] = (uint16_t)(n + (column >= 0 && column < images->width));
    }
  }
  pad_lists(p0, p1, lists);
}

// Copies them to where they may stay, close together from `at` on.
void keep_lists(PixelLists from, int64_t p0, int64_t p1, int64_t at, PixelLists to) {
  for (int64_t p = p0; p < p1; p++) {
    to.start[p] = at;
    to.count[p] = from.count[p];
    memcpy(to.entries + at, from.entries + from.start[p], from.count[p] * sizeof(uint16_t));
    at += from.count[p];
  }
}

}  // namespace INSTRUCTION_SET
