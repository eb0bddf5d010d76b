// What this machine can do at most with this instruction set, with which a training's speed is compared.
#include "native.h"

namespace INSTRUCTION_SET {

// Chains that do not wait for each other, as many as the registers hold: more than enough to hide the latency of one.
constexpr int CHAINS = TILE_ROWS * TILE_LANES;

constexpr int64_t PAGE = 4096;

// Every member takes so many steps x = a x + b along CHAINS chains of LANES floats that begin at 0, and leaves their sum in
// sums f32 [threads, 16], so that no step can be left out. Returns how many multiply-adds all of them did.
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

// Copies so many bytes so many times, every member its share. Returns the bytes read and written.
int64_t copy_memory(Team* team, int64_t times, const void* from, void* to, int64_t bytes) {
  team->run([=](int member) {
    int64_t begin = share(bytes, PAGE, member, team->threads());
    int64_t end = share(bytes, PAGE, member + 1, team->threads());
    for (int64_t i = 0; i < times; i++) memcpy((char*)to + begin, (const char*)from + begin, (size_t)(end - begin));
  });
  return 2 * times * bytes;
}

}  // namespace INSTRUCTION_SET
