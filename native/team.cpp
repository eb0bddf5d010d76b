#include "team.h"

#include <limits.h>
#include <sched.h>
#include <time.h>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace zerofive {

namespace {

// The others are mostly some microseconds behind. Whoever waits longer lets other programs have the core, and at last sleeps.
constexpr int SPINS = 400;
constexpr int YIELDS = 60;

// A wait that is longer than one's own share and this, in nanoseconds, is for a member that has lost its core.
constexpr int64_t LOST = 150000;

// How long the caller then works alone, at first and at most.
constexpr int64_t LEAST_ALONE = 20000000;
constexpr int64_t MOST_ALONE = 320000000;

int64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");
#endif
}

#if defined(__linux__)
void sleep_while(const std::atomic<uint32_t>& word, uint32_t old) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
}

void wake_sleepers(std::atomic<uint32_t>& word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}
#else
// Without a futex: short naps, and nobody to wake.
void sleep_while(const std::atomic<uint32_t>&, uint32_t) {
  timespec nap = {0, 100000};
  nanosleep(&nap, nullptr);
}

void wake_sleepers(std::atomic<uint32_t>&) {}
#endif

// Waits until the word has changed.
void wait(const std::atomic<uint32_t>& word, uint32_t old, std::atomic<uint32_t>& sleepers) {
  for (int i = 0; i < SPINS; i++) {
    if (word.load(std::memory_order_acquire) != old) return;
    pause();
  }
  for (int i = 0; i < YIELDS; i++) {
    if (word.load(std::memory_order_acquire) != old) return;
    sched_yield();
  }
  sleepers.fetch_add(1);
  while (word.load() == old) sleep_while(word, old);
  sleepers.fetch_sub(1);
}

// Changes the word, and wakes who sleeps for that.
void change(std::atomic<uint32_t>& word, const std::atomic<uint32_t>& sleepers) {
  word.fetch_add(1);
  if (sleepers.load() > 0) wake_sleepers(word);
}

}  // namespace

// Whether the others have been called; else the caller is to do their shares as well.
bool Team::begin(Call call, const void* context) {
  begun_ = now();
  if (begun_ < alone_until_) return false;
  publish(call, context);
  return true;
}

void Team::publish(Call call, const void* context) {
  call_ = call;
  context_ = context;
  shares_.store(0, std::memory_order_relaxed);
  change(jobs_, sleepers_);
}

void Team::finish() {
  int64_t own_end = now();
  uint32_t others = (uint32_t)threads_ - 1;
  for (uint32_t done; (done = shares_.load(std::memory_order_acquire)) < others;) wait(shares_, done, sleepers_);
  int64_t end = now();
  if (end - own_end > own_end - begun_ + LOST) {
    next_alone_ = next_alone_ == 0 ? LEAST_ALONE : next_alone_ < MOST_ALONE ? 2 * next_alone_ : MOST_ALONE;
    alone_until_ = end + next_alone_;
  } else if (next_alone_ != 0 && end - alone_until_ > MOST_ALONE) {
    next_alone_ = 0;
  }
}

void Team::meet() {
  publish([](const void*, int) {}, nullptr);
  uint32_t others = (uint32_t)threads_ - 1;
  for (uint32_t done; (done = shares_.load(std::memory_order_acquire)) < others;) wait(shares_, done, sleepers_);
}

void Team::serve(int member) {
  for (uint32_t job = 0;; job++) {
    wait(jobs_, job, sleepers_);
    if (call_ == nullptr) break;
    call_(context_, member);
    change(shares_, sleepers_);
  }
  shares_.fetch_add(1, std::memory_order_release);
}

void Team::dismiss() {
  if (threads_ == 1) return;
  publish(nullptr, nullptr);
  while (shares_.load(std::memory_order_acquire) + 1 < (uint32_t)threads_) sched_yield();
}

}  // namespace zerofive
