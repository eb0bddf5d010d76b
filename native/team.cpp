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

// The others are usually some microseconds behind. A thread that waits longer yields its core to other programs. The
// time between two epochs is spent so as well, in nanoseconds, since a sleeping core takes the better part of a
// millisecond to wake up.
constexpr int SPINS = 400;
constexpr int64_t YIELDING = 3000000;

// A wait longer than the caller's own part took is time lost to a member without a core. An eighth of all time may be
// lost to short interruptions; this much more, in nanoseconds, means that another program has the core.
constexpr int64_t MAX_LOST = 2000000;
constexpr int64_t TOLERATED_DIVISOR = 8;

// What a sleeping member may take to wake up, in nanoseconds, without that counting as lost.
constexpr int64_t WAKE_UP = 5000000;

// How long the caller then works alone, at first and at most, in nanoseconds.
constexpr int64_t MIN_ALONE = 4000000;
constexpr int64_t MAX_ALONE = 320000000;

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
// Without a futex: short sleeps, which nothing has to end.
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

// Changes the word and wakes the threads that sleep on it.
void change(std::atomic<uint32_t>& word, const std::atomic<uint32_t>& sleepers) {
  word.fetch_add(1);
  if (sleepers.load() > 0) wake_sleepers(word);
}

}  // namespace

// Returns whether the others were called; else the caller has to do their parts as well.
bool Team::start(Call call, const void* context) {
  started_ = now();
  if (started_ < alone_until_) return false;
  asleep_ = sleepers_.load() > 0;
  publish(call, context);
  return true;
}

void Team::publish(Call call, const void* context) {
  call_ = call;
  context_ = context;
  done_.store(0, std::memory_order_relaxed);
  change(jobs_, sleepers_);
}

void Team::finish() {
  int64_t own_end = now();
  uint32_t others = (uint32_t)threads_ - 1;
  for (uint32_t done; (done = done_.load(std::memory_order_acquire)) < others;) wait(done_, done, sleepers_);
  int64_t end = now();
  lost_ -= (end - updated_) / TOLERATED_DIVISOR;
  if (lost_ < 0) lost_ = 0;
  updated_ = end;
  int64_t late = (end - own_end) - (own_end - started_);
  if (late > (asleep_ ? WAKE_UP : 0)) lost_ += late;
  if (lost_ > MAX_LOST) {
    lost_ = 0;
    alone_for_ = alone_for_ == 0 ? MIN_ALONE : alone_for_ < MAX_ALONE ? 2 * alone_for_ : MAX_ALONE;
    alone_until_ = end + alone_for_;
  } else if (end - alone_until_ > alone_for_) {
    alone_for_ = 0;
  }
}

void Team::wait_ready() {
  publish([](const void*, int) {}, nullptr);
  uint32_t others = (uint32_t)threads_ - 1;
  for (uint32_t done; (done = done_.load(std::memory_order_acquire)) < others;) wait(done_, done, sleepers_);
}

void Team::serve(int member) {
  for (uint32_t job = 0;; job++) {
    wait(jobs_, job, sleepers_);
    if (call_ == nullptr) break;
    call_(context_, member);
    change(done_, sleepers_);
  }
  done_.fetch_add(1, std::memory_order_release);
}

void Team::stop() {
  if (threads_ == 1) return;
  publish(nullptr, nullptr);
  while (done_.load(std::memory_order_acquire) + 1 < (uint32_t)threads_) sched_yield();
}

}  // namespace zerofive
