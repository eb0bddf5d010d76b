// Images that are shifted while an epoch lasts: pixel (y, x) moves to (y + dy, x + dx), or out of the frame.
//
// A sparse row keeps its order, since a shift adds the same offset, dy * width + dx, to the indices of all its pixels.
// As long as the bounding box of the nonzero pixels stays inside the frame, no row is copied: the forward pass reads
// the weights at that offset, and the transposition writes the entries at it. Else the row is clipped: what moves out
// of the frame is left out.
//
//   boxes    [images], columns  u16 [inputs], each pixel's x: made before the first shifted epoch
//   clipped_index, clipped_value  a buffer for one row for each member of the team, clipped_room(images) apart
#include "native.h"

namespace INSTRUCTION_SET {

void shift_bytes(const uint8_t* from, int64_t height, int64_t width, int32_t shift, uint8_t* to) {
  shift_image(from, height, width, shift, to, [](const uint8_t* pixels, int64_t count, uint8_t* moved) {
    memcpy(moved, pixels, count);
  });
}

// The bounding box of the nonzero pixels, both ends included.
struct Box {
  uint16_t left, right, top, bottom;
};

// What a shift adds to the columns (dx) and indices (offset) of an image's pixels; and whether all nonzero ones stay in
// the frame.
struct Shift {
  int64_t dx, offset;
  bool inside;
};

INLINE Shift shift_of(const Images* images, int64_t image) {
  int64_t dx = shift_x(images->shifts[image]);
  int64_t dy = shift_y(images->shifts[image]);
  Box box = images->boxes[image];
  return {
      dx, dy * images->width + dx,
      box.left + dx >= 0 && box.right + dx < images->width && box.top + dy >= 0 && box.bottom + dy < images->height};
}

// Entries of one member's buffer, whole cache lines.
INLINE int64_t clipped_room(const Images* images) { return padded(images->inputs + 4, 64); }

// Returns whether the memory was enough.
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
    int64_t last = chunk_start(images->count, 1, member + 1, threads);
    for (int64_t i = chunk_start(images->count, 1, member, threads); i < last; i++) {
      int64_t start = images->row_start[i];
      int64_t end = images->row_start[i + 1];
      if (start == end) continue;
      uint16_t left = columns[images->index[start]];
      uint16_t right = left;
      for (int64_t e = start; e < end; e++) {
        uint16_t column = columns[images->index[e]];
        left = column < left ? column : left;
        right = column > right ? column : right;
      }
      boxes[i] = {
          left, right, (uint16_t)(images->index[start] / images->width),
          (uint16_t)(images->index[end - 1] / images->width)};
    }
  });
  images->boxes = boxes;
  images->columns = columns;
  return true;
}

// The bounding boxes of dense images. Returns whether the memory was enough.
bool make_dense_boxes(Images* images, Team* team) {
  if (images->boxes != nullptr) return true;
  Box* boxes = (Box*)images->memory.take(images->count * sizeof(Box));
  if (images->memory.failed()) return false;
  team->run([=](int member) {
    int64_t last = chunk_start(images->count, 1, member + 1, team->threads());
    for (int64_t i = chunk_start(images->count, 1, member, team->threads()); i < last; i++) {
      const uint8_t* row = images->bytes + i * images->stride;
      Box box = {UINT16_MAX, 0, UINT16_MAX, 0};
      for (int64_t y = 0; y < images->height; y++, row += images->width) {
        for (int64_t x = 0; x < images->width; x++) {
          if (row[x] == 0) continue;
          box.left = x < box.left ? (uint16_t)x : box.left;
          box.right = x > box.right ? (uint16_t)x : box.right;
          box.top = y < box.top ? (uint16_t)y : box.top;
          box.bottom = (uint16_t)y;
        }
      }
      boxes[i] = box.left == UINT16_MAX ? Box{} : box;
    }
  });
  images->boxes = boxes;
  return true;
}

// Copies dense images so that each has at least `gap` zeros in front of it and behind it: then one that stays in the
// frame is shifted by reading it at an offset. Frees what it had made before. Returns whether the memory was enough.
bool make_gaps(Images* images, Team* team, int64_t gap, Arena* memory) {
  if (gap <= images->gap) return true;
  Arena larger = {};
  int64_t stride = padded(images->inputs, 64) + gap;
  uint8_t* bytes = (uint8_t*)larger.take(gap + images->count * stride);
  if (larger.failed()) {
    larger.close();
    return false;
  }
  bytes += gap;
  copy_images(images, team, images->bytes, images->stride, bytes, stride);
  memory->close();
  *memory = larger;
  images->bytes = bytes;
  images->stride = stride;
  images->gap = gap;
  return true;
}

// Where the bytes of a training image stand after its shift, if it has one. Those of an image that is shifted partly
// out of the frame are copied to buffer number `place` of buffers, u8 [places, padded inputs].
INLINE const uint8_t* shifted_bytes(const Images* images, int64_t image, uint8_t* buffers, int64_t place) {
  const uint8_t* bytes = images->bytes + image * images->stride;
  if (images->shifts == nullptr) return bytes;
  Shift shift = shift_of(images, image);
  if (shift.inside) return bytes - shift.offset;
  uint8_t* buffer = buffers + place * padded(images->inputs, LINE);
  shift_bytes(bytes, images->height, images->width, images->shifts[image], buffer);
  return buffer;
}

// Copies the row of an image without what moves out of the frame, with the indices after the shift; returns its length,
// padding included.
int64_t clip(const Images* images, int64_t image, const Shift& shift, uint16_t* index, uint8_t* value) {
  int64_t n = 0;
  for (int64_t e = images->row_start[image]; e < images->row_start[image + 1]; e++) {
    int64_t p = images->index[e] + shift.offset;
    int64_t column = images->columns[images->index[e]] + shift.dx;
    index[n] = (uint16_t)p;
    value[n] = images->value[e];
    // Padding has a value of 0.
    n += value[n] != 0 && p >= 0 && p < images->inputs && column >= 0 && column < images->width;
  }
  for (; n % 4 != 0; n++) {
    index[n] = index[n - 1];
    value[n] = 0;
  }
  return n;
}

}  // namespace INSTRUCTION_SET
