// One optimiser step on n parameters w with gradient g. Row `step` of rates f32 [steps, 4] holds the learning rate, Adam's
// step size, Adam's root and AdamW's factor; Java makes them, so that no power is taken here.
#include "native.h"

namespace INSTRUCTION_SET {

// moments: the velocity v [n], read and written where momentum is not 0.
INLINE void update_sgd(
    int64_t n, float* __restrict__ w, const float* __restrict__ g, float* __restrict__ moments, const float* rates,
    float momentum, float decay) {
  float rate = rates[0];
  if (momentum == 0.0f) {
    for (int64_t i = 0; i < n; i++) w[i] = sgd_step(w[i], add_weight_decay(g[i], w[i], decay), rate);
    return;
  }
  for (int64_t i = 0; i < n; i++) {
    moments[i] = momentum_update(moments[i], add_weight_decay(g[i], w[i], decay), momentum);
    w[i] = sgd_step(w[i], moments[i], rate);
  }
}

// means [n], squares [n]: Adam's two moments. decoupled: AdamW, which shrinks the weights by its factor and adds no decay to
// the gradient.
INLINE void update_adam(
    int64_t n, float* __restrict__ w, const float* __restrict__ g, float* __restrict__ means,
    float* __restrict__ squares, const float* rates, float decay, bool decoupled) {
  float step_size = rates[1];
  float root = rates[2];
  float factor = decoupled ? rates[3] : 1.0f;
  if (decoupled) decay = 0.0f;
  for (int64_t i = 0; i < n; i++) {
    float weight = factor * w[i];
    float gradient = add_weight_decay(g[i], weight, decay);
    means[i] = adam_first_moment(means[i], gradient);
    squares[i] = adam_second_moment(squares[i], gradient);
    w[i] = adam_step(weight, means[i], squares[i], step_size, root);
  }
}

// Where the values of a kind begin that an optimiser may not keep.
INLINE float* from(float* values, int64_t offset) { return values != nullptr ? values + offset : nullptr; }

// first, second: the optimiser's values for these n parameters, as many as it keeps.
void update_some(
    const Optimizer& optimizer, int64_t n, float* w, const float* g, float* first, float* second, const float* rates) {
  if (optimizer.kind == OPTIMIZER_SGD) {
    update_sgd(n, w, g, first, rates, optimizer.momentum, optimizer.decay);
  } else {
    update_adam(n, w, g, first, second, rates, optimizer.decay, optimizer.kind == OPTIMIZER_ADAMW);
  }
}

void update(
    Team* team, int kind, float momentum, float decay, int64_t n, float* w, const float* g, float* moments,
    const float* rates, int step) {
  Optimizer optimizer = {kind, momentum, decay};
  team->run_if(n > WORTH_SHARING, [=](int member) {
    int64_t begin = share(n, LANES, member, team->threads());
    int64_t end = share(n, LANES, member + 1, team->threads());
    update_some(optimizer, end - begin, w + begin, g + begin, moments + begin, moments + n + begin, rates + (int64_t)step * RATES);
  });
}

}  // namespace INSTRUCTION_SET
