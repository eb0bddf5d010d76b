// delta[i] = delta[i] times the activation's gradient, computed from the activated value. Both f32 [elements].
#include "native.h"

namespace INSTRUCTION_SET {

void activation_gradient(Team* team, int activation, int64_t elements, const float* values, float* delta) {
  team->run_if(elements > PARALLEL_THRESHOLD, [=](int member) {
    int64_t end = chunk_start(elements, LANES, member + 1, team->threads());
    for (int64_t i = chunk_start(elements, LANES, member, team->threads()); i < end; i++) {
      delta[i] = activation_backward(activation, values[i], delta[i]);
    }
  });
}

}  // namespace INSTRUCTION_SET
