// Runs every kernel of a module of PTX at awkward sizes against plain loops in double, each launch in several orders of
// its blocks and warps, which must give the same bits. Prints what it finds and exits with 1, or tells how many
// elements agree.
//
//   kernel_check all.ptx
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <functional>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "element_math.h"
#include "ptx/machine.h"

namespace {

using ptx::Orders;

constexpr unsigned THREADS = 256;
constexpr double EPSILON = 1.0 / (1 << 23);

ptx::Memory memory;
std::shared_ptr<ptx::Module> module;
int checks = 0;
std::mt19937 generator(5);

[[noreturn]] void die(const std::string& sentence) {
  printf("%s\n", sentence.c_str());
  exit(1);
}

// Memory of the exact size, of which kernels may read what the host has written.
template <typename T>
struct Buffer {
  size_t size;
  T* values;

  explicit Buffer(size_t size) : size(size), values((T*)calloc(size == 0 ? 1 : size, sizeof(T))) {
    memory.add((char*)values, size * sizeof(T), true);
  }
  Buffer(const Buffer& other) : Buffer(other.size) { *this = other; }
  ~Buffer() {
    memory.remove((char*)values);
    free(values);
  }
  Buffer& operator=(const Buffer& other) {
    if (this != &other) memcpy(values, other.values, size * sizeof(T));
    return written();
  }
  Buffer& written() {
    memory.written(values, size * sizeof(T));
    return *this;
  }
  T& operator[](size_t i) { return values[i]; }
  T operator[](size_t i) const { return values[i]; }
  bool same_bits(const Buffer& other) const { return memcmp(values, other.values, size * sizeof(T)) == 0; }
};

Buffer<float> random_floats(size_t size, float scale = 1) {
  Buffer<float> buffer(size);
  std::normal_distribution<float> normal(0, scale);
  for (size_t i = 0; i < size; i++) buffer[i] = normal(generator);
  return buffer.written();
}

Buffer<int> random_ints(size_t size, int below) {
  Buffer<int> buffer(size);
  for (size_t i = 0; i < size; i++) buffer[i] = (int)(generator() % below);
  return buffer.written();
}

template <typename... A>
void launch(const std::string& name, const Orders& orders, ptx::Dim3 grid, unsigned threads, A... arguments) {
  auto found = module->kernels.find(name);
  if (found == module->kernels.end()) die("no kernel " + name);
  const ptx::Kernel& kernel = *found->second;
  size_t sizes[] = {sizeof(A)...};
  const void* values[] = {&arguments...};
  if (kernel.parameters.size() != sizeof...(A)) die(name + " takes another number of parameters");
  std::vector<char> parameters(kernel.parameter_bytes);
  for (size_t i = 0; i < sizeof...(A); i++) {
    const ptx::Parameter& parameter = kernel.parameters[i];
    if (sizes[i] != parameter.bytes) die(name + ": parameter " + std::to_string(i) + " has another size");
    memcpy(parameters.data() + parameter.offset, values[i], sizes[i]);
  }
  if (threads > kernel.most_threads) die(name + " allows fewer threads");
  static std::map<std::string, ptx::Cost> costs;
  try {
    ptx::run(kernel, grid, {threads, 1, 1}, 0, parameters.data(), memory, orders, costs[name]);
  } catch (const ptx::Finding& finding) {
    die(finding.sentence);
  }
}

template <typename T>
void in_every_order(const std::string& what, Buffer<T>& output, const std::function<void(const Orders&)>& launches) {
  Buffer<T> before(output);
  launches({Orders::ASCENDING, 0, 1});
  Buffer<T> first(output);
  for (const Orders& orders : {Orders{Orders::DESCENDING, 0, 2}, {Orders::RANDOM, 3, 2}, {Orders::RANDOM, 4, 7}}) {
    output = before;
    launches(orders);
    if (!output.same_bits(first)) die(what + ": the bits depend on the order of blocks or warps");
  }
}

void check(const std::string& what, size_t i, double expected, double actual, double tolerance) {
  checks++;
  if (fabs(expected - actual) <= tolerance) return;
  char text[200];
  snprintf(text, sizeof text, ": element %zu is %.9g, expected %.9g within %.3g", i, actual, expected, tolerance);
  die(what + text);
}

unsigned blocks_for(size_t elements) { return (unsigned)((elements + THREADS - 1) / THREADS); }

void gather(int rows, int width, int first) {
  std::string what = "gather " + std::to_string(rows) + " x " + std::to_string(width);
  int images = rows + 3;
  Buffer<int> labels = random_ints(images, 10), order = random_ints(first + rows, images), targets(rows);
  Buffer<uint8_t> pixels((size_t)images * width);
  for (size_t i = 0; i < pixels.size; i++) pixels[i] = (uint8_t)generator();
  pixels.written();
  Buffer<float> x((size_t)rows * width);
  in_every_order(what, x, [&](const Orders& o) {
    launch(
        "gather", o, {(unsigned)rows}, THREADS, (const uint8_t*)pixels.values, (const int*)labels.values,
        (const int*)order.values, first, width, x.values, targets.values);
  });
  for (int r = 0; r < rows; r++) {
    int image = order[first + r];
    check(what + " targets", r, labels[image], targets[r], 0);
    for (int p = 0; p < width; p++) {
      check(what, (size_t)r * width + p, pixels[(size_t)image * width + p] / 255.0, x[(size_t)r * width + p], EPSILON);
    }
  }
}

void gather_shifted(int rows, int height, int width, int first) {
  std::string what =
      "gather_shifted " + std::to_string(rows) + " x " + std::to_string(height) + " x " + std::to_string(width);
  int images = rows + 3, size = height * width;
  Buffer<int> labels = random_ints(images, 10), order = random_ints(first + rows, images), targets(rows),
              shifts(images);
  for (int i = 0; i < images; i++) {
    bool far = generator() % 4 == 0;
    int dx = far ? (int)(generator() % 256) - 128 : (int)(generator() % 5) - 2;
    int dy = far ? (int)(generator() % 256) - 128 : (int)(generator() % 5) - 2;
    shifts[i] = (dy & 0xff) << 8 | (dx & 0xff);
  }
  shifts.written();
  Buffer<uint8_t> pixels((size_t)images * size);
  for (size_t i = 0; i < pixels.size; i++) pixels[i] = (uint8_t)generator();
  pixels.written();
  Buffer<float> x((size_t)rows * size);
  in_every_order(what, x, [&](const Orders& o) {
    launch(
        "gather_shifted", o, {(unsigned)rows}, THREADS, (const uint8_t*)pixels.values, (const int*)labels.values,
        (const int*)order.values, (const int*)shifts.values, first, height, width, x.values, targets.values);
  });
  for (int r = 0; r < rows; r++) {
    int image = order[first + r];
    check(what + " targets", r, labels[image], targets[r], 0);
    for (int p = 0; p < size; p++) {
      int v = p / width - (int8_t)(shifts[image] >> 8), u = p % width - (int8_t)shifts[image];
      bool exists = v >= 0 && v < height && u >= 0 && u < width;
      double expected = exists ? pixels[(size_t)image * size + v * width + u] / 255.0 : 0;
      check(what, (size_t)r * size + p, expected, x[(size_t)r * size + p], EPSILON);
    }
  }
}

void bias_activation(int rows, int width, int activation) {
  std::string what = "bias_activation " + std::to_string(rows) + " x " + std::to_string(width);
  unsigned elements = rows * width;
  Buffer<float> z = random_floats(elements), bias = random_floats(width), before(z);
  in_every_order(what, z, [&](const Orders& o) {
    launch(
        "bias_activation", o, {blocks_for(elements)}, THREADS, activation, elements, (unsigned)width, bias.values,
        z.values);
  });
  for (unsigned i = 0; i < elements; i++) {
    double sum = (double)before[i] + bias[i % width];
    check(what, i, activation == ACTIVATION_RELU && sum < 0 ? 0 : sum, z[i], EPSILON * fabs(sum));
  }
}

void activation_gradient(unsigned elements, int activation) {
  std::string what = "activation_gradient " + std::to_string(elements);
  Buffer<float> activated = random_floats(elements), delta = random_floats(elements), before(delta);
  in_every_order(what, delta, [&](const Orders& o) {
    launch(
        "activation_gradient", o, {blocks_for(elements)}, THREADS, activation, elements, activated.values,
        delta.values);
  });
  for (unsigned i = 0; i < elements; i++) {
    check(what, i, activation == ACTIVATION_RELU && activated[i] <= 0 ? 0 : before[i], delta[i], 0);
  }
}

void bias_gradient(int rows, int width) {
  std::string what = "bias_gradient " + std::to_string(rows) + " x " + std::to_string(width);
  Buffer<float> delta = random_floats((size_t)rows * width), gradient(width);
  in_every_order(what, gradient, [&](const Orders& o) {
    launch("bias_gradient", o, {(unsigned)(width + 31) / 32}, 1024, rows, width, delta.values, gradient.values);
  });
  for (int j = 0; j < width; j++) {
    double sum = 0, magnitude = 0;
    for (int r = 0; r < rows; r++) {
      sum += delta[(size_t)r * width + j];
      magnitude += fabs(delta[(size_t)r * width + j]);
    }
    check(what, j, sum, gradient[j], EPSILON * rows * magnitude);
  }
}

// Windows of kernel x kernel over images [height, width, channels], out and back.
void unfold_and_fold(int rows, int height, int width, int channels, int kernel, int stride, int border) {
  int output_height = (height + 2 * border - kernel) / stride + 1;
  int output_width = (width + 2 * border - kernel) / stride + 1;
  size_t size = (size_t)height * width * channels;
  size_t count = (size_t)rows * output_height * output_width * kernel * kernel * channels;
  Buffer<float> images = random_floats(rows * size), patches(count), sums(rows * size);
  in_every_order("unfold", patches, [&](const Orders& o) {
    launch(
        "unfold", o, {blocks_for((unsigned)count)}, THREADS, (unsigned)count, height, width, channels, kernel, stride,
        border, output_height, output_width, (const float*)images.values, patches.values);
  });
  in_every_order("fold", sums, [&](const Orders& o) {
    launch(
        "fold", o, {blocks_for((unsigned)sums.size)}, THREADS, (unsigned)sums.size, height, width, channels, kernel,
        stride, border, output_height, output_width, (const float*)patches.values, sums.values);
  });
  std::vector<double> expected(rows * size);
  size_t i = 0;
  for (int r = 0; r < rows; r++) {
    for (int y = 0; y < output_height; y++) {
      for (int x = 0; x < output_width; x++) {
        for (int ky = 0; ky < kernel; ky++) {
          for (int kx = 0; kx < kernel; kx++) {
            int v = y * stride + ky - border, u = x * stride + kx - border;
            bool exists = v >= 0 && v < height && u >= 0 && u < width;
            for (int c = 0; c < channels; c++, i++) {
              size_t at = ((size_t)r * height + v) * width * channels + (size_t)u * channels + c;
              check("unfold", i, exists ? images[at] : 0, patches[i], 0);
              if (exists) expected[at] += patches[i];
            }
          }
        }
      }
    }
  }
  for (size_t at = 0; at < expected.size(); at++) {
    check("fold", at, expected[at], sums[at], EPSILON * kernel * kernel * kernel * kernel * (1 + fabs(images[at])));
  }
}

// Kernel gemm_TILE; a and b row-major as they are, or stored transposed; k in splits of split_depth. The sums
// of a's rows are asked for beside a plain product.
void gemm(int tile, int m, int n, int k, bool a_transposed, bool b_transposed, int epilogue, int split_depth) {
  std::string what = "gemm_" + std::to_string(tile) + " " + std::to_string(m) + " x " + std::to_string(n) + " x " +
                     std::to_string(k) + " in splits of " + std::to_string(split_depth);
  Buffer<float> a = random_floats((size_t)m * k), b = random_floats((size_t)k * n), c((size_t)m * n);
  Buffer<float> other = random_floats(epilogue == 1 ? n : epilogue == 2 ? (size_t)m * n : 0);
  int a_row_stride = a_transposed ? 1 : k, a_column_stride = a_transposed ? m : 1;
  int b_row_stride = b_transposed ? 1 : n, b_column_stride = b_transposed ? k : 1;
  unsigned tiles = (unsigned)(((m + tile - 1) / tile) * ((n + tile - 1) / tile));
  unsigned splits = (unsigned)((k + split_depth - 1) / split_depth);
  Buffer<float> row_sums(epilogue == 0 ? m : 0);
  Buffer<float> partials(splits > 1 ? splits * ((size_t)tiles * tile * tile + (epilogue == 0 ? m : 0)) : 0);
  Buffer<unsigned> counters(splits > 1 ? tiles : 0);
  counters.written();
  in_every_order(what, c, [&](const Orders& o) {
    launch(
        "gemm_" + std::to_string(tile), o, {tiles, splits}, THREADS, m, n, k, (const float*)a.values, a_row_stride,
        a_column_stride, (const float*)b.values, b_row_stride, b_column_stride, c.values, epilogue,
        (int)ACTIVATION_RELU, (const float*)other.values, split_depth,
        epilogue == 0 ? row_sums.values : (float*)nullptr, partials.values, counters.values);
  });
  for (int i = 0; epilogue == 0 && i < m; i++) {
    double sum = 0, magnitude = 0;
    for (int p = 0; p < k; p++) {
      sum += a[(size_t)i * a_row_stride + (size_t)p * a_column_stride];
      magnitude += fabs(a[(size_t)i * a_row_stride + (size_t)p * a_column_stride]);
    }
    check(what + ", sum of row", i, sum, row_sums[i], EPSILON * k * magnitude);
  }
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      double sum = 0, magnitude = 0;
      for (int p = 0; p < k; p++) {
        double term = (double)a[(size_t)i * a_row_stride + (size_t)p * a_column_stride] *
                      b[(size_t)p * b_row_stride + (size_t)j * b_column_stride];
        sum += term;
        magnitude += fabs(term);
      }
      double tolerance = EPSILON * (k + 1) * magnitude;
      size_t at = (size_t)i * n + j;
      if (epilogue == 1) {
        sum += other[j];
        tolerance += EPSILON * fabs(sum);
        if (sum < 0) sum = 0;
      }
      if (epilogue == 2 && other[at] <= 0) sum = 0;
      check(what, at, sum, c[at], tolerance);
    }
  }
}

double sigmoid_of(double z) { return 1 / (1 + exp(-z)); }

// The loss of a row in double, its gradient at each logit in `gradients`.
double row_loss(int loss, const float* z, int outputs, int target, double* dlogits) {
  if (loss == LOSS_CROSS_ENTROPY) {
    double largest = z[0], sum = 0;
    for (int j = 1; j < outputs; j++) largest = fmax(largest, z[j]);
    for (int j = 0; j < outputs; j++) sum += exp(z[j] - largest);
    for (int j = 0; j < outputs; j++) dlogits[j] = exp(z[j] - largest) / sum - (j == target);
    return log(sum) + largest - z[target];
  }
  double sign = target == 0 ? -1 : 1;
  double s = sigmoid_of(sign * z[0]);
  dlogits[0] = sign * (loss == LOSS_MNIST ? s * (1 - s) : s);
  return loss == LOSS_MNIST ? s : fmax(sign * z[0], 0) + log1p(exp(-fabs(z[0])));
}

void loss_and_evaluate(int loss, int rows, int outputs, unsigned blocks) {
  std::string what = "loss " + std::to_string(loss) + " of " + std::to_string(rows) + " x " + std::to_string(outputs);
  Buffer<float> logits = random_floats((size_t)rows * outputs, 4), dlogits((size_t)rows * outputs);
  Buffer<int> targets = random_ints(rows, outputs == 1 ? 2 : outputs);
  Buffer<double> metrics(2), partials(2 * blocks);
  Buffer<unsigned> counter(1);
  metrics.written();
  counter.written();
  in_every_order(what, metrics, [&](const Orders& o) {
    launch(
        "loss", o, {blocks}, THREADS, loss, rows, outputs, (const float*)logits.values, (const int*)targets.values,
        dlogits.values, metrics.values, partials.values, counter.values);
  });
  std::vector<double> expected(outputs);
  double sum = 0, magnitude = 0;
  int correct = 0;
  for (int r = 0; r < rows; r++) {
    const float* z = logits.values + (size_t)r * outputs;
    double largest = 0;
    for (int j = 0; j < outputs; j++) largest = fmax(largest, fabs(z[j]));
    sum += row_loss(loss, z, outputs, targets[r], expected.data());
    magnitude += 1 + largest;
    for (int j = 0; j < outputs; j++) {
      size_t at = (size_t)r * outputs + j;
      check(what + " gradient", at, expected[j] / rows, dlogits[at], 8 * EPSILON * (outputs + largest) / rows);
    }
    int named = 0;
    for (int j = 1; j < outputs; j++) named = z[j] > z[named] ? j : named;
    correct += outputs == 1 ? (z[0] > 0) == (targets[r] == 0) : named == targets[r];
  }
  check(what, 0, sum, metrics[0], 8 * EPSILON * outputs * magnitude);
  check(what, 1, 0, metrics[1], 0);

  Buffer<double> evaluated(2);
  evaluated.written();
  in_every_order(what, evaluated, [&](const Orders& o) {
    launch(
        "evaluate", o, {blocks}, THREADS, loss, rows, outputs, (const float*)logits.values, (const int*)targets.values,
        evaluated.values, partials.values, counter.values);
  });
  check("evaluate", 0, sum, evaluated[0], 8 * EPSILON * outputs * magnitude);
  check("evaluate", 1, correct, evaluated[1], 0);
}

void update_sgd(unsigned n, float momentum, float decay) {
  Buffer<float> w = random_floats(n), g = random_floats(n), moments = random_floats(momentum != 0 ? n : 0),
                step_parameters = random_floats(12);
  Buffer<float> w_before(w), moments_before(moments);
  in_every_order("update_sgd", w, [&](const Orders& o) {
    moments = moments_before;
    launch(
        "update_sgd", o, {blocks_for(n)}, THREADS, n, w.values, (const float*)g.values, moments.values,
        (const float*)step_parameters.values, 2, momentum, decay);
  });
  for (unsigned i = 0; i < n; i++) {
    double gradient = g[i] + (double)decay * w_before[i];
    double magnitude = fabs(g[i]) + fabs(decay * w_before[i]);
    if (momentum != 0) {
      gradient += (double)momentum * moments_before[i];
      magnitude += fabs(momentum * moments_before[i]);
      check("update_sgd moments", i, gradient, moments[i], 4 * EPSILON * magnitude);
    }
    check(
        "update_sgd", i, w_before[i] - step_parameters[8] * gradient, w[i],
        8 * EPSILON * (fabs(w_before[i]) + fabs(step_parameters[8]) * magnitude));
  }
}

void update_adam(unsigned n, float decay, int decoupled) {
  Buffer<float> w = random_floats(n), g = random_floats(n), moments = random_floats(2 * (size_t)n), step_parameters(12);
  for (size_t i = n; i < moments.size; i++) moments[i] = fabsf(moments[i]) + 0.01f;
  step_parameters[8] = 0.001f;
  step_parameters[9] = 0.01f;
  step_parameters[10] = 0.5f;
  step_parameters[11] = 0.99f;
  step_parameters.written();
  Buffer<float> w_before(w), moments_before(moments);
  in_every_order("update_adam", w, [&](const Orders& o) {
    moments = moments_before;
    launch(
        "update_adam", o, {blocks_for(n)}, THREADS, n, w.values, (const float*)g.values, moments.values,
        (const float*)step_parameters.values, 2, decay, decoupled);
  });
  for (unsigned i = 0; i < n; i++) {
    double weight = decoupled ? (double)step_parameters[11] * w_before[i] : w_before[i];
    double gradient = decoupled ? g[i] : g[i] + (double)decay * weight;
    double m = moments_before[i] + 0.1 * (gradient - moments_before[i]);
    double v = 0.999 * moments_before[n + i] + 0.001 * gradient * gradient;
    double step = step_parameters[9] * m / (sqrt(v) / step_parameters[10] + 1e-8);
    double magnitude = fabs(moments_before[i]) + fabs(g[i]) + fabs(decay * weight);
    check("update_adam mean", i, m, moments[i], 4 * EPSILON * magnitude);
    check("update_adam square", i, v, moments[n + i], 8 * EPSILON * (v + magnitude * magnitude));
    check(
        "update_adam", i, weight - step, w[i],
        16 * EPSILON * (fabs(weight) + fabs(step_parameters[9]) * magnitude / sqrt(v)));
  }
}

// The chains x = x / 2 + 1 come to 2 from wherever they begin.
void multiply_adds(unsigned blocks) {
  Buffer<float> sums(blocks * THREADS);
  in_every_order("multiply_adds", sums, [&](const Orders& o) {
    launch("multiply_adds", o, {blocks}, THREADS, 100, 0.5f, 1.0f, sums.values);
  });
  for (size_t i = 0; i < sums.size; i++) check("multiply_adds", i, 16, sums[i], 0);
  Buffer<float> begun(THREADS);
  launch("multiply_adds", Orders(), {1}, THREADS, 1, 1.0f, 0.5f, begun.values);
  for (size_t i = 0; i < THREADS; i++) check("one step of multiply_adds", i, 8 * (double)i + 28 + 4, begun[i], 0);
}

// Two models of two layers, two steps of plain gradient descent each, the second over a shorter batch.
void exact_sweep() {
  const int height = 3, width = 4, inputs = height * width, hidden = 5, batch = 9, row_floats = 64;
  const int bias = inputs * 32, last = bias + 32, last_bias = last + 32, size = last_bias + 32;
  const int counts[] = {17, 10};
  const int images = counts[0] + counts[1];
  Buffer<int> layout(18), plan(13), models(10);
  const int layers[] = {inputs, hidden, 1, 32, 0, bias, 0, 32, 0, hidden, 1, 0, 32, last, last_bias, 0, 32, 32};
  const int common[] = {LOSS_BCE, 2, height, width, batch, batch, row_floats, size, 1, 0, 0, 0, 0};
  const int described[] = {0, counts[0], 0, 0, 0, 1, counts[1], counts[0], counts[0], 2};
  std::copy(std::begin(layers), std::end(layers), layout.values);
  std::copy(std::begin(common), std::end(common), plan.values);
  std::copy(std::begin(described), std::end(described), models.values);
  layout.written(), plan.written(), models.written();
  Buffer<uint8_t> pixels((size_t)images * inputs);
  for (size_t i = 0; i < pixels.size; i++) pixels[i] = generator() % 3 == 0 ? (uint8_t)generator() : 0;
  pixels.written();
  Buffer<int> labels = random_ints(images, 2), order(images);
  for (int model = 0; model < 2; model++) {
    int first = model * counts[0];
    for (int i = 0; i < counts[model]; i++) order[first + i] = counts[model] - 1 - i;
  }
  order.written();
  Buffer<float> step_parameters(16), values(2 * size), h(2 * batch * row_floats), d(2 * batch * row_floats),
      losses(images), gradient(1), transposed(1);
  for (int step = 0; step < 4; step++) step_parameters[4 * step] = 0.5f;
  step_parameters.written();
  // Padding is read, and zero.
  h.written();
  d.written();
  for (int model = 0; model < 2; model++) {
    float* w = values.values + model * size;
    for (int o = 0; o < hidden; o++) {
      for (int p = 0; p < inputs; p++) w[p * 32 + o] = random_floats(1)[0];
      w[bias + o] = random_floats(1)[0];
      w[last + o] = random_floats(1)[0];
    }
  }
  values.written();
  Buffer<float> before(values);
  Buffer<double> sums(4);
  in_every_order("exact_sweep", values, [&](const Orders& o) {
    launch(
        "exact_sweep", o, {2}, THREADS, 0, 2, (const int*)plan.values, (const int*)layout.values,
        (const int*)models.values, (const uint8_t*)pixels.values, (const int*)labels.values, (const int*)order.values,
        (const int*)nullptr, (const float*)step_parameters.values, values.values, transposed.values, gradient.values,
        h.values, d.values, losses.values, sums.values);
  });
  for (int model = 0; model < 2; model++) {
    std::vector<double> w(before.values + model * size, before.values + (model + 1) * size);
    for (int step = 0; step < 2; step++) {
      int first = step * batch, rows = std::min(batch, counts[model] - first);
      std::vector<double> next = w;
      double loss = 0;
      for (int r = 0; r < rows; r++) {
        int image = model * counts[0] + order[model * counts[0] + first + r];
        const uint8_t* x = pixels.values + (size_t)image * inputs;
        std::vector<double> z(hidden);
        double logit = w[last_bias], dlogit;
        for (int o = 0; o < hidden; o++) {
          z[o] = w[bias + o];
          for (int p = 0; p < inputs; p++) z[o] += x[p] / 255.0 * w[p * 32 + o];
          logit += fmax(z[o], 0) * w[last + o];
        }
        float rounded = (float)logit;
        loss += row_loss(LOSS_BCE, &rounded, 1, labels[image], &dlogit);
        double gradient_at_logit = 0.5 * dlogit / rows;
        next[last_bias] -= gradient_at_logit;
        for (int o = 0; o < hidden; o++) {
          next[last + o] -= gradient_at_logit * fmax(z[o], 0);
          if (z[o] <= 0) continue;
          next[bias + o] -= gradient_at_logit * w[last + o];
          for (int p = 0; p < inputs; p++) next[p * 32 + o] -= gradient_at_logit * w[last + o] * x[p] / 255.0;
        }
      }
      w = next;
      check("exact_sweep losses", 2 * model + step, loss, sums[2 * model + step], 32 * EPSILON * rows * inputs);
    }
    for (int i = 0; i < size; i++) {
      double tolerance = 32 * EPSILON * batch * inputs * (1 + fabs(w[i]));
      check("exact_sweep", (size_t)i, w[i], values[(size_t)(model * size + i)], tolerance);
    }
  }
}

}  // namespace

int main(int, char** arguments) {
  std::stringstream text;
  text << std::ifstream(arguments[1]).rdbuf();
  try {
    module = ptx::parse(text.str());
  } catch (const ptx::Error& error) {
    die("PTX line " + std::to_string(error.line) + ": " + error.sentence);
  }
  for (int width : {1, 5, 784, 1028}) {
    gather(1, width, 0);
    gather(7, width, 3);
  }
  for (int height : {1, 5, 28}) {
    gather_shifted(1, height, 28, 0);
    gather_shifted(7, height, 13, 3);
    gather_shifted(7, height, 1, 3);
  }
  for (int activation : {ACTIVATION_IDENTITY, ACTIVATION_RELU}) {
    bias_activation(1, 1, activation);
    bias_activation(37, 30, activation);
    bias_activation(2, 256, activation);
    activation_gradient(1, activation);
    activation_gradient(257, activation);
    activation_gradient(768, activation);
  }
  bias_gradient(1, 1);
  bias_gradient(31, 33);
  bias_gradient(100, 64);
  for (bool a_transposed : {false, true}) {
    for (bool b_transposed : {false, true}) {
      gemm(32, 1, 1, 1, a_transposed, b_transposed, 0, 1);
      gemm(32, 33, 31, 65, a_transposed, b_transposed, 0, 32);
      gemm(32, 7, 35, 64, a_transposed, b_transposed, 1, 64);
      gemm(64, 65, 63, 33, a_transposed, b_transposed, 2, 33);
      gemm(64, 5, 70, 97, a_transposed, b_transposed, 1, 32);
      gemm(64, 66, 3, 70, a_transposed, b_transposed, 0, 32);
    }
  }
  unfold_and_fold(1, 1, 1, 1, 3, 2, 2);
  unfold_and_fold(2, 7, 4, 3, 3, 2, 0);
  unfold_and_fold(3, 5, 6, 2, 3, 1, 2);
  unfold_and_fold(2, 28, 28, 1, 3, 2, 2);
  for (int loss : {LOSS_MNIST, LOSS_BCE}) {
    loss_and_evaluate(loss, 1, 1, 1);
    loss_and_evaluate(loss, 257, 1, 2);
    loss_and_evaluate(loss, 600, 1, 2);
  }
  loss_and_evaluate(LOSS_CROSS_ENTROPY, 1, 2, 1);
  loss_and_evaluate(LOSS_CROSS_ENTROPY, 255, 10, 1);
  loss_and_evaluate(LOSS_CROSS_ENTROPY, 513, 3, 3);
  for (float momentum : {0.0f, 0.9f}) {
    update_sgd(1, momentum, 0);
    update_sgd(257, momentum, 0.01f);
  }
  for (int decoupled : {0, 1}) {
    update_adam(1, 0.01f, decoupled);
    update_adam(513, 0.0f, decoupled);
  }
  exact_sweep();
  multiply_adds(1);
  multiply_adds(3);
  printf("%d elements agree\n", checks);
}
