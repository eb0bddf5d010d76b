// Images that are shifted while an epoch lasts: pixel (y, x) goes to (y + dy, x + dx), or out of the picture.
//
// A list keeps its order, since all its pixels' numbers grow by the same step, dy * width + dx. As long as the box around the
// nonzero pixels stays inside, that step is all there is to it: forward the weights are read from elsewhere, backward the entries
// are put elsewhere, and no list is made. Else the list is clipped: what moves out of the picture is left out.
//
//   boxes    [images], columns  u16 [inputs], each pixel's x: made before the first shifted epoch
//   clipped_index, clipped_value  room for one list for each member of the team, clipped_room(images) apart
#include "native.h"

namespace INSTRUCTION_SET {

// Around the nonzero pixels, its sides included.
struct Box {
  uint16_t left, right, top, bottom;
};

// How an image's pixels move: their columns by dx, their numbers by `step`; and whether all lit ones stay in the picture.
struct Move {
  int64_t dx, step;
  bool inside;
};

INLINE Move move_of(const Images* images, int64_t image) {
  int64_t dx = shift_x(images->shifts[image]);
  int64_t dy = shift_y(images->shifts[image]);
  Box box = images->boxes[image];
  return {dx, dy * images->width + dx,
          box.left + dx >= 0 && box.right + dx < images->width && box.top + dy >= 0 && box.bottom + dy < images->height};
}

// Whole cache lines for each member.
INLINE int64_t clipped_room(const Images* images) { return padded(images->inputs + 4, 64); }

// Whether the memory was enough.
bool make_boxes(Images* images, Team* team) {
  if (images->boxes != nullptr) return true;
  int threads = team->threads();
  Box* boxes = (Box*)images->memory.take(images->count * sizeof(Box));
  uint16_t* columns = (uint16_t*)images->memory.take(images->inputs * sizeof(uint16_t));
  images->clipped_index = (uint16_t*)images->memory.take(threads * clipped_room(images) * sizeof(uint16_t));
  images->clipped_value = (uint8_t*)images->memory.take(threads * clipped_room(images));
  if (images->memory.failed()) return false;
  for (int64_t p = 0; p < images->inputs; p++) columns[p] = (uint16_t)(p % images->width);
  team->run([=](int member) {
    int64_t last = share(images->count, 1, member + 1, threads);
    for (int64_t i = share(images->count, 1, member, threads); i < last; i++) {
      int64_t begin = images->begin[i];
      int64_t end = images->begin[i + 1];
      if (begin == end) continue;
      uint16_t left = columns[images->index[begin]];
      uint16_t right = left;
      for (int64_t e = begin; e < end; e++) {
        uint16_t column = columns[images->index[e]];
        left = column < left ? column : left;
        right = column > right ? column : right;
      }
      boxes[i] = {left, right, (uint16_t)(images->index[begin] / images->width),
                  (uint16_t)(images->index[end - 1] / images->width)};
    }
  });
  images->boxes = boxes;
  images->columns = columns;
  return true;
}

// Member's copy of an image's list without what moves out of the picture, its pixels' numbers as they are after the move;
// returns its length, padding included.
int64_t clip(const Images* images, int64_t image, const Move& move, uint16_t* index, uint8_t* value) {
  int64_t n = 0;
  for (int64_t e = images->begin[image]; e < images->begin[image + 1]; e++) {
    int64_t p = images->index[e] + move.step;
    int64_t column = images->columns[images->index[e]] + move.dx;
    index[n] = (uint16_t)p;
    value[n] = images->value[e];
    // What pads the list has a value of 0.
    n += value[n] != 0 && p >= 0 && p < images->inputs && column >= 0 && column < images->width;
  }
  for (; n % 4 != 0; n++) {
    index[n] = index[n - 1];
    value[n] = 0;
  }
  return n;
}

// The first of some entries, in [begin, end), whose pixel's number is not below `bound`.
INLINE int64_t first_not_below(const uint16_t* index, int64_t begin, int64_t end, int64_t bound) {
  int64_t count = end - begin;
  while (count > 0) {
    int64_t half = count / 2;
    bool below = index[begin + half] < bound;
    begin = below ? begin + half + 1 : begin;
    count = below ? count - half - 1 : half;
  }
  return begin;
}

}  // namespace INSTRUCTION_SET
