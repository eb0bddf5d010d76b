// A set of images as training reads it: as bytes; and as sparse rows (CSR), the nonzero pixels of each image, unless an
// image has more pixels than 16 bits can number.
//
// The length of a sparse row is a multiple of four: it is padded with copies of its last pixel that have a value of 0.
#include "native.h"

namespace INSTRUCTION_SET {

// The number of pixels that a 16-bit index can address.
constexpr int64_t MAX_SPARSE_PIXELS = 1 << 16;

// Pixels of an image that are compressed at a time.
constexpr int64_t PIXELS_AT_ONCE = 2048;

enum Form { FORM_BY_SIZE, FORM_DENSE };

struct Images {
  Arena memory;
  int64_t count;
  int64_t inputs;
  int32_t* targets;
  // bytes [count, stride], zero past the last pixel; null where the rows are sparse and nobody trains with them. In
  // front of each image and behind the last there are `gap` zeros.
  uint8_t* bytes;
  int64_t stride;
  int64_t gap;
  // Dense: a buffer for the nonzero pixels of one image for each member of the team, wide_room(images) apart.
  int32_t* wide_index;
  uint8_t* wide_value;
  // Sparse (CSR): image i has the entries [row_start[i], row_start[i + 1]), padding included. Null where they are
  // dense.
  int64_t* row_start;
  uint16_t* index;
  uint8_t* value;
  // Part m of the pixels, one for each thread, is [bounds[m], bounds[m + 1]). No image has a nonzero pixel outside of
  // [nonzero_start, nonzero_end).
  int64_t* bounds;
  int64_t nonzero_start, nonzero_end;
  // While an epoch shifts the images: (dx, dy) of each image; else null. Pixels move by at most `reach` places.
  // shifts.cpp documents the rest.
  const int32_t* shifts;
  int64_t reach;
  int64_t height, width;
  struct Box* boxes;
  uint16_t* columns;
  uint16_t* clipped_index;
  uint8_t* clipped_value;
};

INLINE int64_t padded(int64_t count, int64_t unit) { return (count + unit - 1) / unit * unit; }

// Entries of one member's buffer, whole cache lines.
INLINE int64_t wide_room(const Images* images) { return padded(images->inputs + 4, 64); }

INLINE int64_t count_nonzero_pixels(const uint8_t* pixels, int64_t inputs) {
  int64_t sum = 0;
  for (int64_t first = 0; first < inputs; first += 128) {
    int64_t end = first + 128 < inputs ? first + 128 : inputs;
    uint8_t some = 0;
    for (int64_t p = first; p < end; p++) some = (uint8_t)(some + (pixels[p] != 0));
    sum += some;
  }
  return sum;
}

// Copies the nonzero ones of `count` pixels, the first of which has index `first`; returns how many there are. Writes
// one entry more.
INLINE int64_t copy_nonzero(const uint8_t* pixels, int64_t count, int64_t first, uint16_t* index, uint8_t* value) {
  int64_t n = 0;
  for (int64_t p = 0; p < count; p++) {
    index[n] = (uint16_t)(first + p);
    value[n] = pixels[p];
    n += pixels[p] != 0;
  }
  return n;
}

// Partitions the pixels into a part for each thread, in multiples of SIDE, so that each has about as many nonzero ones,
// estimated from a sample of the images; as many pixels where the images are dense.
void partition_pixels(Images* images, int threads) {
  int64_t squares = padded(images->inputs, SIDE) / SIDE;
  int64_t* weights = (int64_t*)images->memory.take(squares * sizeof(int64_t));
  images->bounds = (int64_t*)images->memory.take((threads + 1) * sizeof(int64_t));
  if (images->memory.failed()) return;
  images->nonzero_start = images->row_start != nullptr ? images->inputs : 0;
  images->nonzero_end = images->row_start != nullptr ? 0 : images->inputs;
  for (int64_t i = 0; i < images->count && images->row_start != nullptr; i++) {
    int64_t start = images->row_start[i];
    int64_t end = images->row_start[i + 1];
    if (start == end) continue;
    if (images->index[start] < images->nonzero_start) images->nonzero_start = images->index[start];
    if (images->index[end - 1] >= images->nonzero_end) images->nonzero_end = images->index[end - 1] + 1;
  }
  int64_t total = 0;
  for (int64_t s = 0; s < squares; s++) total += weights[s] = 1;
  for (int64_t i = 0; i < images->count && images->row_start != nullptr; i += 1 + images->count / 1024) {
    for (int64_t e = images->row_start[i]; e < images->row_start[i + 1]; e++) weights[images->index[e] / SIDE]++;
    total += images->row_start[i + 1] - images->row_start[i];
  }
  int64_t sum = 0;
  int64_t s = 0;
  for (int m = 1; m < threads; m++) {
    while (s < squares && (sum + weights[s] / 2) * threads < total * m) sum += weights[s++];
    images->bounds[m] = s * SIDE;
  }
  images->bounds[threads] = squares * SIDE;
}

void make_sparse_rows(Images* images, Team* team, const uint8_t* pixels) {
  int threads = team->threads();
  int64_t count = images->count;
  Arena& memory = images->memory;
  images->index = (uint16_t*)memory.take(images->row_start[count] * sizeof(uint16_t));
  images->value = (uint8_t*)memory.take(images->row_start[count]);
  if (memory.failed()) return;
  team->run([=](int member) {
    int64_t end = chunk_start(count, 1, member + 1, threads);
    // In a buffer of its own, since the member that has the next image writes right behind.
    uint16_t index[PIXELS_AT_ONCE + 1];
    uint8_t value[PIXELS_AT_ONCE + 1];
    for (int64_t i = chunk_start(count, 1, member, threads); i < end; i++) {
      int64_t at = images->row_start[i];
      for (int64_t p = 0; p < images->inputs; p += PIXELS_AT_ONCE) {
        int64_t some = images->inputs - p < PIXELS_AT_ONCE ? images->inputs - p : PIXELS_AT_ONCE;
        int64_t n = copy_nonzero(pixels + i * images->inputs + p, some, p, index, value);
        memcpy(images->index + at, index, n * sizeof(uint16_t));
        memcpy(images->value + at, value, n);
        at += n;
      }
      for (; at < images->row_start[i + 1]; at++) images->index[at] = images->index[at - 1];
    }
  });
}

// Copies all images, which are so many bytes apart.
void copy_images(
    const Images* images, Team* team, const uint8_t* from, int64_t from_stride, uint8_t* to, int64_t to_stride) {
  team->run([=](int member) {
    int64_t end = chunk_start(images->count, 1, member + 1, team->threads());
    for (int64_t i = chunk_start(images->count, 1, member, team->threads()); i < end; i++) {
      memcpy(to + i * to_stride, from + i * from_stride, images->inputs);
    }
  });
}

void copy_bytes(Images* images, Team* team, const uint8_t* pixels) {
  // Enough for shifts of small images by a pixel or two.
  images->gap = LINE;
  images->stride = padded(images->inputs, LINE) + images->gap;
  images->bytes = (uint8_t*)images->memory.take(images->gap + images->count * images->stride);
  if (images->memory.failed()) return;
  images->bytes += images->gap;
  copy_images(images, team, pixels, images->inputs, images->bytes, images->stride);
}

void make_wide_buffers(Images* images, Team* team) {
  images->wide_index = (int32_t*)images->memory.take(team->threads() * wide_room(images) * sizeof(int32_t));
  images->wide_value = (uint8_t*)images->memory.take(team->threads() * wide_room(images));
}

void destroy_images(Images* images) {
  if (images != nullptr) {
    images->memory.close();
    release(images);
  }
}

// Counts the nonzero pixels of each image and fills row_start.
void count_nonzero(Images* images, Team* team, const uint8_t* pixels) {
  int64_t count = images->count;
  int64_t* row_start = images->row_start = (int64_t*)images->memory.take((count + 1) * sizeof(int64_t));
  if (images->memory.failed()) return;
  team->run([=](int member) {
    int64_t end = chunk_start(count, 1, member + 1, team->threads());
    for (int64_t i = chunk_start(count, 1, member, team->threads()); i < end; i++) {
      row_start[i + 1] = count_nonzero_pixels(pixels + i * images->inputs, images->inputs);
    }
  });
  for (int64_t i = 0; i < count; i++) row_start[i + 1] = row_start[i] + padded(row_start[i + 1], 4);
}

// pixels u8 [count, inputs], targets i32 [count]. trained: whether they are trained with, not measured alone. Null
// where the memory is too small.
Images* create_images(
    Team* team, const uint8_t* pixels, const int32_t* targets, int64_t count, int64_t inputs, int form, bool trained) {
  Images* images = (Images*)allocate(sizeof(Images));
  if (images == nullptr) return nullptr;
  Arena& memory = images->memory;
  images->count = count;
  images->inputs = inputs;
  images->targets = (int32_t*)memory.take(count * sizeof(int32_t));
  if (!memory.failed()) memcpy(images->targets, targets, count * sizeof(int32_t));
  bool sparse = form == FORM_BY_SIZE && inputs <= MAX_SPARSE_PIXELS;
  if (sparse && !memory.failed()) count_nonzero(images, team, pixels);
  if (sparse && !memory.failed()) make_sparse_rows(images, team, pixels);
  if (!sparse && !memory.failed()) make_wide_buffers(images, team);
  if ((!sparse || trained) && !memory.failed()) copy_bytes(images, team, pixels);
  if (trained && !memory.failed()) partition_pixels(images, team->threads());
  if (memory.failed()) {
    destroy_images(images);
    return nullptr;
  }
  return images;
}

}  // namespace INSTRUCTION_SET
