// One optimiser step on n parameters w with gradient g. Row `step` of step_parameters f32 [steps, 4] holds the learning
// rate, Adam's step size, Adam's bias_correction2_sqrt and AdamW's decay factor; Java computes them in double. A thread
// a parameter.
#include "launch.cuh"

// moments: the velocity v [n], read and written where momentum is not 0.
extern "C" __global__ __launch_bounds__(THREADS) void update_sgd(
    unsigned int n, float* __restrict__ w, const float* __restrict__ g, float* __restrict__ moments,
    const float* __restrict__ step_parameters, int step, float momentum, float decay) {
  unsigned int i = element_index();
  if (i >= n) return;
  float gradient = add_weight_decay(g[i], w[i], decay);
  if (momentum != 0.0f) {
    gradient = momentum_update(moments[i], gradient, momentum);
    moments[i] = gradient;
  }
  w[i] = sgd_step(w[i], gradient, step_parameters[step * STEP_PARAMETERS]);
}

// moments: m [n], then v [n]. decoupled: AdamW, which multiplies the weights by its decay factor and adds no decay to
// the gradient.
extern "C" __global__ __launch_bounds__(THREADS) void update_adam(
    unsigned int n, float* __restrict__ w, const float* __restrict__ g, float* __restrict__ moments,
    const float* __restrict__ step_parameters, int step, float decay, int decoupled) {
  unsigned int i = element_index();
  if (i >= n) return;
  const float* row = step_parameters + step * STEP_PARAMETERS;
  float weight = decoupled ? row[3] * w[i] : w[i];
  float gradient = decoupled ? g[i] : add_weight_decay(g[i], weight, decay);
  float m = adam_first_moment(moments[i], gradient);
  float v = adam_second_moment(moments[n + i], gradient);
  moments[i] = m;
  moments[n + i] = v;
  w[i] = adam_step(weight, m, v, row[1], row[2]);
}
