#include "native.h"

#include <stdlib.h>

namespace zerofive {

#if defined(__x86_64__)
namespace {

// The compiler's function asks the operating system as well: whether it saves the wide registers.
int best_kernels() {
  __builtin_cpu_init();
  bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return avx512 ? 2 : avx2 ? 1 : 0;
}

const Kernels* const ALL[] = {&kernels_portable, &kernels_avx2, &kernels_avx512};

}  // namespace
#else
namespace {

int best_kernels() { return 0; }

const Kernels* const ALL[] = {&kernels_portable};

}  // namespace
#endif

const Kernels* kernels = &kernels_portable;

int choose_kernels(int most) {
  int best = best_kernels();
  int chosen = most < best ? most : best;
  kernels = ALL[chosen];
  return chosen;
}

void* allocate(int64_t size) {
  constexpr size_t LINE = 64;
  void* memory = nullptr;
  if (posix_memalign(&memory, LINE, size > 0 ? (size_t)size : 1) != 0) return nullptr;
  return memset(memory, 0, (size_t)size);
}

void release(void* memory) { free(memory); }

void* Arena::take(int64_t size) {
  constexpr int64_t HEAD = 64;
  Block* block = failed_ ? nullptr : (Block*)allocate(size + HEAD);
  if (block == nullptr) {
    failed_ = true;
    return nullptr;
  }
  block->before = last_;
  last_ = block;
  return (char*)block + HEAD;
}

void Arena::close() {
  while (last_ != nullptr) {
    Block* before = last_->before;
    release(last_);
    last_ = before;
  }
}

}  // namespace zerofive
