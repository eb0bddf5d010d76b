// Runs grids of emulated CUDA threads (cuda_emulation.h). Each thread of a block is a fiber that runs until it has to
// wait for others or returns; kernels that never wait run one thread after the other on one and the same fiber.
//
// Built for ThreadSanitizer (EMULATION_TSAN) every thread has a fiber of its own, known to the sanitizer, and only
// barriers, shuffles and atomics order what they do. This file itself is never instrumented: it is the "hardware".
#include "cuda_emulation.h"

#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#ifdef EMULATION_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#ifdef EMULATION_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

#if !defined(__x86_64__) || !defined(__linux__)
#error "the simulated device switches stacks on linux-x86_64 only"
#endif

// Saves the callee-saved registers and the stack pointer, and goes on where the other stack stood.
extern "C" void cuda_emulation_switch(void** save, void* load);
asm(R"(
.text
.globl cuda_emulation_switch
.hidden cuda_emulation_switch
.type cuda_emulation_switch, @function
cuda_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_emulation_switch, .-cuda_emulation_switch
)");

#ifndef EMULATION_CHECKED
// The linker's names for the ends of the section that holds every __shared__ array.
extern "C" __attribute__((weak, visibility("hidden"))) char __start_emulated_shared[], __stop_emulated_shared[];
#endif

namespace cuda_emulation {

EMULATION_LOCAL Thread* running;

namespace {

Kernel* kernels;

enum class State { RUNNABLE, AT_BLOCK, AT_WARP, DONE };

class Runner;

struct Fiber : Thread {
  Runner* runner;
  void* stack_pointer;
  char* stack;
  State state;
  unsigned mask;
  int line;
#ifdef EMULATION_TSAN
  void* sanitizer;
#endif
#ifdef EMULATION_ASAN
  void* fake_stack;
#endif
};

#ifdef EMULATION_CHECKED
constexpr size_t STACK = 256 << 10;
#else
constexpr size_t STACK = 64 << 10;
#endif
constexpr size_t PAGE = 4096;

[[noreturn]] void fiber_main();

// What one host thread needs to run blocks, one at a time.
class Runner {
 public:
  std::string run_block(
      const Kernel& kernel, void* const* parameters, dim3 grid, dim3 size, uint3 index, Order order, uint64_t seed) {
    this->kernel = &kernel;
    this->parameters = parameters;
    block.grid = grid;
    block.size = size;
    block.index = index;
    block.threads = size.x * size.y * size.z;
    memset(block.exchange, 0xFF, sizeof(uint64_t) * block.threads);
#ifndef EMULATION_CHECKED
    memset(__start_emulated_shared, 0xFF, __stop_emulated_shared - __start_emulated_shared);
#endif
    arrange(order, seed);
    by_number.assign(block.threads, nullptr);
    live = block.threads;
    release(&beginning);
    begun = 0;
    while (begun < block.threads) start(sequence[begun++]);
    while (live > 0) {
      if (!let_pass()) {
        std::string report = stuck();
        abandon();
        return report;
      }
      for (unsigned number : sequence) {
        if (by_number[number] != nullptr && by_number[number]->state == State::RUNNABLE) resume(by_number[number]);
      }
    }
    acquire(&end);
    return "";
  }

  // Called on a fiber: lets the others run until this one may go on.
  void wait(Fiber* fiber, State state, unsigned mask, int line) {
    unsigned place = state == State::AT_BLOCK ? 0 : 1 + fiber->number / WARP;
    void* meeting = &meetings[place][passes[place] % 2];
    release(meeting);
    fiber->state = state;
    fiber->mask = mask;
    fiber->line = line;
    leave(fiber);
    acquire(meeting);
  }

  bool live_at(unsigned number) const {
    return number < block.threads && by_number[number] != nullptr && by_number[number]->state != State::DONE;
  }

  [[noreturn]] void life(Fiber* fiber) {
    for (;;) {
      acquire(&beginning);
      kernel->call(parameters);
      release(&end);
      fiber->state = State::DONE;
#ifndef EMULATION_TSAN
      // The next thread begins on the same fiber: two switches less where threads never wait.
      if (begun < block.threads) {
        ended(fiber);
        begin(fiber, sequence[begun++]);
        continue;
      }
#endif
      leave(fiber);
    }
  }

  // Completes a switch that has just arrived on a fiber's stack.
  void arrived(Fiber* fiber) {
#ifdef EMULATION_ASAN
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &host_bottom, &host_size);
#else
    (void)fiber;
#endif
  }

 private:
  const Kernel* kernel;
  void* const* parameters;
  Block block;
  // What orders a thread behind the launch, and the launch's end behind a thread, but no thread behind another.
  char beginning, end;
  // The same for the barriers of the block, at 0, and of each warp. They take turns: a thread that passes the next one
  // must not order one that has yet to leave this one.
  char meetings[1 + MOST_THREADS / WARP][2];
  unsigned passes[1 + MOST_THREADS / WARP] = {};
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<Fiber*> idle;
  std::vector<Fiber*> by_number;  // null: not started, or done and its fiber taken by another
  std::vector<unsigned> sequence;
  unsigned begun;  // threads of the sequence
  unsigned live;
  void* host_stack_pointer;
#ifdef EMULATION_TSAN
  void* host_sanitizer;
#endif
#ifdef EMULATION_ASAN
  void* host_fake_stack;
  const void* host_bottom;
  size_t host_size;
#endif

  static void acquire(void* meeting) {
#ifdef EMULATION_TSAN
    __tsan_acquire(meeting);
#else
    (void)meeting;
#endif
  }

  static void release(void* meeting) {
#ifdef EMULATION_TSAN
    __tsan_release(meeting);
#else
    (void)meeting;
#endif
  }

  void arrange(Order order, uint64_t seed) {
    sequence.resize(block.threads);
    for (unsigned i = 0; i < block.threads; i++) sequence[i] = order == Order::DESCENDING ? block.threads - 1 - i : i;
    if (order == Order::RANDOM) std::shuffle(sequence.begin(), sequence.end(), std::minstd_rand((unsigned)seed + 1));
  }

  Fiber* idle_fiber(unsigned number) {
#ifdef EMULATION_TSAN
    // A fiber of its own for each thread: two threads on one fiber would be ordered.
    while (fibers.size() <= number) create();
    return fibers[number].get();
#else
    (void)number;
    if (idle.empty()) idle.push_back(create());
    Fiber* fiber = idle.back();
    idle.pop_back();
    return fiber;
#endif
  }

  Fiber* create() {
    fibers.push_back(std::make_unique<Fiber>());
    Fiber* fiber = fibers.back().get();
    fiber->runner = this;
    fiber->block = &block;
    fiber->stack =
        (char*)mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (fiber->stack == MAP_FAILED) abort();
    mprotect(fiber->stack, PAGE, PROT_NONE);
    prepare(fiber);
    return fiber;
  }

  // A stack that the first switch leaves through `ret` into fiber_main, aligned as after a call.
  void prepare(Fiber* fiber) {
    void** top = (void**)(fiber->stack + STACK) - 2;
    *top = (void*)fiber_main;
    fiber->stack_pointer = top - 6;
#ifdef EMULATION_TSAN
    fiber->sanitizer = __tsan_create_fiber(0);
#endif
#ifdef EMULATION_ASAN
    fiber->fake_stack = nullptr;
#endif
  }

  void start(unsigned number) {
    Fiber* fiber = idle_fiber(number);
    begin(fiber, number);
    resume(fiber);
  }

  void begin(Fiber* fiber, unsigned number) {
    fiber->number = number;
    fiber->index = {number % block.size.x, number / block.size.x % block.size.y, number / block.size.x / block.size.y};
    by_number[number] = fiber;
    fiber->state = State::RUNNABLE;
  }

  void ended(const Fiber* fiber) {
    live--;
    by_number[fiber->number] = nullptr;
  }

  void resume(Fiber* fiber) {
    running = fiber;
#ifdef EMULATION_TSAN
    host_sanitizer = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->sanitizer, __tsan_switch_to_fiber_no_sync);
#endif
#ifdef EMULATION_ASAN
    __sanitizer_start_switch_fiber(&host_fake_stack, fiber->stack, STACK);
#endif
    cuda_emulation_switch(&host_stack_pointer, fiber->stack_pointer);
#ifdef EMULATION_ASAN
    __sanitizer_finish_switch_fiber(host_fake_stack, nullptr, nullptr);
#endif
    if (fiber->state == State::DONE) {
      ended(fiber);
#ifndef EMULATION_TSAN
      idle.push_back(fiber);
#endif
    }
  }

  void leave(Fiber* fiber) {
#ifdef EMULATION_TSAN
    __tsan_switch_to_fiber(host_sanitizer, __tsan_switch_to_fiber_no_sync);
#endif
#ifdef EMULATION_ASAN
    __sanitizer_start_switch_fiber(&fiber->fake_stack, host_bottom, host_size);
#endif
    cuda_emulation_switch(&fiber->stack_pointer, host_stack_pointer);
    arrived(fiber);
  }

  // Opens every meeting point where all have come; false when there is none.
  bool let_pass() {
    bool passed = false;
    bool all_at_block = true;
    int line = -1;
    for (Fiber* fiber : by_number) {
      if (fiber == nullptr || fiber->state != State::AT_BLOCK || (line >= 0 && fiber->line != line)) {
        all_at_block = false;
        break;
      }
      line = fiber->line;
    }
    if (all_at_block) {
      for (Fiber* fiber : by_number) fiber->state = State::RUNNABLE;
      passes[0]++;
      return true;
    }
    for (Fiber* fiber : by_number) {
      if (fiber == nullptr || fiber->state != State::AT_WARP || !warp_has_come(fiber)) continue;
      unsigned first = fiber->number / WARP * WARP;
      unsigned mask = fiber->mask;
      for (unsigned lane = 0; lane < WARP; lane++) {
        if ((mask >> lane & 1) != 0 && live_at(first + lane)) by_number[first + lane]->state = State::RUNNABLE;
      }
      passes[1 + first / WARP]++;
      passed = true;
    }
    return passed;
  }

  bool warp_has_come(const Fiber* fiber) const {
    unsigned first = fiber->number / WARP * WARP;
    for (unsigned lane = 0; lane < WARP; lane++) {
      if ((fiber->mask >> lane & 1) == 0 || !live_at(first + lane)) continue;
      const Fiber* other = by_number[first + lane];
      if (other->state != State::AT_WARP || other->mask != fiber->mask || other->line != fiber->line) return false;
    }
    return true;
  }

  std::string stuck() const {
    std::string report = std::string("kernel ") + kernel->name + ", block (" + std::to_string(block.index.x) + ", " +
                         std::to_string(block.index.y) + ", " + std::to_string(block.index.z) +
                         "): barrier divergence, " + std::to_string(block.threads - live) + " of " +
                         std::to_string(block.threads) + " threads returned";
    for (State state : {State::AT_BLOCK, State::AT_WARP}) {
      std::vector<int> lines;
      for (const Fiber* fiber : by_number) {
        if (fiber != nullptr && fiber->state == state) lines.push_back(fiber->line);
      }
      std::sort(lines.begin(), lines.end());
      for (auto at = lines.begin(); at != lines.end();) {
        auto end = std::upper_bound(at, lines.end(), *at);
        report += ", " + std::to_string(end - at) + " wait " +
                  (state == State::AT_BLOCK ? "in __syncthreads" : "for their warp") + " at line " +
                  std::to_string(*at);
        at = end;
      }
    }
    return report;
  }

  // The fibers that wait never go on; their stacks serve again.
  void abandon() {
    for (Fiber* fiber : by_number) {
      if (fiber == nullptr) continue;
#ifdef EMULATION_TSAN
      __tsan_destroy_fiber(fiber->sanitizer);
#endif
      prepare(fiber);
#ifndef EMULATION_TSAN
      idle.push_back(fiber);
#endif
    }
  }
};

[[noreturn]] void fiber_main() {
  Fiber* fiber = static_cast<Fiber*>(running);
  fiber->runner->arrived(fiber);
  fiber->runner->life(fiber);
}

Fiber* running_fiber() { return static_cast<Fiber*>(running); }

}  // namespace

void wait_for_block(int line) { running_fiber()->runner->wait(running_fiber(), State::AT_BLOCK, 0, line); }

void wait_for_warp(unsigned mask, int line) {
  running_fiber()->runner->wait(running_fiber(), State::AT_WARP, mask, line);
}

bool lane_is_live(unsigned lane) { return running_fiber()->runner->live_at(running->number / WARP * WARP + lane); }

Kernel* first_kernel() { return kernels; }

void add_kernel(Kernel* kernel) {
  kernel->next = kernels;
  kernels = kernel;
}

std::string run(
    const Kernel& kernel, dim3 grid, dim3 block, void* const* parameters, Order order, uint64_t seed, int workers) {
  size_t blocks = (size_t)grid.x * grid.y * grid.z;
  std::vector<size_t> sequence(order == Order::RANDOM ? blocks : 0);
  for (size_t i = 0; i < sequence.size(); i++) sequence[i] = i;
  std::shuffle(sequence.begin(), sequence.end(), std::minstd_rand((unsigned)seed + 1));

  std::mutex mutex;
  std::string failure;
  // Fibers are dear to the sanitizers: they serve all launches. A launch at a time.
  static std::vector<std::unique_ptr<Runner>> runners;
  while (runners.size() < (size_t)workers) runners.push_back(std::make_unique<Runner>());
  auto work = [&](int worker) {
    Runner& runner = *runners[worker];
    for (size_t i = worker; i < blocks; i += workers) {
      size_t b = order == Order::RANDOM ? sequence[i] : order == Order::DESCENDING ? blocks - 1 - i : i;
      uint3 index = {(unsigned)(b % grid.x), (unsigned)(b / grid.x % grid.y), (unsigned)(b / grid.x / grid.y)};
      std::string report = runner.run_block(kernel, parameters, grid, block, index, order, seed + b);
      if (!report.empty()) {
        std::lock_guard<std::mutex> lock(mutex);
        failure = report;
        return;
      }
    }
  };
  if (workers == 1) {
    work(0);
    return failure;
  }
  std::vector<std::thread> threads;
  for (int worker = 0; worker < workers; worker++) threads.emplace_back(work, worker);
  for (std::thread& thread : threads) thread.join();
  return failure;
}

}  // namespace cuda_emulation
