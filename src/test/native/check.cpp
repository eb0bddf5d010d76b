// The test program of the native library: every op and whole trainings, with several threads and each instruction set,
// on memory that ends right before a page that may not be accessed. SanitizersTest runs it under sanitizers; it prints
// what is wrong and exits with 1.
//
//   c++ -std=c++17 -g -fsanitize=... -Wl,--wrap=calloc check.cpp native.cpp team.cpp
//   and all.cpp once for each set (see native/build)
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "../../../native/native.h"
#include "crew.h"
#include "naive.h"

using namespace zerofive;

// Sanitizers take ten times as long; fewer nets, instruction sets and numbers of threads find the same.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
static constexpr bool SANITIZED = true;
#else
static constexpr bool SANITIZED = false;
#endif

// How many more calls of calloc, the library's only way to get memory, succeed.
static int64_t callocs_left = INT64_MAX;

// Bytes that calloc was asked for.
static int64_t allocated;

// The linker replaces calloc by it.
extern "C" void* __real_calloc(size_t count, size_t size);
extern "C" void* __wrap_calloc(size_t count, size_t size) {
  if (callocs_left == 0) return nullptr;
  callocs_left--;
  allocated += count * size;
  return __real_calloc(count, size);
}

namespace {

int failures = 0;

void expect(bool right, const char* what, int a, int b) {
  if (!right) {
    printf("%s: %s (%d, %d)\n", kernels->name, what, a, b);
    failures++;
  }
}

// An array whose last byte is followed by a page that may not be accessed.
template <typename T>
class Guarded {
 public:
  explicit Guarded(int64_t count) : count_(count) {
    int64_t page = sysconf(_SC_PAGESIZE);
    size_ = (count * (int64_t)sizeof(T) + page - 1) / page * page;
    memory_ = (char*)mmap(nullptr, size_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED || mprotect(memory_ + size_, page, PROT_NONE) != 0) abort();
  }
  ~Guarded() { munmap(memory_, size_ + sysconf(_SC_PAGESIZE)); }
  Guarded(const Guarded&) = delete;

  T* data() { return (T*)(memory_ + size_) - count_; }
  T& operator[](int64_t i) { return data()[i]; }

 private:
  int64_t count_, size_;
  char* memory_;
};

uint32_t state = 1;
uint32_t random_bits() { return state = state * 1664525u + 1013904223u; }
float random_float() { return (float)(random_bits() >> 8) / (1 << 23) - 1.0f; }

void fill(Guarded<float>& values, int64_t count) {
  for (int64_t i = 0; i < count; i++) values[i] = random_float();
}

void check_gemm(Team* team, int m, int n, int k) {
  Guarded<float> a((int64_t)m * k), b((int64_t)k * n), c((int64_t)m * n), scratch((int64_t)(n + 31) / 32 * 32 * k);
  fill(a, (int64_t)m * k);
  fill(b, (int64_t)k * n);
  for (int form = 0; form < 4; form++) {
    int a_row_stride = form % 2 ? 1 : k, a_column_stride = form % 2 ? m : 1, b_row_stride = form / 2 ? 1 : n,
        b_column_stride = form / 2 ? k : 1;
    kernels->gemm(
        team, m, n, k, a.data(), a_row_stride, a_column_stride, b.data(), b_row_stride, b_column_stride, c.data(),
        scratch.data());
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        double sum = 0;
        for (int p = 0; p < k; p++)
          sum += (double)a[i * a_row_stride + p * a_column_stride] * b[p * b_row_stride + j * b_column_stride];
        expect(fabs(sum - c[i * n + j]) <= 2.4e-7 * k, "gemm is off", i, j);
      }
    }
  }
}

void check_ops(Team* team, int rows, int width) {
  int64_t size = (int64_t)rows * width;
  Guarded<uint8_t> pixels(size);
  Guarded<int32_t> labels(rows), order(rows), shifts(rows), targets(rows);
  Guarded<float> x(size), bias(width), delta(size), gradient(width), moments(2 * size), step_parameters(4);
  Guarded<double> metrics(2);
  for (int64_t i = 0; i < size; i++) pixels[i] = (uint8_t)random_bits();
  for (int r = 0; r < rows; r++) labels[r] = order[r] = rows - 1 - r;
  kernels->gather(team, pixels.data(), labels.data(), order.data(), 0, rows, width, x.data(), targets.data());
  for (int r = 0; r < rows; r++) {
    expect(targets[r] == r, "gather took another label", r, targets[r]);
    expect(
        x[(int64_t)r * width] == (float)pixels[(int64_t)order[r] * width] / 255.0f, "gather took another pixel", r,
        width);
  }
  // Higher than wide where possible; every third shift moves an image out of the frame.
  int height = width % 5 == 0 ? 5 : 1;
  int across = width / height;
  for (int r = 0; r < rows; r++) shifts[r] = ((r % 3 == 0 ? 0x80 : r % 5 - 2) & 0xff) << 8 | ((r % 7 - 3) & 0xff);
  kernels->gather_shifted(
      team, pixels.data(), labels.data(), order.data(), shifts.data(), 0, rows, height, across, x.data(),
      targets.data());
  for (int64_t i = 0; i < size; i++) {
    int image = order[i / width];
    int v = (int)(i % width) / across - (int8_t)(shifts[image] >> 8);
    int u = (int)(i % width) % across - (int8_t)shifts[image];
    bool exists = v >= 0 && v < height && u >= 0 && u < across;
    float expected = exists ? (float)pixels[(int64_t)image * width + v * across + u] / 255.0f : 0.0f;
    expect(x[i] == expected, "gather_shifted took another pixel", (int)(i / width), (int)(i % width));
  }
  fill(bias, width);
  fill(delta, size);
  kernels->bias_activation(team, 1, rows, width, bias.data(), x.data());
  kernels->activation_gradient(team, 1, size, x.data(), delta.data());
  for (int64_t i = 0; i < size; i++) {
    expect(x[i] >= 0 && (x[i] > 0 || delta[i] == 0), "ReLU or its gradient is off", (int)i, rows);
  }
  kernels->bias_gradient(team, rows, width, delta.data(), gradient.data());
  for (int r = 0; r < rows; r++) targets[r] = r % (width > 1 ? width : 2);
  int loss = width > 2 ? 2 : 1;
  int outputs = width > 2 ? width : 1;
  kernels->loss(team, loss, rows, outputs, x.data(), targets.data(), delta.data(), metrics.data());
  double first = metrics[0];
  kernels->evaluate(team, loss, rows, outputs, x.data(), targets.data(), metrics.data());
  expect(fabs(metrics[0] - 2 * first) < 1e-6 * first, "loss and evaluate differ", rows, outputs);
  for (int kind = 0; kind < 3; kind++) {
    step_parameters[0] = step_parameters[1] = step_parameters[2] = step_parameters[3] = 0.1f;
    kernels->update(
        team, kind, kind ? 0.0f : 0.9f, 0.01f, size, x.data(), delta.data(), moments.data(), step_parameters.data(), 0);
  }
}

// The windows of a fully connected net.
std::vector<int32_t> dense(const std::vector<int32_t>& widths) {
  std::vector<int32_t> windows;
  for (size_t l = 0; l + 1 < widths.size(); l++) {
    windows.insert(windows.end(), {1, 1, widths[l], widths[l + 1], 1, 1, 0});
  }
  return windows;
}

// Those of convolutions of a kernel of 3 (channels and stride, alternately), then of fully connected layers. border:
// that of every convolution.
std::vector<int32_t> convolutional(
    int32_t height, int32_t width, int32_t border, const std::vector<int32_t>& layers,
    const std::vector<int32_t>& widths) {
  std::vector<int32_t> windows;
  int32_t channels = 1;
  for (size_t l = 0; l < layers.size(); l += 2) {
    windows.insert(windows.end(), {height, width, channels, layers[l], 3, layers[l + 1], border});
    channels = layers[l];
    height = (height + 2 * border - 3) / layers[l + 1] + 1;
    width = (width + 2 * border - 3) / layers[l + 1] + 1;
  }
  std::vector<int32_t> all = {height * width * channels};
  all.insert(all.end(), widths.begin(), widths.end());
  std::vector<int32_t> rest = dense(all);
  windows.insert(windows.end(), rest.begin(), rest.end());
  return windows;
}

struct Plan {
  std::vector<int32_t> windows;
  int kind;
  int64_t batch;
  int form;
  // Of the images, where epochs shift them; else 0.
  int height;
};

// What trained returns where there was not enough memory.
constexpr uint32_t NO_MEMORY = 0;

// A short training; a hash of what it leaves.
uint32_t trained(const Plan& plan, int threads) {
  constexpr int COUNT = 331;
  Crew crew(threads);
  const std::vector<int32_t>& windows = plan.windows;
  int inputs = windows[0] * windows[1] * windows[2];
  int layers = (int)windows.size() / WINDOW_SHAPE;
  int outputs = windows[(layers - 1) * WINDOW_SHAPE + 3];
  Guarded<uint8_t> pixels((int64_t)COUNT * inputs);
  Guarded<int32_t> targets(COUNT), order(COUNT), shifts(COUNT);
  int64_t parameters = 0;
  for (const int32_t* w = windows.data(); w < windows.data() + windows.size(); w += WINDOW_SHAPE) {
    parameters += (w[4] * w[4] * w[2] + 1) * w[3];
  }
  Guarded<float> values(parameters), step_parameters((COUNT / plan.batch + 1) * 4), logits((int64_t)COUNT * outputs);
  int64_t steps = (COUNT + plan.batch - 1) / plan.batch;
  Guarded<double> metrics(2), loss_sums(steps);
  state = 7;
  for (int64_t i = 0; i < COUNT * inputs; i++) {
    pixels[i] = random_bits() % 10 < 3 && i % inputs > 2 ? (uint8_t)(random_bits() >> 24) : 0;
  }
  for (int i = 0; i < COUNT; i++) {
    targets[i] = (int32_t)(random_bits() >> 16) % (outputs == 1 ? 2 : outputs);
    order[i] = i;
    shifts[i] = (int32_t)(random_bits() >> 30) << 8 | ((random_bits() >> 30) - 1 & 0xff);
  }
  fill(values, parameters);
  for (int64_t s = 0; s <= COUNT / plan.batch; s++) {
    step_parameters[4 * s] = step_parameters[4 * s + 1] = 0.01f;
    step_parameters[4 * s + 2] = step_parameters[4 * s + 3] = 0.99f;
  }
  const Kernels& k = *kernels;
  Session* session = k.create_session(
      crew.team, windows.data(), layers, outputs == 1 ? 1 : 2, plan.kind, plan.kind == 0 ? 0.9f : 0.0f, 0.01f,
      plan.batch);
  bool enough = session != nullptr && k.set_train(session, pixels.data(), targets.data(), COUNT, plan.form) &&
                k.set_valid(session, pixels.data(), targets.data(), 0, COUNT);
  if (!enough) {
    expect(callocs_left == 0, "no memory", threads, layers);
    if (session != nullptr) k.destroy_session(session);
    return NO_MEMORY;
  }
  k.set_values(session, 0, values.data(), 0);
  double losses = 0;
  for (int epoch = 0; epoch < 4; epoch++) {
    if (epoch == 3) order[0] = COUNT - 1, order[COUNT - 1] = 0;
    bool shifted = plan.height > 0 && epoch != 1;
    // The widest shift changes from one epoch to another.
    if (epoch == 2) shifts[0] = 0x0505;
    if (!k.set_shifts(
            session, shifted ? shifts.data() : nullptr, plan.height, shifted ? inputs / plan.height : inputs)) {
      expect(callocs_left == 0, "no memory for shifts", threads, layers);
      k.destroy_session(session);
      return NO_MEMORY;
    }
    k.train_epoch(session, order.data(), step_parameters.data(), loss_sums.data());
    for (int64_t s = 0; s < steps; s++) losses += loss_sums[s];
    k.evaluate_valid(session, metrics.data());
  }
  expect(isfinite(losses) && metrics[1] > 0, "training gave no numbers", threads, layers);
  k.get_values(session, 0, values.data(), 0);
  k.get_logits(session, logits.data(), 0);
  k.destroy_session(session);
  uint32_t hash = 0;
  for (int64_t i = 0; i < parameters; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    hash = 31 * hash + bits;
  }
  return hash;
}

// The chains x = x / 2 + 1 come to 2, and every byte is copied.
void check_peak(Team* team) {
  int threads = team->threads();
  Guarded<float> sums(threads * 16);
  int64_t done = kernels->multiply_adds(team, 100, 0.5f, 1.0f, sums.data());
  expect(done > 0 && done % (100 * 16 * threads) == 0, "multiply_adds counts wrongly", (int)done, threads);
  double total = 0;
  for (int i = 0; i < threads * 16; i++) total += sums[i];
  expect(total == 2.0 * (double)(done / 100), "multiply_adds leaves steps out", (int)total, threads);
  for (int64_t bytes : {1, 4096, 12345}) {
    Guarded<uint8_t> from(bytes), to(bytes);
    for (int64_t i = 0; i < bytes; i++) from[i] = (uint8_t)random_bits();
    expect(
        kernels->copy_memory(team, 2, from.data(), to.data(), bytes) == 4 * bytes, "copy_memory counts wrongly",
        (int)bytes, threads);
    expect(memcmp(from.data(), to.data(), bytes) == 0, "copy_memory leaves bytes out", (int)bytes, threads);
  }
}

// With memory for any number of allocations, a training reports the failure, or works with less and gives the same
// bits.
void check_little_memory(const Plan& plan, int number) {
  uint32_t enough = trained(plan, 2);
  for (int64_t allowed = 0, left = 0; left == 0; allowed++) {
    callocs_left = allowed;
    uint32_t hash = trained(plan, 2);
    left = callocs_left;
    callocs_left = INT64_MAX;
    expect(hash == NO_MEMORY || hash == enough, "little memory changes the bits of plan", number, (int)allowed);
  }
}

// The memory of an evaluation is bounded: the images, a list of one image's nonzero pixels for each thread, and what
// aligns a large block to a huge page.
void check_large_images() {
  constexpr int64_t INPUTS = 1 << 18;
  constexpr int64_t COUNT = 64;
  const std::vector<int32_t> windows = dense({INPUTS, 3});
  Crew crew(2);
  Guarded<uint8_t> pixels(COUNT * INPUTS);
  Guarded<int32_t> targets(COUNT);
  Guarded<float> values(3 * INPUTS + 3), alone(3), all(3 * COUNT);
  Guarded<double> metrics(2);
  for (int64_t i = 0; i < COUNT * INPUTS; i += 257) pixels[i] = (uint8_t)random_bits();
  fill(values, 3 * INPUTS + 3);
  Session* session = kernels->create_session(crew.team, windows.data(), 1, 2, 0, 0.0f, 0.0f, 0);
  kernels->set_values(session, 0, values.data(), 0);
  for (int64_t count : {(int64_t)1, COUNT}) {
    allocated = 0;
    expect(kernels->set_valid(session, pixels.data(), targets.data(), 0, count), "no memory", (int)count, 0);
    expect(
        allocated < (count + 5 * 2 + 24) * INPUTS, "large images take too much", (int)count, (int)(allocated / INPUTS));
    kernels->evaluate_valid(session, metrics.data());
    kernels->get_logits(session, count == 1 ? alone.data() : all.data(), 0);
  }
  expect(memcmp(alone.data(), all.data(), 3 * sizeof(float)) == 0, "an image's logits depend on the others", 0, 0);
  kernels->destroy_session(session);
}

// A training of a net with convolutions: its data, and what plain loops make of it.
class Convolutional {
 public:
  explicit Convolutional(const Plan& plan)
      : plan_(plan),
        inputs_(plan.windows[0] * plan.windows[1]),
        layers_((int)plan.windows.size() / WINDOW_SHAPE),
        outputs_(plan.windows[(layers_ - 1) * WINDOW_SHAPE + 3]),
        loss_(outputs_ == 1 ? LOSS_BCE : LOSS_CROSS_ENTROPY),
        naive_(plan.windows, loss_, plan.kind, momentum(), DECAY),
        pixels_(COUNT * inputs_),
        targets_(COUNT),
        order_(COUNT),
        shifts_(COUNT),
        start_(naive_.parameter_count()),
        step_parameters_(steps() * STEP_PARAMETERS) {
    state = 3;
    for (int64_t i = 0; i < COUNT * inputs_; i++) {
      pixels_[i] = random_bits() % 10 < 5 ? (uint8_t)(random_bits() >> 24) : 0;
    }
    for (int i = 0; i < COUNT; i++) {
      targets_[i] = (int32_t)(random_bits() >> 16) % (outputs_ == 1 ? 2 : outputs_);
      order_[i] = i * 7 % COUNT;
      shifts_[i] = (random_shift() & 0xff) << 8 | (random_shift() & 0xff);
    }
    fill(start_, naive_.parameter_count());
    for (int64_t i = 0; i < naive_.parameter_count(); i++) start_[i] *= 0.3f;
    for (int64_t s = 0; s < steps(); s++) {
      step_parameters_[4 * s] = step_parameters_[4 * s + 1] = 0.01f;
      step_parameters_[4 * s + 2] = step_parameters_[4 * s + 3] = 0.99f;
    }
    naive_.parameters.assign(start_.data(), start_.data() + naive_.parameter_count());
    naive_.first.resize(naive_.parameter_count());
    naive_.second.resize(naive_.parameter_count());
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      for (int64_t first = 0; first < COUNT; first += plan.batch) naive_step(epoch, first);
    }
  }

  // The native session has the same bits.
  void check(int threads, int number) {
    Guarded<float> values(naive_.parameter_count()), logits(VALID * outputs_);
    Guarded<double> metrics(2), loss_sums(steps());
    Crew crew(threads);
    const Kernels& k = *kernels;
    Session* session =
        k.create_session(crew.team, plan_.windows.data(), layers_, loss_, plan_.kind, momentum(), DECAY, plan_.batch);
    expect(
        session != nullptr && k.set_train(session, pixels_.data(), targets_.data(), COUNT, 0) &&
            k.set_valid(session, pixels_.data(), targets_.data(), 0, VALID),
        "no memory", number, threads);
    for (float value : naive_.parameters) expect(isfinite(value), "plain loops gave no numbers", number, threads);
    k.set_values(session, 0, start_.data(), 0);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
      k.set_shifts(session, is_shifted(epoch) ? shifts_.data() : nullptr, plan_.windows[0], plan_.windows[1]);
      k.train_epoch(session, order_.data(), step_parameters_.data(), loss_sums.data());
    }
    k.evaluate_valid(session, metrics.data());
    k.get_values(session, 0, values.data(), 0);
    k.get_logits(session, logits.data(), 0);
    k.destroy_session(session);
    expect(
        memcmp(values.data(), naive_.parameters.data(), naive_.parameters.size() * sizeof(float)) == 0,
        "convolutions differ from plain loops", number, threads);
    for (int64_t v = 0; v < VALID; v++) {
      std::vector<float> expected = naive_.logits(pixels_.data() + v * inputs_);
      expect(
          memcmp(logits.data() + v * outputs_, expected.data(), outputs_ * sizeof(float)) == 0,
          "logits of convolutions differ from plain loops", number, (int)v);
    }
  }

 private:
  static constexpr int COUNT = 150, VALID = 5, EPOCHS = 2;
  static constexpr float DECAY = 0.01f;

  static bool is_shifted(int epoch) { return epoch == 0; }
  static int32_t random_shift() { return (int32_t)(random_bits() >> 29) - 3; }
  float momentum() const { return plan_.kind == OPTIMIZER_SGD ? 0.9f : 0.0f; }
  int64_t steps() const { return (COUNT + plan_.batch - 1) / plan_.batch; }

  void naive_step(int epoch, int64_t first) {
    std::vector<const uint8_t*> images;
    std::vector<int32_t> shifts, targets;
    for (int64_t r = first; r < COUNT && r < first + plan_.batch; r++) {
      int32_t image = order_[r];
      images.push_back(pixels_.data() + image * inputs_);
      shifts.push_back(is_shifted(epoch) ? shifts_[image] : 0);
      targets.push_back(targets_[image]);
    }
    naive_.step(images, shifts, targets, step_parameters_.data() + first / plan_.batch * STEP_PARAMETERS);
  }

  const Plan& plan_;
  const int64_t inputs_;
  const int layers_, outputs_, loss_;
  NaiveNet naive_;
  Guarded<uint8_t> pixels_;
  Guarded<int32_t> targets_, order_, shifts_;
  Guarded<float> start_, step_parameters_;
};

// With a kernel of 3: small images, channels that are no multiple of 16, one position, groups of 1 to 128 images.
void check_convolutions() {
  const Plan plans[] = {
      {convolutional(8, 9, 2, {16, 2, 32, 2}, {1}), 0, 64, 0},
      {convolutional(7, 9, 1, {5, 1, 40, 2}, {10}), 1, 70, 0},
      {convolutional(5, 8, 2, {48, 2, 16, 1}, {17, 3}), 2, 9, 0},
      {convolutional(17, 9, 0, {3, 2, 35, 2}, {1}), 1, 130, 0},
      {convolutional(4, 4, 0, {7, 2}, {6}), 0, 140, 0},
      {convolutional(3, 3, 0, {30, 1}, {1}), 0, 1, 0},
      {convolutional(2, 1, 2, {16, 1}, {20, 3}), 1, 64, 0},
  };
  for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i += SANITIZED ? 3 : 1) {
    Convolutional training(plans[i]);
    for (int set = 0; set < 3 && choose_kernels(set) == set; set++) {
      for (int threads = SANITIZED ? 3 : 1; threads <= 3; threads++) training.check(threads, (int)i);
    }
  }
}

}  // namespace

int main() {
  const Plan plans[] = {
      {dense({61, 30, 1}), 0, 100, 1},
      {dense({61, 30, 1}), 1, 1000, 1},
      {dense({61, 37, 33, 10}), 0, 64, 1},
      {dense({61, 37, 33, 10}), 1, 300, 2},
      {dense({61, 30, 1}), 0, 7, 2},
      {dense({61, 5}), 2, 100, 1},
      {dense({61, 1}), 0, 100, 0},
      {dense({61, 1}), 1, 1000, 0},
      {dense({3, 1}), 0, 1, 0},
      {dense({2100, 17, 3}), 0, 128, 0},
      {dense({60, 37, 1}), 0, 100, 1, 5},
      {dense({60, 37, 3}), 1, 300, 1, 12},
      {dense({60, 37, 1}), 0, 64, 2, 5},
      {dense({60, 1}), 0, 100, 0, 5},
      {dense({60, 1}), 1, 64, 0, 60},
      {convolutional(5, 6, 1, {16, 2, 20, 1}, {12, 3}), 1, 100, 0, 5},
  };
  uint32_t portable[sizeof plans / sizeof plans[0]] = {};
  int best = choose_kernels(2);
  for (int set = 0, chosen; set < 3 && (chosen = choose_kernels(set)) == set; set++) {
    for (int threads : {1, 3}) {
      Crew crew(threads);
      for (int size : {1, 7, 16, 17, 33, 65}) {
        check_gemm(crew.team, size, 5, 9);
        check_gemm(crew.team, 5, size, 9);
        check_gemm(crew.team, 13, 31, size);
        check_ops(crew.team, size, 3);
        check_ops(crew.team, 3, size);
      }
      check_gemm(crew.team, 97, 70, 300);
      check_ops(crew.team, 300, 120);
      check_peak(crew.team);
    }
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
      uint32_t once = trained(plans[i], 3);
      for (int threads = 1; threads < (SANITIZED ? 2 : 3); threads++) {
        expect(once == trained(plans[i], threads), "threads change the bits of plan", (int)i, threads);
      }
      if (set == 0) portable[i] = once;
      expect(once == portable[i], "the instruction set changes the bits of plan", (int)i, 0);
      // Runs no code that depends on threads; under ThreadSanitizer it would take half of the time.
#ifndef __SANITIZE_THREAD__
      if (!SANITIZED || set == best) check_little_memory(plans[i], (int)i);
#endif
    }
  }
#ifndef __SANITIZE_THREAD__
  check_large_images();
#endif
  check_convolutions();
  printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
