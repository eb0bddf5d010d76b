// The dialect of CUDA C++ that kernels/*.cu are written in, for the host's C++ compiler: the translation unit of the
// kernels includes this header first, then kernels/all.cu as it stands.
//
// What it simulates: blocks of up to 1024 threads, each a fiber (a stack of its own, switched without the kernel's
// help); __syncthreads, __syncwarp and shuffles as real meeting points; __shared__ arrays that start with garbage;
// atomics; blocks and threads that run in any order (emulation.cpp). A barrier that some thread never reaches ends the
// launch with a report. What it does not: the weak memory model of a GPU (ThreadSanitizer finds what that could break),
// registers, textures, dynamic shared memory, time.
#pragma once

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <string>
#include <utility>

struct uint3 {
  unsigned x, y, z;
};

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

struct alignas(4) uchar4 {
  unsigned char x, y, z, w;
};

struct alignas(16) float4 {
  float x, y, z, w;
};

struct alignas(8) float2 {
  float x, y;
};

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }

namespace cuda_emulation {

constexpr unsigned WARP = 32;
constexpr unsigned MOST_THREADS = 1024;

// What a block has in common.
struct Block {
  dim3 grid;
  dim3 size;
  uint3 index;
  unsigned threads;
  uint64_t exchange[MOST_THREADS];  // a slot a thread for shuffles
};

// A thread of a block while it runs.
struct Thread {
  Block* block;
  uint3 index;
  unsigned number;  // in its block, x fastest
};

// For ThreadSanitizer (EMULATION_TSAN) two host threads run blocks at once, each one CUDA thread at a time. Elsewhere
// one host thread does, in the simulated driver by its lock, and nothing needs to be thread-local.
#ifdef EMULATION_TSAN
#define EMULATION_LOCAL thread_local
#else
#define EMULATION_LOCAL
#endif

extern EMULATION_LOCAL Thread* running;

void wait_for_block(int line);
void wait_for_warp(unsigned mask, int line);
// Whether the lane of the running thread's warp exists and is still running.
bool lane_is_live(unsigned lane);
// Nothing: the emulated atomics order more than a GPU's.
inline void fence() {}

template <typename T>
T shuffle(unsigned mask, T value, unsigned source_lane, int line) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "a shuffle moves 4 or 8 bytes");
  uint64_t* slots = running->block->exchange + running->number / WARP * WARP;
  memcpy(slots + running->number % WARP, &value, sizeof value);
  wait_for_warp(mask, line);
  T result;
  memset(&result, 0xFF, sizeof result);  // undefined on a GPU: the source takes no part
  if ((mask >> source_lane & 1) != 0 && lane_is_live(source_lane)) memcpy(&result, slots + source_lane, sizeof result);
  wait_for_warp(mask, line);
  return result;
}

inline unsigned lane() { return running->number % WARP; }
inline unsigned segment(int width) { return lane() / width * width; }

template <typename T>
T shuffle_down(unsigned mask, T value, unsigned delta, int width, int line) {
  unsigned source = lane() + delta;
  return shuffle(mask, value, source < segment(width) + width ? source : lane(), line);
}

template <typename T>
T shuffle_xor(unsigned mask, T value, int lanes, int width, int line) {
  unsigned source = lane() ^ (unsigned)lanes;
  return shuffle(mask, value, source < segment(width) + width ? source : lane(), line);
}

template <typename T>
T shuffle_from(unsigned mask, T value, int source, int width, int line) {
  return shuffle(mask, value, segment(width) + (unsigned)source % width, line);
}

inline unsigned ballot(unsigned mask, bool predicate, int line) {
  uint64_t* slots = running->block->exchange + running->number / WARP * WARP;
  slots[lane()] = predicate;
  wait_for_warp(mask, line);
  unsigned bits = 0;
  for (unsigned l = 0; l < WARP; l++) {
    if ((mask >> l & 1) != 0 && lane_is_live(l) && slots[l] != 0) bits |= 1u << l;
  }
  wait_for_warp(mask, line);
  return bits;
}

// A compiled kernel. `call` runs it once for the running thread; parameters[i] points to the i-th argument.
struct Kernel {
  const char* name;
  void (*call)(void* const* parameters);
  const size_t* parameter_sizes;
  int parameters;
  unsigned most_threads;
  Kernel* next;
};

Kernel* first_kernel();
void add_kernel(Kernel* kernel);

template <auto F>
struct Entry;

template <typename... P, void (*F)(P...)>
struct Entry<F> {
  static constexpr size_t sizes[] = {sizeof(P)...};

  template <size_t... I>
  static void unpack(void* const* parameters, std::index_sequence<I...>) {
    F(*static_cast<P*>(parameters[I])...);
  }

  static void call(void* const* parameters) { unpack(parameters, std::index_sequence_for<P...>()); }

  static Kernel described(const char* name, unsigned most_threads, unsigned = 1) {
    return {name, call, sizes, (int)sizeof...(P), most_threads, nullptr};
  }
};

struct Registration {
  Kernel kernel;
  explicit Registration(Kernel described) : kernel(described) { add_kernel(&kernel); }
};

enum class Order { ASCENDING, DESCENDING, RANDOM };

// Runs a whole grid, its blocks and the threads of each in the given order, the blocks shared out to `workers` host
// threads. Returns what went wrong, empty when nothing did.
std::string run(
    const Kernel& kernel, dim3 grid, dim3 block, void* const* parameters, Order order, uint64_t seed, int workers);

}  // namespace cuda_emulation

#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#ifdef EMULATION_TSAN
// ThreadSanitizer looks only at variables that other translation units may see. An inline function's are such.
#define __global__ inline
#define __shared__ static thread_local
#define EMULATION_BEGIN_KERNELS
#define EMULATION_END_KERNELS
#else
// In an unnamed namespace, since the shared arrays of templates and inline functions can go into no section of ours
// else.
#define __global__
#define EMULATION_BEGIN_KERNELS namespace {
#define EMULATION_END_KERNELS }
#ifdef EMULATION_CHECKED
#define __shared__ static
#else
// Every block finds garbage in shared memory, which is gathered in a section for that.
#define __shared__ static __attribute__((section("emulated_shared")))
#endif
#endif

#define threadIdx (cuda_emulation::running->index)
#define blockIdx (cuda_emulation::running->block->index)
#define blockDim (cuda_emulation::running->block->size)
#define gridDim (cuda_emulation::running->block->grid)
#define warpSize ((int)cuda_emulation::WARP)

#define __syncthreads() cuda_emulation::wait_for_block(__LINE__)
#define __syncwarp(...) cuda_emulation::wait_for_warp(cuda_emulation::mask_of(__VA_ARGS__), __LINE__)
#define __threadfence() cuda_emulation::fence()
#define __shfl_down_sync(mask, value, ...) \
  cuda_emulation::shuffle_down(mask, value, CUDA_EMULATION_WIDTH(__VA_ARGS__, 32), __LINE__)
#define __shfl_xor_sync(mask, value, ...) \
  cuda_emulation::shuffle_xor(mask, value, CUDA_EMULATION_WIDTH(__VA_ARGS__, 32), __LINE__)
#define __shfl_sync(mask, value, ...) \
  cuda_emulation::shuffle_from(mask, value, CUDA_EMULATION_WIDTH(__VA_ARGS__, 32), __LINE__)
#define __ballot_sync(mask, predicate) cuda_emulation::ballot(mask, predicate, __LINE__)
#define __popc(value) __builtin_popcount(value)
// The argument and the width, which may be left out.
#define CUDA_EMULATION_WIDTH(argument, width, ...) argument, width

namespace cuda_emulation {
inline unsigned mask_of(unsigned mask = 0xffffffffu) { return mask; }
}  // namespace cuda_emulation

template <typename T>
T __ldg(const T* address) {
  return *address;
}

template <typename T>
T __ldcg(const T* address) {
  return *address;
}

// A GPU's order nothing by themselves; these do, so a missing __threadfence beside one is not found.
template <typename T>
T atomicAdd(T* address, T value) {
  return __atomic_fetch_add(address, value, __ATOMIC_ACQ_REL);
}

template <typename T>
T atomicExch(T* address, T value) {
  return __atomic_exchange_n(address, value, __ATOMIC_ACQ_REL);
}

inline unsigned atomicInc(unsigned* address, unsigned most) {
  unsigned old = __atomic_load_n(address, __ATOMIC_RELAXED);
  while (!__atomic_compare_exchange_n(
      address, &old, old >= most ? 0 : old + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
  }
  return old;
}
