// The three products of a convolution: forward, the gradient of its weights, and the gradient at its image. Each is the
// walk of gemm.cpp, with rows that are pointers into images, so no patch of an image is ever copied:
//
//   forward             rows: positions of the window   walk: what a window covers   b: weights
//   gradient of weights rows: weights of an output      walk: images, positions      b: gradient at the output
//   gradient at image   rows: positions                 walk: outputs                b: weights, transposed
//
// Images are [height, width, channels] with the border of zeros that their reader wants; channels are padded to a
// multiple of 16 with zeros, except in the images of the first layer. Lanes are output channels (channels of the image
// in the last of the three). docs/determinism.md has the order of each sum.
#include "native.h"

namespace INSTRUCTION_SET {

// A window is square: kernel x kernel pixels, moved by `stride` pixels over an image with a border of zeros. Places are
// offsets in floats.
struct Window {
  int64_t height, width, channels, outputs, kernel, stride, border;
  int64_t output_height, output_width;
  // Weights of an output, (ky, kx, c), and positions, (y, x).
  int64_t inputs, positions;
  // Floats of a pixel, of a row of pixels and of an image as it is read, and of the image that is made.
  int64_t pixel, row, image;
  int64_t output_pixel, output_row, output_image;
  // [group, positions]: where the window at a position of an image starts, and where its output is.
  int64_t* place;
  int64_t* output_place;
  // [inputs]: where a weight's value is in the window.
  int64_t* input_place;
  // Images of a group, whose part of the weights' gradient is summed apart.
  int64_t group;
};

// Where the steps of a walk are.
struct Contiguous {
  INLINE_MEMBER int64_t place(int64_t p) const { return p; }
};
struct Places {
  const int64_t* places;
  INLINE_MEMBER int64_t place(int64_t p) const { return places[p]; }
};

// Rows of the left factor that are anywhere, and rows of the right one.
template <typename Steps>
struct PointerRows : Steps {
  const float* row[TILE_ROWS];
  INLINE_MEMBER float at(int i, int64_t place) const { return row[i][place]; }
};
struct PlacedSteps : Places {
  const float* b;
  INLINE_MEMBER const float* at(int64_t p) const { return b + places[p]; }
};

// Rows of the left factor, and behind them a row of ones.
struct RowsAndOnes : PointerRows<Places> {
  INLINE_MEMBER float at(int i, int64_t place) const { return i == TILE_ROWS ? 1.0f : row[i][place]; }
};

// The terms of one part of a weight's gradient, at least.
constexpr int64_t GROUP_TERMS = 128;

// The floats from one image to the next: an odd number of cache lines, so that images do not share cache sets.
INLINE int64_t image_stride(int64_t floats) { return padded(floats, PANEL) + LANES; }

// shape: height, width, channels, outputs, kernel, stride, border. is_first: whether it reads the images of the data
// set. next_border: what the reader of its output wants.
void create_window(Window* window, Arena& memory, const int32_t* shape, bool is_first, int64_t next_border) {
  Window& w = *window;
  w.height = shape[0];
  w.width = shape[1];
  w.channels = shape[2];
  w.outputs = shape[3];
  w.kernel = shape[4];
  w.stride = shape[5];
  w.border = shape[6];
  w.output_height = (w.height + 2 * w.border - w.kernel) / w.stride + 1;
  w.output_width = (w.width + 2 * w.border - w.kernel) / w.stride + 1;
  w.inputs = w.kernel * w.kernel * w.channels;
  w.positions = w.output_height * w.output_width;
  w.pixel = is_first ? w.channels : padded(w.channels, LANES);
  w.row = (w.width + 2 * w.border) * w.pixel;
  w.image = image_stride((w.height + 2 * w.border) * w.row);
  w.output_pixel = padded(w.outputs, LANES);
  w.output_row = (w.output_width + 2 * next_border) * w.output_pixel;
  w.output_image = image_stride((w.output_height + 2 * next_border) * w.output_row);
  w.group = 1;
  while (w.group * w.positions < GROUP_TERMS) w.group *= 2;
  w.place = (int64_t*)memory.take(w.group * w.positions * sizeof(int64_t));
  w.output_place = (int64_t*)memory.take(w.group * w.positions * sizeof(int64_t));
  w.input_place = (int64_t*)memory.take(w.inputs * sizeof(int64_t));
  if (memory.failed()) return;
  for (int64_t p = 0; p < w.group * w.positions; p++) {
    int64_t image = p / w.positions;
    int64_t y = p % w.positions / w.output_width;
    int64_t x = p % w.positions % w.output_width;
    w.place[p] = image * w.image + y * w.stride * w.row + x * w.stride * w.pixel;
    w.output_place[p] = image * w.output_image + (y + next_border) * w.output_row + (x + next_border) * w.output_pixel;
  }
  for (int64_t i = 0; i < w.inputs; i++) {
    int64_t tap = i / w.channels;
    w.input_place[i] = tap / w.kernel * w.row + tap % w.kernel * w.pixel + i % w.channels;
  }
}

// How many vectors of a row of a product are computed together.
template <int COUNT>
struct Wide {
  static constexpr int VECTORS = COUNT;
};

// Calls work(j, Wide) for the columns [0, columns), a multiple of 16, as many at a time as a tile has, but at most
// `max_columns`.
template <typename Work>
INLINE void each_strip(int64_t columns, int64_t max_columns, const Work& work) {
  int64_t j = 0;
  for (; TILE_LANES * LANES <= max_columns && j + TILE_LANES * LANES <= columns; j += TILE_LANES * LANES) {
    work(j, Wide<TILE_LANES>());
  }
  for (; j < columns; j += LANES) work(j, Wide<1>());
}

// Calls work(place, output_place, count) for the positions in all images, as many at a time as a tile has rows: where
// the window and the output of each row are. Rows past `count` repeat the last one.
template <typename Work>
INLINE void each_tile(const Window& w, int64_t images, const Work& work) {
  int64_t place[TILE_ROWS], output_place[TILE_ROWS];
  int64_t left = images * w.positions;
  int64_t image = 0;
  int64_t output_image = 0;
  int64_t position = 0;
  for (; left > 0; left -= TILE_ROWS) {
    for (int64_t i = 0; i < TILE_ROWS; i++) {
      place[i] = image + w.place[position];
      output_place[i] = output_image + w.output_place[position];
      if (i + 1 >= left) continue;
      if (++position == w.positions) {
        position = 0;
        image += w.image;
        output_image += w.output_image;
      }
    }
    work(place, output_place, left < TILE_ROWS ? left : TILE_ROWS);
  }
}

// An image of bytes as the first layer reads it, each pixel / 255; moved by (dx, dy), with zeros where it came from.
void window_image(const Window& w, const uint8_t* pixels, int64_t dx, int64_t dy, float* to) {
  if (dx != 0 || dy != 0) memset(to, 0, w.image * sizeof(float));
  int64_t left = dx > 0 ? dx : 0;
  int64_t count = (w.width - (dx < 0 ? -dx : dx)) * w.pixel;
  int64_t end = dy < 0 ? w.height + dy : w.height;
  for (int64_t y = dy > 0 ? dy : 0; y < end && count > 0; y++) {
    const uint8_t* from = pixels + ((y - dy) * w.width + left - dx) * w.pixel;
    float* row = to + (y + w.border) * w.row + (left + w.border) * w.pixel;
    if (count < LANES) {
      for (int64_t x = 0; x < count; x++) row[x] = normalized(from[x]);
      continue;
    }
    // The last sixteen may overlap those before.
    for (int64_t x = 0; x < count; x += LANES) {
      int64_t at = x + LANES <= count ? x : count - LANES;
      store(row + at, normalized_pixels(load_bytes(from + at)));
    }
  }
}

// output = max(0, weights * window + bias). weights [panels, inputs, 32], bias [padded outputs].
void window_forward(
    const Window& w, int64_t images, const float* from, const float* weights, const float* bias, float* to) {
  each_strip(w.output_pixel, PANEL, [&](int64_t j, auto wide) {
    constexpr int VECTORS = decltype(wide)::VECTORS;
    const float* b = weights + j / PANEL * w.inputs * PANEL + j % PANEL;
    each_tile(w, images, [&](const int64_t* place, const int64_t* output_place, int64_t) {
      PointerRows<Places> rows = {{w.input_place}, {}};
      for (int i = 0; i < TILE_ROWS; i++) rows.row[i] = from + place[i];
      Lanes sums[TILE_ROWS][VECTORS] = {};
      walk(w.inputs, rows, EvenSteps{b, PANEL}, sums);
#pragma GCC unroll 12
      for (int i = 0; i < TILE_ROWS; i++) {
        float* output = to + output_place[i] + j;
        for (int l = 0; l < VECTORS; l++) store(output + l * LANES, relu(add(sums[i][l], load(bias + j + l * LANES))));
      }
    });
  });
}

// The gradient at the image, through the ReLU that made it, from that at the output. values: the image. transposed
// [panels of columns (ky, kx, padded c), outputs, 32].
void window_delta(
    const Window& w, int64_t images, const float* output_delta, const float* transposed, const float* values,
    float* delta) {
  memset(delta, 0, images * w.image * sizeof(float));
  // A strip may belong to two windows' weights. Those that are neighbours have pixels in common where the stride is 1,
  // whose sums would be added in another order.
  int64_t max_columns = w.stride > 1 || w.pixel % PANEL == 0 ? PANEL : LANES;
  each_strip(w.kernel * w.kernel * w.pixel, max_columns, [&](int64_t j, auto wide) {
    constexpr int VECTORS = decltype(wide)::VECTORS;
    const float* b = transposed + j / PANEL * w.outputs * PANEL + j % PANEL;
    int64_t offset[VECTORS];
    for (int l = 0; l < VECTORS; l++) {
      int64_t tap = (j + l * LANES) / w.pixel;
      offset[l] = tap / w.kernel * w.row + tap % w.kernel * w.pixel + (j + l * LANES) % w.pixel;
    }
    each_tile(w, images, [&](const int64_t* place, const int64_t* output_place, int64_t count) {
      PointerRows<Contiguous> rows;
      for (int i = 0; i < TILE_ROWS; i++) rows.row[i] = output_delta + output_place[i];
      Lanes sums[TILE_ROWS][VECTORS] = {};
      walk(w.outputs, rows, EvenSteps{b, PANEL}, sums);
#pragma GCC unroll 12
      for (int i = 0; i < TILE_ROWS; i++) {
        if (i >= count) break;
        for (int l = 0; l < VECTORS; l++) {
          float* at = delta + place[i] + offset[l];
          store(at, add(load(at), sums[i][l]));
        }
      }
    });
  });
  for (int64_t i = 0; i < images * w.image; i++) {
    delta[i] = activation_backward(ACTIVATION_RELU, values[i], delta[i]);
  }
}

// What the gradient of the weights costs: tiles times positions.
INLINE int64_t window_work(const Window& w) {
  return padded(w.outputs, PANEL) / PANEL * (padded(w.inputs, TILE_ROWS) / TILE_ROWS) * w.positions;
}

// One part of the gradient of weights, that of at most a group of images: of the inputs [i0, i0 + TILE_ROWS), as many
// as there are, for the outputs of one strip; with Rows that end with ones, of the bias too. adds: whether it is added
// to what the gradient holds. gradient [inputs, 32].
template <int VECTORS, typename Rows, int ROWS>
INLINE void window_gradient_strip(
    const Window& w, int64_t images, const float* from, const float* output_delta, bool adds, int64_t i0,
    float* gradient, float* bias_gradient) {
  int64_t count = w.inputs - i0 < TILE_ROWS ? w.inputs - i0 : TILE_ROWS;
  Rows rows;
  rows.places = w.place;
  for (int i = 0; i < TILE_ROWS; i++) rows.row[i] = from + w.input_place[i0 + (i < count ? i : 0)];
  Lanes sums[ROWS][VECTORS] = {};
  walk(images * w.positions, rows, PlacedSteps{{w.output_place}, output_delta}, sums);
#pragma GCC unroll 13
  for (int i = 0; i < ROWS; i++) {
    if (i >= count && i < TILE_ROWS) continue;
    float* to = i < TILE_ROWS ? gradient + (i0 + i) * PANEL : bias_gradient;
    for (int l = 0; l < VECTORS; l++) {
      store(to + l * LANES, adds ? add(load(to + l * LANES), sums[i][l]) : sums[i][l]);
    }
  }
}

// The same for a panel of 32 outputs. gradient [inputs, 32], bias_gradient [32].
void window_gradient(
    const Window& w, int64_t images, const float* from, const float* output_delta, bool adds, int64_t i0, int64_t panel,
    float* gradient, float* bias_gradient) {
  int64_t left = w.output_pixel - panel * PANEL;
  each_strip(left < PANEL ? left : PANEL, PANEL, [&](int64_t j, auto wide) {
    constexpr int VECTORS = decltype(wide)::VECTORS;
    const float* delta = output_delta + panel * PANEL + j;
    if (i0 == 0) {
      window_gradient_strip<VECTORS, RowsAndOnes, TILE_ROWS + 1>(
          w, images, from, delta, adds, i0, gradient + j, bias_gradient + j);
    } else {
      window_gradient_strip<VECTORS, PointerRows<Places>, TILE_ROWS>(
          w, images, from, delta, adds, i0, gradient + j, nullptr);
    }
  });
}

}  // namespace INSTRUCTION_SET
