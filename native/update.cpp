// One optimiser step on n parameters w with gradient g. Row `step` of step_parameters f32 [steps, 4] holds the learning
// rate, Adam's step size, Adam's bias_correction2_sqrt and AdamW's decay factor; Java computes them in double.
#include "native.h"

namespace INSTRUCTION_SET {

// moments: the velocity v [n], read and written where momentum is not 0.
INLINE void update_sgd(
    int64_t n, float* __restrict__ w, const float* __restrict__ g, float* __restrict__ moments,
    const float* step_parameters, float momentum, float decay) {
  float learning_rate = step_parameters[0];
  if (momentum == 0.0f) {
    for (int64_t i = 0; i < n; i++) w[i] = sgd_step(w[i], add_weight_decay(g[i], w[i], decay), learning_rate);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    moments[i] = momentum_update(moments[i], add_weight_decay(g[i], w[i], decay), momentum);
    w[i] = sgd_step(w[i], moments[i], learning_rate);
  }
}

// first_moments [n], second_moments [n]: those of Adam. decoupled: AdamW, which multiplies the weights by its decay
// factor and adds no decay to the gradient.
INLINE void update_adam(
    int64_t n, float* __restrict__ w, const float* __restrict__ g, float* __restrict__ first_moments,
    float* __restrict__ second_moments, const float* step_parameters, float decay, bool decoupled) {
  float step_size = step_parameters[1];
  float bias_correction2_sqrt = step_parameters[2];
  float decay_factor = decoupled ? step_parameters[3] : 1.0f;
  if (decoupled) decay = 0.0f;
  for (int64_t i = 0; i < n; i++) {
    float weight = decay_factor * w[i];
    float gradient = add_weight_decay(g[i], weight, decay);
    first_moments[i] = adam_first_moment(first_moments[i], gradient);
    second_moments[i] = adam_second_moment(second_moments[i], gradient);
    w[i] = adam_step(weight, first_moments[i], second_moments[i], step_size, bias_correction2_sqrt);
  }
}

// values + offset; null for a moment that the optimiser does not have.
INLINE float* offset_or_null(float* values, int64_t offset) { return values != nullptr ? values + offset : nullptr; }

// first, second: the optimiser's moments of these n parameters, as many as it has.
void update_range(
    const Optimizer& optimizer, int64_t n, float* w, const float* g, float* first, float* second,
    const float* step_parameters) {
  if (optimizer.kind == OPTIMIZER_SGD) {
    update_sgd(n, w, g, first, step_parameters, optimizer.momentum, optimizer.decay);
  } else {
    update_adam(n, w, g, first, second, step_parameters, optimizer.decay, optimizer.kind == OPTIMIZER_ADAMW);
  }
}

void update(
    Team* team, int kind, float momentum, float decay, int64_t n, float* w, const float* g, float* moments,
    const float* step_parameters, int step) {
  Optimizer optimizer = {kind, momentum, decay};
  team->run_if(n > PARALLEL_THRESHOLD, [=](int member) {
    int64_t start = chunk_start(n, LANES, member, team->threads());
    int64_t end = chunk_start(n, LANES, member + 1, team->threads());
    update_range(
        optimizer, end - start, w + start, g + start, moments + start, moments + n + start,
        step_parameters + (int64_t)step * STEP_PARAMETERS);
  });
}

}  // namespace INSTRUCTION_SET
