// The native library: the functions that Java calls, and declarations shared by all files. Every op's file is compiled
// once for each instruction set, in a namespace of its own (all.cpp); `kernels` points to the set in use.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "team.h"

namespace zerofive {

// Floats in a row of step_parameters: learning rate, Adam's step size and bias_correction2_sqrt, AdamW's decay factor.
constexpr int STEP_PARAMETERS = 4;

// Columns of a panel of a matrix product.
constexpr int64_t PANEL = 32;

// Bytes of a cache line.
constexpr int64_t LINE = 64;

// Numbers that describe a layer in `windows`: height, width, channels, outputs, kernel, stride and border of
// zerofive.model.Window. A fully connected layer has an image of one pixel.
constexpr int WINDOW_SHAPE = 7;

// Rows that are processed together.
constexpr int64_t BLOCK_ROWS = 256;

// The number of elements from which on waking the other threads costs less than it saves.
constexpr int64_t PARALLEL_THRESHOLD = 1 << 14;

// The ordinals of zerofive.backend.Optimizer.Kind.
enum OptimizerKind { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW };

struct Optimizer {
  int kind;
  float momentum;
  float decay;
};

// A training or an evaluation; each instruction set has its own implementation.
struct Session;

// The ops of one instruction set; the file of the same name documents the arguments.
struct Kernels {
  const char* name;
  void (*gather)(
      Team* team, const uint8_t* pixels, const int32_t* labels, const int32_t* order, int first, int rows, int width,
      float* x, int32_t* targets);
  void (*gather_shifted)(
      Team* team, const uint8_t* pixels, const int32_t* labels, const int32_t* order, const int32_t* shifts, int first,
      int rows, int height, int width, float* x, int32_t* targets);
  void (*gemm)(
      Team* team, int m, int n, int k, const float* a, int64_t a_row_stride, int64_t a_column_stride, const float* b,
      int64_t b_row_stride, int64_t b_column_stride, float* c, float* scratch);
  void (*bias_activation)(Team* team, int activation, int rows, int width, const float* bias, float* z);
  void (*loss)(
      Team* team, int loss, int rows, int outputs, const float* logits, const int32_t* targets, float* dlogits,
      double* loss_sum);
  void (*evaluate)(
      Team* team, int loss, int rows, int outputs, const float* logits, const int32_t* targets, double* metrics);
  void (*activation_gradient)(Team* team, int activation, int64_t elements, const float* values, float* delta);
  void (*bias_gradient)(Team* team, int rows, int width, const float* delta, float* gradient);
  void (*unfold)(
      Team* team, int rows, int height, int width, int channels, int kernel, int stride, int border,
      const float* images, float* patches);
  void (*fold)(
      Team* team, int rows, int height, int width, int channels, int kernel, int stride, int border,
      const float* patches, float* images);
  void (*update)(
      Team* team, int optimizer_kind, float momentum, float decay, int64_t n, float* w, const float* g, float* moments,
      const float* step_parameters, int step);

  // The native session; session.cpp documents the arguments.
  Session* (*create_session)(
      Team* team, const int32_t* windows, int layers, int loss, int optimizer_kind, float momentum, float decay,
      int64_t batch);
  bool (*set_train)(Session* session, const uint8_t* pixels, const int32_t* targets, int64_t count, int form);
  bool (*set_valid)(Session* session, const uint8_t* pixels, const int32_t* targets, int64_t first, int64_t count);
  void (*set_values)(Session* session, int value_kind, const float* values, int64_t offset);
  void (*get_values)(Session* session, int value_kind, float* values, int64_t offset);
  bool (*set_shifts)(Session* session, const int32_t* shifts, int height, int width);
  void (*train_epoch)(Session* session, const int32_t* order, const float* step_parameters, double* loss_sums);
  void (*evaluate_valid)(Session* session, double* metrics);
  void (*get_logits)(const Session* session, float* logits, int64_t offset);
  void (*destroy_session)(Session* session);

  // The peak throughput of the machine; peak.cpp documents the arguments.
  int64_t (*multiply_adds)(Team* team, int64_t steps, float a, float b, float* sums);
  int64_t (*copy_memory)(Team* team, int64_t times, const void* from, void* to, int64_t bytes);
};

extern const Kernels kernels_portable, kernels_avx2, kernels_avx512;

// The instruction set in use.
extern const Kernels* kernels;

// Chooses the best set that this CPU and operating system have, up to max_set (0 portable, 1 AVX2, 2 AVX-512), and
// returns its number.
int choose_kernels(int max_set);

// Zeroed memory aligned to a cache line; null where there is not enough.
void* allocate(int64_t size);
void release(void* memory);

// The size of the CPU's last-level cache in bytes; 0 where the system does not report it.
int64_t last_cache();

// Memory that is freed as a whole. An Arena of zero bytes is an empty one.
class Arena {
 public:
  // Zeroed; null where there is not enough, and failed() from then on.
  void* take(int64_t size);
  bool failed() const { return failed_; }
  void close();

 private:
  struct Block {
    Block* previous;
  };

  Block* last_;
  bool failed_;
};

// Copies between Java's arrays and native memory.
inline void copy_in(void* to, const void* from, int64_t offset, int64_t size) {
  memcpy(to, (const char*)from + offset, (size_t)size);
}
inline void copy_out(const void* from, void* to, int64_t size) { memcpy(to, from, (size_t)size); }
inline void clear(void* memory, int64_t size) { memset(memory, 0, (size_t)size); }

inline int64_t create_team(int threads) { return (int64_t) new Team(threads); }
inline void serve(Team* team, int member) { team->serve(member); }
inline void wait_ready(Team* team) { team->wait_ready(); }
inline void stop(Team* team) {
  team->stop();
  delete team;
}

}  // namespace zerofive

#ifdef INSTRUCTION_SET
#include "../kernels/element_math.h"
#include "simd.h"
#include "bytes.h"

namespace INSTRUCTION_SET {
using namespace zerofive;
}
#endif
