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

// The others are mostly some microseconds behind. Whoever waits longer lets other programs have the core. What lies between two
// epochs is passed so as well, in nanoseconds, for a core that has gone to sleep takes the better part of one to come back.
constexpr int SPINS = 400;
constexpr int64_t YIELDING = 3000000;

// A wait that is longer than one's own share was is time lost to a member without a core. An eighth of all time may be lost
// so, to short interruptions; this much beyond it, in nanoseconds, means that another program has the core.
constexpr int64_t MOST_LOST = 2000000;
constexpr int64_t FORGIVEN = 8;

// What a member that slept may take to come, in nanoseconds, and it is no loss.
constexpr int64_t AWAKENING = 5000000;

// How long the caller then works alone, at first and at most, in nanoseconds.
constexpr int64_t LEAST_ALONE = 4000000;
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
  for (int64_t end = now() + YIELDING; now() < end;) {
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
  asleep_ = sleepers_.load() > 0;
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
  lost_ -= (end - judged_) / FORGIVEN;
  if (lost_ < 0) lost_ = 0;
  judged_ = end;
  int64_t late = (end - own_end) - (own_end - begun_);
  if (late > (asleep_ ? AWAKENING : 0)) lost_ += late;
  if (lost_ > MOST_LOST) {
    lost_ = 0;
    next_alone_ = next_alone_ == 0 ? LEAST_ALONE : next_alone_ < MOST_ALONE ? 2 * next_alone_ : MOST_ALONE;
    alone_until_ = end + next_alone_;
  } else if (end - alone_until_ > next_alone_) {
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
