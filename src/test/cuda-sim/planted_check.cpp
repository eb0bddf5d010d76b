// Runs the one kernel it is linked with on two blocks; exits with 0 when every element became 1, 3 when the launch
// failed.
#include <stdio.h>

#include <memory>

#include "cuda_emulation.h"

int main() {
  using namespace cuda_emulation;
  constexpr unsigned THREADS = 256;
  std::unique_ptr<float[]> values(new float[THREADS]());
  float* address = values.get();
  void* parameters[] = {&address};
  // A report is all a planted fault should leave: two blocks on two host threads, which share nothing else.
  bool two_blocks = first_kernel()->name == std::string("racing_blocks");
  std::string failure =
      run(*first_kernel(), {two_blocks ? 2u : 1u}, {THREADS}, parameters, Order::ASCENDING, 0, two_blocks ? 2 : 1);
  if (!failure.empty()) {
    printf("%s\n", failure.c_str());
    return 3;
  }
  for (unsigned i = 0; i < THREADS; i++) {
    if (values[i] != 1.0f) return 1;
  }
  return 0;
}
