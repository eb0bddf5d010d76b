#include "team.h"

#include <limits.h>
#include <time.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <sched.h>

namespace zerofive {

namespace {

// A meeting's last member is mostly some microseconds behind. Whoever waits longer lets other programs have the core,
// and at last sleeps: on a core shared with a busy program, spinning would steal the time its own team needs.
constexpr int SPINS = 400;
constexpr int YIELDS = 100;

inline void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

#if defined(__linux__)
void park(const std::atomic<uint32_t>& word, uint32_t old) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
}

void unpark(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}
#else
// Without a futex: short sleeps, and nobody to wake.
void park(const std::atomic<uint32_t>&, uint32_t) {
  timespec nap = {0, 100000};
  nanosleep(&nap, nullptr);
}

void unpark(std::atomic<uint32_t>&) {}
#endif

}  // namespace

void Team::wait(const std::atomic<uint32_t>& word, uint32_t old) {
  for (int i = 0; i < SPINS; i++) {
    if (word.load(std::memory_order_acquire) != old) return;
    pause();
  }
  for (int i = 0; i < YIELDS; i++) {
    if (word.load(std::memory_order_acquire) != old) return;
    sched_yield();
  }
  parked_.fetch_add(1);
  while (word.load() == old) park(word, old);
  parked_.fetch_sub(1);
}

void Team::wake(std::atomic<uint32_t>& word) {
  word.fetch_add(1);
  if (parked_.load() > 0) unpark(word);
}

void Team::begin(Call call, const void* context) {
  call_ = call;
  context_ = context;
  wake(jobs_);
}

void Team::meet() {
  if (threads_ == 1) return;
  uint32_t meeting = meetings_.load(std::memory_order_acquire);
  if (here_.fetch_add(1, std::memory_order_acq_rel) + 1 == (uint32_t)threads_) {
    here_.store(0, std::memory_order_relaxed);
    wake(meetings_);
  } else {
    wait(meetings_, meeting);
  }
}

void Team::serve(int member) {
  for (uint32_t job = 0;; job++) {
    wait(jobs_, job);
    if (call_ == nullptr) break;
    call_(context_, member);
    meet();
  }
  here_.fetch_add(1, std::memory_order_acq_rel);
}

void Team::dismiss() {
  if (threads_ == 1) return;
  begin(nullptr, nullptr);
  while (here_.load(std::memory_order_acquire) + 1 < (uint32_t)threads_) sched_yield();
}

}  // namespace zerofive
