// The peak throughput of this machine with this instruction set, with which the speed of a training is compared.
#include "native.h"

namespace INSTRUCTION_SET {

// Independent chains, as many as the registers hold: more than enough to hide the latency of one.
constexpr int CHAINS = TILE_ROWS * TILE_LANES;

constexpr int64_t PAGE = 4096;

// Every member computes x = a x + b `steps` times in each of CHAINS chains of LANES floats that start at 0, and writes
// the sum of the chains to sums f32 [threads, 16], so that the compiler can leave out no step. Returns the number of
// multiply-adds of all members.
int64_t multiply_adds(Team* team, int64_t steps, float a, float b, float* sums) {
  team->run([=](int member) {
    Lanes factor = broadcast(a), term = broadcast(b), chains[CHAINS];
    for (int i = 0; i < CHAINS; i++) chains[i] = zero();
    for (int64_t step = 0; step < steps; step++) {
#pragma GCC unroll 24
      for (int i = 0; i < CHAINS; i++) chains[i] = multiply_add(factor, chains[i], term);
    }
    Lanes total = zero();
    for (int i = 0; i < CHAINS; i++) total = add(total, chains[i]);
    store(sums + member * LANES, total);
  });
  return team->threads() * steps * CHAINS * LANES;
}

// Copies `bytes` bytes `times` times, partitioned among the members. Returns the number of bytes read and written.
int64_t copy_memory(Team* team, int64_t times, const void* from, void* to, int64_t bytes) {
  team->run([=](int member) {
    int64_t start = chunk_start(bytes, PAGE, member, team->threads());
    int64_t end = chunk_start(bytes, PAGE, member + 1, team->threads());
    for (int64_t i = 0; i < times; i++) memcpy((char*)to + start, (const char*)from + start, (size_t)(end - start));
  });
  return 2 * times * bytes;
}

}  // namespace INSTRUCTION_SET
