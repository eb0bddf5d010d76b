#include "native.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

namespace zerofive {

#if defined(__x86_64__)
namespace {

// The compiler's function also checks that the operating system saves the wide registers.
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

int choose_kernels(int max_set) {
  int best = best_kernels();
  int chosen = max_set < best ? max_set : best;
  kernels = ALL[chosen];
  return chosen;
}

// calloc gets large blocks from the system, which has zeroed them already. The pointer that it returned is stored right
// in front. Large blocks are asked for in huge pages: in a virtual machine the first use of a small page can take 10
// us.
void* allocate(int64_t size) {
  constexpr uintptr_t LINE = 64;
  constexpr uintptr_t HUGE_PAGE = 1 << 21;
  uintptr_t alignment = (uintptr_t)size >= HUGE_PAGE ? HUGE_PAGE : LINE;
  void* memory = calloc(1, (size_t)size + alignment + sizeof(void*));
  if (memory == nullptr) return nullptr;
  uintptr_t aligned = ((uintptr_t)memory + sizeof(void*) + alignment - 1) / alignment * alignment;
#ifdef MADV_HUGEPAGE
  // Where the system refuses, small pages serve.
  if (alignment == HUGE_PAGE) madvise((void*)aligned, (size_t)size, MADV_HUGEPAGE);
#endif
  ((void**)aligned)[-1] = memory;
  return (void*)aligned;
}

void release(void* memory) {
  if (memory != nullptr) free(((void**)memory)[-1]);
}

int64_t last_cache() {
#if defined(_SC_LEVEL3_CACHE_SIZE)
  int64_t third = sysconf(_SC_LEVEL3_CACHE_SIZE);
  int64_t last = third > 0 ? third : sysconf(_SC_LEVEL2_CACHE_SIZE);
  return last > 0 ? last : 0;
#else
  return 0;
#endif
}

void* Arena::take(int64_t size) {
  constexpr int64_t HEAD = 64;
  Block* block = failed_ ? nullptr : (Block*)allocate(size + HEAD);
  if (block == nullptr) {
    failed_ = true;
    return nullptr;
  }
  block->previous = last_;
  last_ = block;
  return (char*)block + HEAD;
}

void Arena::close() {
  while (last_ != nullptr) {
    Block* previous = last_->previous;
    release(last_);
    last_ = previous;
  }
}

}  // namespace zerofive
