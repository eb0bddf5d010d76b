// Sixteen bytes at a time: what sorting the pixels of a batch by pixel needs.
#pragma once

#include <stdint.h>
#include <string.h>

#if defined(__SSSE3__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace INSTRUCTION_SET {

#if defined(__SSSE3__)

using Bytes = __m128i;

INLINE Bytes load_bytes16(const uint8_t* from) { return _mm_loadu_si128((const __m128i*)from); }
INLINE void store_bytes16(uint8_t* to, Bytes a) { _mm_storeu_si128((__m128i*)to, a); }
// a0 b0 a1 b1 ... of the first eight bytes of each, and of the last eight.
INLINE Bytes zip_low(Bytes a, Bytes b) { return _mm_unpacklo_epi8(a, b); }
INLINE Bytes zip_high(Bytes a, Bytes b) { return _mm_unpackhi_epi8(a, b); }
// Byte i is a's byte at[i].
INLINE Bytes shuffle(Bytes a, const uint8_t* at) { return _mm_shuffle_epi8(a, load_bytes16(at)); }
// Bit i says whether byte i is not zero.
INLINE uint32_t nonzero_bits(Bytes a) {
  return 0xffff & ~(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(a, _mm_setzero_si128()));
}

#elif defined(__aarch64__)

using Bytes = uint8x16_t;

INLINE Bytes load_bytes16(const uint8_t* from) { return vld1q_u8(from); }
INLINE void store_bytes16(uint8_t* to, Bytes a) { vst1q_u8(to, a); }
INLINE Bytes zip_low(Bytes a, Bytes b) { return vzip1q_u8(a, b); }
INLINE Bytes zip_high(Bytes a, Bytes b) { return vzip2q_u8(a, b); }
INLINE Bytes shuffle(Bytes a, const uint8_t* at) { return vqtbl1q_u8(a, vld1q_u8(at)); }
INLINE uint32_t nonzero_bits(Bytes a) {
  const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t bits = vandq_u8(vtstq_u8(a, a), bit);
  return vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
}

#else

struct Bytes {
  uint8_t values[16];
};

INLINE Bytes load_bytes16(const uint8_t* from) {
  Bytes a;
  memcpy(a.values, from, sizeof a.values);
  return a;
}
INLINE void store_bytes16(uint8_t* to, Bytes a) { memcpy(to, a.values, sizeof a.values); }
INLINE Bytes zip(Bytes a, Bytes b, int first) {
  Bytes c;
  for (int i = 0; i < 16; i++) c.values[i] = (i % 2 == 0 ? a : b).values[first + i / 2];
  return c;
}
INLINE Bytes zip_low(Bytes a, Bytes b) { return zip(a, b, 0); }
INLINE Bytes zip_high(Bytes a, Bytes b) { return zip(a, b, 8); }
INLINE Bytes shuffle(Bytes a, const uint8_t* at) {
  Bytes b;
  for (int i = 0; i < 16; i++) b.values[i] = a.values[at[i]];
  return b;
}
INLINE uint32_t nonzero_bits(Bytes a) {
  uint32_t bits = 0;
  for (int i = 0; i < 16; i++) bits |= (uint32_t)(a.values[i] != 0) << i;
  return bits;
}

#endif

// A matrix of SIDE x SIDE bytes is transposed at once.
constexpr int64_t SIDE = 16;

INLINE void transpose_square(Bytes (&rows)[SIDE]) {
  for (int round = 0; round < 4; round++) {
    Bytes zipped[SIDE];
    for (int64_t i = 0; i < SIDE / 2; i++) {
      zipped[2 * i] = zip_low(rows[i], rows[i + SIDE / 2]);
      zipped[2 * i + 1] = zip_high(rows[i], rows[i + SIDE / 2]);
    }
    for (int64_t i = 0; i < SIDE; i++) rows[i] = zipped[i];
  }
}

// For each mask of eight bits, one for each of eight pairs of bytes: the shuffle that moves the selected pairs
// together, and their number.
struct CompressTable {
  uint8_t at[256][16];
  uint8_t count[256];

  constexpr CompressTable() : at(), count() {
    for (int bits = 0; bits < 256; bits++) {
      for (int pair = 0; pair < 8; pair++) {
        if ((bits >> pair & 1) == 0) continue;
        at[bits][2 * count[bits]] = (uint8_t)(2 * pair);
        at[bits][2 * count[bits] + 1] = (uint8_t)(2 * pair + 1);
        count[bits]++;
      }
    }
  }
};

alignas(64) static constexpr CompressTable COMPRESS;

// Writes the selected ones of eight pairs of bytes; returns their number. All 16 bytes at `to` may change.
INLINE int64_t compress_pairs(Bytes pairs, uint32_t bits, uint16_t* to) {
  store_bytes16((uint8_t*)to, shuffle(pairs, COMPRESS.at[bits]));
  return COMPRESS.count[bits];
}

}  // namespace INSTRUCTION_SET
