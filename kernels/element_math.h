// The formulas of one element or one example, float32, the same bits wherever they are compiled: nvcc and the C++
// compiler are run without contraction to fused multiply-add (-fmad=false, -ffp-contract=off); where a fused one is
// wanted it is written (fmaf). Divisions and square roots are the correctly rounded ones. The Java oracle has its own
// implementation.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#ifdef __CUDACC__
#define ZEROFIVE_FORMULA __device__ __forceinline__
#else
#define ZEROFIVE_FORMULA static inline __attribute__((always_inline))
#endif

// The constants of zerofive.backend.Optimizer, each rounded to float once.
constexpr float ONE_MINUS_BETA1 = (float)(1 - 0.9);
constexpr float BETA2 = (float)0.999;
constexpr float ONE_MINUS_BETA2 = (float)(1 - 0.999);
constexpr float ADAM_EPSILON = 1e-8f;

// The ordinals of zerofive.model.Activation and zerofive.model.Loss.
enum Activation { ACTIVATION_IDENTITY, ACTIVATION_RELU };
enum Loss { LOSS_MNIST, LOSS_BCE, LOSS_CROSS_ENTROPY };

ZEROFIVE_FORMULA uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

ZEROFIVE_FORMULA float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// A pixel in [0, 1].
ZEROFIVE_FORMULA float normalized(uint8_t pixel) { return (float)pixel / 255.0f; }

// How far an image is moved to the right and down: two signed bytes, in the layout of Augmentation.pack in Java.
ZEROFIVE_FORMULA int shift_x(int packed) { return (int8_t)packed; }
ZEROFIVE_FORMULA int shift_y(int packed) { return (int8_t)(packed >> 8); }

// NaN stays NaN.
ZEROFIVE_FORMULA float activated(int activation, float v) {
  return activation == ACTIVATION_RELU && v < 0.0f ? 0.0f : v;
}

// delta times the activation's gradient, from the activated value.
ZEROFIVE_FORMULA float activation_backward(int activation, float activated, float delta) {
  return activation == ACTIVATION_RELU && activated <= 0.0f ? 0.0f : delta;
}

// e^x for x <= 0, within 2 ulp, gradual underflow included; NaN stays NaN.
// x = n log 2 + r with |r| <= log(2) / 2; e^r by its Taylor polynomial, whose first term left out is below 6e-9.
ZEROFIVE_FORMULA float exp_nonpositive(float x) {
  const float round_to_integer = 12582912.0f;  // 1.5 * 2^23: adding it leaves an integer in the low bits
  x = x < -105.0f ? -105.0f : x;
  float shifted = fmaf(x, 1.44269504f, round_to_integer);
  float n = shifted - round_to_integer;
  float r = fmaf(n, -0.693147182f, x);
  r = fmaf(n, 1.90465430e-9f, r);
  float p = 1.0f / 5040;
  p = fmaf(p, r, 1.0f / 720);
  p = fmaf(p, r, 1.0f / 120);
  p = fmaf(p, r, 1.0f / 24);
  p = fmaf(p, r, 1.0f / 6);
  p = fmaf(p, r, 0.5f);
  p = fmaf(p, r, 1.0f);
  p = fmaf(p, r, 1.0f);
  // 2^n in two factors, so that a result below the normal numbers is rounded once.
  uint32_t exponent = bits_of(shifted) - bits_of(round_to_integer) + 256;
  uint32_t half = exponent >> 1;
  return p * float_of((half - 128 + 127) << 23) * float_of((exponent - half - 128 + 127) << 23);
}

// log(1 + e) for e in [0, 1]: 2 artanh(s) with s = e / (2 + e) <= 1/3, by its series.
ZEROFIVE_FORMULA float log1p_fraction(float e) {
  float s = e / (2.0f + e);
  float t = s * s;
  float p = 1.0f / 15;
  p = fmaf(p, t, 1.0f / 13);
  p = fmaf(p, t, 1.0f / 11);
  p = fmaf(p, t, 1.0f / 9);
  p = fmaf(p, t, 1.0f / 7);
  p = fmaf(p, t, 1.0f / 5);
  p = fmaf(p, t, 1.0f / 3);
  return fmaf(s * t, 2.0f * p, 2.0f * s);
}

// log(x) for x >= 1: x = 2^n m with m in (sqrt(1/2), sqrt(2)], log m as above; NaN stays NaN.
ZEROFIVE_FORMULA float log_from_one(float x) {
  uint32_t bits = bits_of(x);
  float n = (float)(int32_t)(bits >> 23) - 127.0f;
  float m = float_of((bits & 0x7fffffu) | 0x3f800000u);
  bool upper = m > 1.41421354f;
  m = upper ? 0.5f * m : m;
  n = upper ? n + 1.0f : n;
  float s = (m - 1.0f) / (m + 1.0f);
  float t = s * s;
  float p = 1.0f / 9;
  p = fmaf(p, t, 1.0f / 7);
  p = fmaf(p, t, 1.0f / 5);
  p = fmaf(p, t, 1.0f / 3);
  return fmaf(n, 0.693147182f, fmaf(s * t, 2.0f * p, 2.0f * s)) + (x - x);
}

// 1 / (1 + e^-z), without overflow; 1 - sigmoid(z) is sigmoid(-z), exact also near 1.
ZEROFIVE_FORMULA float sigmoid(float z) {
  float e = exp_nonpositive(-fabsf(z));
  return (z >= 0.0f ? 1.0f : e) / (1.0f + e);
}

// The loss of an example with one logit (mnist, bce); target 0 is the positive class.
ZEROFIVE_FORMULA float binary_loss(int loss, float z, int target) {
  float v = target == 0 ? -z : z;
  if (loss == LOSS_MNIST) return sigmoid(v);
  return activated(ACTIVATION_RELU, v) + log1p_fraction(exp_nonpositive(-fabsf(v)));
}

// d(binary_loss) / dz.
ZEROFIVE_FORMULA float binary_loss_grad(int loss, float z, int target) {
  float v = target == 0 ? -z : z;
  float e = exp_nonpositive(-fabsf(z));
  float gradient = loss == LOSS_MNIST ? e / ((1.0f + e) * (1.0f + e)) : sigmoid(v);
  return target == 0 ? -gradient : gradient;
}

// The maximum of a row of logits and the sum of exp(z[j] - max): -log softmax(z)[target] = log(exp_sum) + max -
// z[target].
struct SoftmaxRow {
  float max;
  float exp_sum;
};

ZEROFIVE_FORMULA SoftmaxRow softmax_row(const float* z, int outputs) {
  SoftmaxRow row = {z[0], 0.0f};
  for (int j = 1; j < outputs; j++) row.max = z[j] > row.max ? z[j] : row.max;
  for (int j = 0; j < outputs; j++) row.exp_sum += exp_nonpositive(z[j] - row.max);
  return row;
}

ZEROFIVE_FORMULA float softmax_loss(SoftmaxRow row, const float* z, int target) {
  return log_from_one(row.exp_sum) + (row.max - z[target]);
}

// d(softmax_loss) / dz[j].
ZEROFIVE_FORMULA float softmax_grad(SoftmaxRow row, const float* z, int target, int j) {
  float probability = exp_nonpositive(z[j] - row.max) / row.exp_sum;
  return j == target ? probability - 1.0f : probability;
}

// Whether a row of logits is classified as target; a row with a NaN is never correct, and of equal logits the first
// wins.
ZEROFIVE_FORMULA bool is_correct(const float* z, int outputs, int target) {
  if (outputs == 1) return target == 0 ? z[0] > 0.0f : z[0] <= 0.0f;
  bool right = true;
  for (int j = 0; j < outputs; j++) right = right && (j < target ? z[j] < z[target] : z[j] <= z[target]);
  return right;
}

// A decay or momentum of 0 leaves its term out: 0 times an infinite weight would be NaN.
ZEROFIVE_FORMULA float add_weight_decay(float g, float w, float decay) { return decay != 0.0f ? g + decay * w : g; }

// SGD with momentum: the new velocity, which is also the direction of the step. Called where momentum is not 0.
ZEROFIVE_FORMULA float momentum_update(float v, float g, float momentum) { return momentum * v + g; }

// One step of SGD along g.
ZEROFIVE_FORMULA float sgd_step(float w, float g, float learning_rate) { return w - learning_rate * g; }

ZEROFIVE_FORMULA float adam_first_moment(float m, float g) { return m + ONE_MINUS_BETA1 * (g - m); }

ZEROFIVE_FORMULA float adam_second_moment(float v, float g) { return BETA2 * v + ONE_MINUS_BETA2 * (g * g); }

// step_size and bias_correction2_sqrt hold Adam's bias corrections; Java computes them.
ZEROFIVE_FORMULA float adam_step(float w, float m, float v, float step_size, float bias_correction2_sqrt) {
  return w - step_size * (m / (sqrtf(v) / bias_correction2_sqrt + ADAM_EPSILON));
}
