// A team of threads that work on one job together. Its other members are Java threads that call serve(); so this
// library needs no threads of its own, and no thread library.
//
// The result of a job must not depend on which thread does which part: where another program holds a core, a member
// that waits for it delays all the others, and it is faster for the caller to do every part itself for a while.
#pragma once

#include <stdint.h>

#include <atomic>

namespace zerofive {

class Team {
 public:
  explicit Team(int threads) : threads_(threads) {}

  int threads() const { return threads_; }

  // Calls work(member) once for each member, at the same time where that is faster, and waits until all have returned.
  template <typename Work>
  void run(const Work& work) {
    run_if(true, work);
  }

  // As run; the caller does every part itself where the work is too small to be worth waking the others.
  template <typename Work>
  void run_if(bool parallel, const Work& work) {
    if (parallel && threads_ > 1 &&
        start([](const void* context, int member) { (*(const Work*)context)(member); }, &work)) {
      work(0);
      finish();
    } else {
      for (int member = 0; member < threads_; member++) work(member);
    }
  }

  // Works as number `member` until the team is stopped.
  void serve(int member);

  // Waits until every other member serves.
  void wait_ready();

  // Makes serve() return in every other member and waits until it has.
  void stop();

 private:
  using Call = void (*)(const void* context, int member);

  bool start(Call call, const void* context);
  void publish(Call call, const void* context);
  void finish();

  const int threads_;
  Call call_ = nullptr;
  const void* context_ = nullptr;

  // Whether members slept when the current job started, and when that was; the time lost to late members, and when that
  // was last updated; until when the caller works alone, and for how long it did the last time. In nanoseconds.
  bool asleep_ = false;
  int64_t started_ = 0;
  int64_t lost_ = 0;
  int64_t updated_ = 0;
  int64_t alone_until_ = 0;
  int64_t alone_for_ = 0;

  // Each on a cache line of its own: the number of jobs started, of members that are done with the current one, and of
  // members that sleep.
  alignas(128) std::atomic<uint32_t> jobs_{0};
  alignas(128) std::atomic<uint32_t> done_{0};
  alignas(128) std::atomic<uint32_t> sleepers_{0};
};

// The start of member number `member`'s chunk of [0, count), in multiples of `unit`; that of member + 1 is its end.
inline int64_t chunk_start(int64_t count, int64_t unit, int member, int threads) {
  int64_t units = (count + unit - 1) / unit;
  int64_t edge = units * member / threads * unit;
  return edge < count ? edge : count;
}

}  // namespace zerofive
