// A team of threads that work on one job together. Its other members are threads of Java's that came to serve(); so this
// library needs no thread of its own, and no thread library.
#pragma once

#include <stdint.h>

#include <atomic>

namespace zerofive {

class Team {
 public:
  explicit Team(int threads) : threads_(threads) {}

  int threads() const { return threads_; }

  // Calls work(member) on every member, the caller being number 0, and waits for all of them.
  template <typename Work>
  void run(const Work& work) {
    if (threads_ == 1) {
      work(0);
      return;
    }
    begin([](const void* context, int member) { (*(const Work*)context)(member); }, &work);
    work(0);
    meet();
  }

  // As run, where the work is worth it; else the caller does every member's share.
  template <typename Work>
  void run_if(bool worth_it, const Work& work) {
    if (worth_it) {
      run(work);
    } else {
      for (int member = 0; member < threads_; member++) work(member);
    }
  }

  // Inside run: waits until every member is here, and what each wrote is seen by all.
  void meet();

  // Works as number `member` until the team is dismissed.
  void serve(int member);

  // Sends the other members home and waits until they have left.
  void dismiss();

 private:
  using Call = void (*)(const void* context, int member);

  void begin(Call call, const void* context);
  void wait(const std::atomic<uint32_t>& word, uint32_t old);
  void wake(std::atomic<uint32_t>& word);

  const int threads_;
  Call call_ = nullptr;
  const void* context_ = nullptr;

  // Each on a cache line of its own: how many jobs were begun, how many meetings were held, who has come to the next.
  alignas(128) std::atomic<uint32_t> jobs_{0};
  alignas(128) std::atomic<uint32_t> meetings_{0};
  alignas(128) std::atomic<uint32_t> here_{0};
  alignas(128) std::atomic<uint32_t> parked_{0};
};

// Member number `member`'s share of [0, count), in whole units.
inline int64_t share(int64_t count, int64_t unit, int member, int threads) {
  int64_t units = (count + unit - 1) / unit;
  int64_t edge = units * member / threads * unit;
  return edge < count ? edge : count;
}

}  // namespace zerofive
