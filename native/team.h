// A team of threads that work on one job together. Its other members are threads of Java's that came to serve(); so this
// library needs no thread of its own, and no thread library.
//
// What a job gives must not depend on who does which share: where another program holds a core, a member that waits for it holds
// up all the others, and the caller had better do every share itself for a while.
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

  // As run; the caller does every share itself where the work is not worth waking the others.
  template <typename Work>
  void run_if(bool worth_it, const Work& work) {
    if (worth_it && threads_ > 1 && begin([](const void* context, int member) { (*(const Work*)context)(member); }, &work)) {
      work(0);
      finish();
    } else {
      for (int member = 0; member < threads_; member++) work(member);
    }
  }

  // Works as number `member` until the team is dismissed.
  void serve(int member);

  // Waits until every other member serves.
  void meet();

  // Sends the other members home and waits until they have left.
  void dismiss();

 private:
  using Call = void (*)(const void* context, int member);

  bool begin(Call call, const void* context);
  void publish(Call call, const void* context);
  void finish();

  const int threads_;
  Call call_ = nullptr;
  const void* context_ = nullptr;

  // Whether members slept when the present job began, and when that was; the time lost to late members, and when that was last judged; until when the caller works
  // alone, and for how long it did the last time. In nanoseconds.
  bool asleep_ = false;
  int64_t begun_ = 0;
  int64_t lost_ = 0;
  int64_t judged_ = 0;
  int64_t alone_until_ = 0;
  int64_t next_alone_ = 0;

  // Each on a cache line of its own: how many jobs were begun, how often a member has done its share, and who sleeps.
  alignas(128) std::atomic<uint32_t> jobs_{0};
  alignas(128) std::atomic<uint32_t> shares_{0};
  alignas(128) std::atomic<uint32_t> sleepers_{0};
};

// Member number `member`'s share of [0, count), in whole units.
inline int64_t share(int64_t count, int64_t unit, int member, int threads) {
  int64_t units = (count + unit - 1) / unit;
  int64_t edge = units * member / threads * unit;
  return edge < count ? edge : count;
}

}  // namespace zerofive
