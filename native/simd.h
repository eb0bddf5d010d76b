// Vectors of sixteen floats, implemented once for each instruction set; code written with them gives the same bits
// under all of them.
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define INLINE_MEMBER inline __attribute__((always_inline))

namespace INSTRUCTION_SET {

constexpr int LANES = 16;

// a * b + c, rounded once.
#if defined(__FP_FAST_FMAF) || defined(__FMA__) || defined(__ARM_FEATURE_FMA)
INLINE float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
// Without an instruction for it: the product is exact in double; its sum with c is rounded to odd there (the last bit
// is set where the sum is not exact), and that rounds to the right float. (Boldo and Melquiond, Emulation of FMA and
// correctly rounded sums, 2008.)
INLINE float fused(float a, float b, float c) {
  double product = (double)a * b;
  double sum = product + c;
  double from_c = sum - product;
  double error = (product - (sum - from_c)) + (c - from_c);
  int64_t bits;
  memcpy(&bits, &sum, sizeof bits);
  // False for NaN, which comes of sums that are not finite.
  bool inexact = error < 0.0 || error > 0.0;
  bits += inexact && (bits & 1) == 0 ? ((error > 0.0) == (sum > 0.0) ? 1 : -1) : 0;
  memcpy(&sum, &bits, sizeof sum);
  return (float)sum;
}
#endif

#if defined(__AVX512F__)

using Lanes = __m512;
// Four floats, repeated in each quarter of the lanes.
using Quad = __m512;
// What the registers have room for: a tile of a matrix product, and the lanes of a sparse product.
constexpr int TILE_ROWS = 12;
constexpr int TILE_LANES = 2;
constexpr int SPARSE_LANES = 2;

INLINE Lanes zero() { return _mm512_setzero_ps(); }
INLINE Lanes broadcast(float value) { return _mm512_set1_ps(value); }
INLINE Lanes load(const float* from) { return _mm512_loadu_ps(from); }
INLINE void store(float* to, Lanes a) { _mm512_storeu_ps(to, a); }
INLINE Lanes add(Lanes a, Lanes b) { return _mm512_add_ps(a, b); }
INLINE Lanes subtract(Lanes a, Lanes b) { return _mm512_sub_ps(a, b); }
INLINE Lanes multiply(Lanes a, Lanes b) { return _mm512_mul_ps(a, b); }
INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) { return _mm512_fmadd_ps(a, b, c); }
// NaN stays NaN.
INLINE Lanes relu(Lanes a) { return _mm512_max_ps(_mm512_setzero_ps(), a); }
INLINE Lanes load_bytes(const uint8_t* from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i*)from)));
}
// The low bytes of four 16-bit numbers. Broadcast as they are loaded, which takes no arithmetic unit's time.
INLINE Quad load_low_bytes(const uint16_t* from) {
  int64_t packed;
  memcpy(&packed, from, sizeof packed);
  const __m512i at = _mm512_set4_epi32((int)0xffffff06, (int)0xffffff04, (int)0xffffff02, (int)0xffffff00);
  return _mm512_cvtepi32_ps(_mm512_shuffle_epi8(_mm512_set1_epi64(packed), at));
}
INLINE Quad load_four_bytes(const uint8_t* from) {
  int32_t packed;
  memcpy(&packed, from, sizeof packed);
  const __m512i at = _mm512_set4_epi32((int)0xffffff03, (int)0xffffff02, (int)0xffffff01, (int)0xffffff00);
  return _mm512_cvtepi32_ps(_mm512_shuffle_epi8(_mm512_set1_epi32(packed), at));
}
template <int I>
INLINE Lanes broadcast_lane(Quad a) {
  return _mm512_permute_ps(a, I * 0x55);
}
INLINE __m256 add_halves(Lanes a) {
  return _mm256_add_ps(_mm512_castps512_ps256(a), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), 1)));
}

#elif defined(__AVX2__) && defined(__FMA__)

struct Lanes {
  __m256 low, high;
};
using Quad = __m256;
constexpr int TILE_ROWS = 6;
constexpr int TILE_LANES = 1;
constexpr int SPARSE_LANES = 1;

INLINE Lanes zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
INLINE Lanes broadcast(float value) { return {_mm256_set1_ps(value), _mm256_set1_ps(value)}; }
INLINE Lanes load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
INLINE void store(float* to, Lanes a) {
  _mm256_storeu_ps(to, a.low);
  _mm256_storeu_ps(to + 8, a.high);
}
INLINE Lanes add(Lanes a, Lanes b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
INLINE Lanes subtract(Lanes a, Lanes b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
INLINE Lanes multiply(Lanes a, Lanes b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
  return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
}
INLINE Lanes relu(Lanes a) {
  return {_mm256_max_ps(_mm256_setzero_ps(), a.low), _mm256_max_ps(_mm256_setzero_ps(), a.high)};
}
INLINE Lanes load_bytes(const uint8_t* from) {
  __m128i packed = _mm_loadu_si128((const __m128i*)from);
  return {
      _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(packed)),
      _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_unpackhi_epi64(packed, packed)))};
}
INLINE Quad load_low_bytes(const uint16_t* from) {
  int64_t packed;
  memcpy(&packed, from, sizeof packed);
  const __m256i at =
      _mm256_broadcastsi128_si256(_mm_setr_epi32((int)0xffffff00, (int)0xffffff02, (int)0xffffff04, (int)0xffffff06));
  return _mm256_cvtepi32_ps(_mm256_shuffle_epi8(_mm256_set1_epi64x(packed), at));
}
INLINE Quad load_four_bytes(const uint8_t* from) {
  int32_t packed;
  memcpy(&packed, from, sizeof packed);
  const __m256i at =
      _mm256_broadcastsi128_si256(_mm_setr_epi32((int)0xffffff00, (int)0xffffff01, (int)0xffffff02, (int)0xffffff03));
  return _mm256_cvtepi32_ps(_mm256_shuffle_epi8(_mm256_set1_epi32(packed), at));
}
template <int I>
INLINE Lanes broadcast_lane(Quad a) {
  __m256 value = _mm256_permute_ps(a, I * 0x55);
  return {value, value};
}
INLINE __m256 add_halves(Lanes a) { return _mm256_add_ps(a.low, a.high); }

#elif defined(__aarch64__)

struct Lanes {
  float32x4_t four[4];
};
using Quad = float32x4_t;
constexpr int TILE_ROWS = 6;
constexpr int TILE_LANES = 1;
constexpr int SPARSE_LANES = 1;

// What `one` gives for each four lanes, by their number.
template <typename One>
INLINE Lanes each(const One& one) {
  return {{one(0), one(1), one(2), one(3)}};
}
INLINE Lanes broadcast(float value) {
  return each([=](int) { return vdupq_n_f32(value); });
}
INLINE Lanes zero() { return broadcast(0.0f); }
INLINE Lanes load(const float* from) {
  return each([=](int i) { return vld1q_f32(from + 4 * i); });
}
INLINE void store(float* to, Lanes a) {
  for (int i = 0; i < 4; i++) vst1q_f32(to + 4 * i, a.four[i]);
}
INLINE Lanes add(Lanes a, Lanes b) {
  return each([=](int i) { return vaddq_f32(a.four[i], b.four[i]); });
}
INLINE Lanes subtract(Lanes a, Lanes b) {
  return each([=](int i) { return vsubq_f32(a.four[i], b.four[i]); });
}
INLINE Lanes multiply(Lanes a, Lanes b) {
  return each([=](int i) { return vmulq_f32(a.four[i], b.four[i]); });
}
INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
  return each([=](int i) { return vfmaq_f32(c.four[i], a.four[i], b.four[i]); });
}
// The bits, cleared where the number is negative: a maximum would make +0 of -0.
INLINE Lanes relu(Lanes a) {
  return each(
      [=](int i) { return vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(a.four[i]), vcltzq_f32(a.four[i]))); });
}
INLINE Quad load_four_bytes(const uint8_t* from) {
  uint32_t packed;
  memcpy(&packed, from, sizeof packed);
  return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(packed)))));
}
INLINE Lanes load_bytes(const uint8_t* from) {
  return each([=](int i) { return load_four_bytes(from + 4 * i); });
}
INLINE Quad load_low_bytes(const uint16_t* from) {
  return vcvtq_f32_u32(vmovl_u16(vand_u16(vld1_u16(from), vdup_n_u16(0xff))));
}
template <int I>
INLINE Lanes broadcast_lane(Quad a) {
  return each([=](int) { return vdupq_laneq_f32(a, I); });
}

#else

typedef float Lanes __attribute__((vector_size(64), aligned(16)));
struct Quad {
  float values[4];
};
constexpr int TILE_ROWS = 2;
constexpr int TILE_LANES = 1;
constexpr int SPARSE_LANES = 1;

INLINE Lanes broadcast(float value) { return (Lanes){} + value; }
INLINE Lanes zero() { return (Lanes){}; }
INLINE Lanes load(const float* from) {
  Lanes a;
  memcpy(&a, from, sizeof a);
  return a;
}
INLINE void store(float* to, Lanes a) { memcpy(to, &a, sizeof a); }
INLINE Lanes add(Lanes a, Lanes b) { return a + b; }
INLINE Lanes subtract(Lanes a, Lanes b) { return a - b; }
INLINE Lanes multiply(Lanes a, Lanes b) { return a * b; }
INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) {
  Lanes sum;
  for (int i = 0; i < LANES; i++) sum[i] = fused(a[i], b[i], c[i]);
  return sum;
}
INLINE Lanes relu(Lanes a) { return a < zero() ? zero() : a; }
INLINE Lanes load_bytes(const uint8_t* from) {
  Lanes a;
  for (int i = 0; i < LANES; i++) a[i] = from[i];
  return a;
}
INLINE Quad load_low_bytes(const uint16_t* from) {
  return {{(float)(from[0] & 0xff), (float)(from[1] & 0xff), (float)(from[2] & 0xff), (float)(from[3] & 0xff)}};
}
INLINE Quad load_four_bytes(const uint8_t* from) {
  return {{(float)from[0], (float)from[1], (float)from[2], (float)from[3]}};
}
template <int I>
INLINE Lanes broadcast_lane(Quad a) {
  return broadcast(a.values[I]);
}

#endif

// Pixels in [0, 1], as normalized of element_math.h: the quotient by 255, to the nearest float. It is that of a
// product with 1/255, corrected by what the product lacks.
INLINE Lanes normalized_pixels(Lanes pixels) {
  Lanes quotient = multiply(pixels, broadcast(1.0f / 255));
  Lanes rest = multiply_add(quotient, broadcast(-255.0f), pixels);
  return multiply_add(rest, broadcast(1.0f / 255), quotient);
}

// The sum of all lanes, as one tree.
#if defined(__AVX2__) && defined(__FMA__)
INLINE float sum(Lanes a) {
  __m256 eight = add_halves(a);
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}
#elif defined(__aarch64__)
INLINE float sum(Lanes a) {
  float32x4_t four = vaddq_f32(vaddq_f32(a.four[0], a.four[2]), vaddq_f32(a.four[1], a.four[3]));
  float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}
#else
INLINE float sum(Lanes a) {
  float eight[8], four[4];
  for (int i = 0; i < 8; i++) eight[i] = a[i] + a[i + 8];
  for (int i = 0; i < 4; i++) four[i] = eight[i] + eight[i + 4];
  return (four[0] + four[2]) + (four[1] + four[3]);
}
#endif

}  // namespace INSTRUCTION_SET
