// The instructions that work on registers alone, each a loop over the 32 lanes of a warp that the compiler vectorises.
#include <math.h>

#include <limits>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "machine.h"

namespace ptx {

namespace {

template <typename To, typename From>
To bits_as(From value) {
  static_assert(sizeof(To) == sizeof(From), "the same bits");
  To to;
  memcpy(&to, &value, sizeof to);
  return to;
}

// What a GPU makes of every NaN of 32 bits. Of 64 bits it keeps the payload, as the host does.
float canonical(float value) { return value == value ? value : bits_as<float>(0x7fffffffu); }
double canonical(double value) { return value; }

uint32_t packed(const int32_t* lanes) {
#ifdef __AVX2__
  uint32_t bits = 0;
  for (int part = 0; part < 4; part++) {
    __m256 eight = _mm256_castsi256_ps(_mm256_load_si256((const __m256i*)lanes + part));
    bits |= (uint32_t)_mm256_movemask_ps(eight) << 8 * part;
  }
  return bits;
#else
  uint32_t bits = 0;
  for (unsigned l = 0; l < LANES; l++) bits |= (uint32_t)(lanes[l] & 1) << l;
  return bits;
#endif
}

void unpacked(uint32_t bits, int32_t* lanes) {
  for (unsigned l = 0; l < LANES; l++) lanes[l] = -(int32_t)(bits >> l & 1);
}

template <typename T>
char shape_of() {
  return sizeof(T) == 2 ? 'h' : sizeof(T) == 4 ? 'w' : 'l';
}

// destination[l] = F::of(source[0][l], ...)
template <class F, class D, class... S>
struct Each {
  template <size_t... N>
  static void on(Warp& w, const Instruction& i, std::index_sequence<N...>) {
    D* d = w.to<D>(i.destination);
    std::tuple<const S*...> s(w.from<S>(i.source[N])...);
    if (w.mask == ALL_LANES) {
#pragma GCC ivdep
      for (unsigned l = 0; l < LANES; l++) d[l] = F::of(std::get<N>(s)[l]...);
    } else {
      const int32_t* lanes = w.lanes;
#pragma GCC ivdep
      for (unsigned l = 0; l < LANES; l++) {
        D value = F::of(std::get<N>(s)[l]...);
        d[l] = lanes[l] ? value : d[l];
      }
    }
  }
  static void run(Warp& w, const Instruction& i) { on(w, i, std::index_sequence_for<S...>()); }
  static Operation operation() { return {run, {shape_of<D>(), shape_of<S>()...}}; }
};

void write_predicate(Warp& w, int32_t predicate, uint32_t value) {
  w.predicates[predicate] = (w.predicates[predicate] & ~w.mask) | (value & w.mask);
}

enum class Combine { NONE, AND, OR, XOR };

// destination = F::of(a[l], b[l]), combined with a predicate; second = its complement, combined likewise.
template <class F, class S, Combine C>
struct Compare {
  static void run(Warp& w, const Instruction& i) {
    const S* a = w.from<S>(i.source[0]);
    const S* b = w.from<S>(i.source[1]);
    alignas(64) int32_t lanes[LANES];
    for (unsigned l = 0; l < LANES; l++) lanes[l] = -(int32_t)F::of(a[l], b[l]);
    uint32_t holds = packed(lanes);
    uint32_t other = C == Combine::NONE ? 0 : w.predicates[i.source[2]];
    auto combined = [other](uint32_t value) {
      return C == Combine::AND   ? value & other
             : C == Combine::OR  ? value | other
             : C == Combine::XOR ? value ^ other
                                 : value;
    };
    write_predicate(w, i.destination, combined(holds));
    if (i.second >= 0) write_predicate(w, i.second, combined(~holds));
  }
};

template <class T>
struct Select {
  static void run(Warp& w, const Instruction& i) {
    T* d = w.to<T>(i.destination);
    const T* a = w.from<T>(i.source[0]);
    const T* b = w.from<T>(i.source[1]);
    alignas(64) int32_t first[LANES];
    unpacked(w.predicates[i.source[2]], first);
    if (w.mask == ALL_LANES) {
#pragma GCC ivdep
      for (unsigned l = 0; l < LANES; l++) d[l] = first[l] ? a[l] : b[l];
    } else {
      const int32_t* lanes = w.lanes;
#pragma GCC ivdep
      for (unsigned l = 0; l < LANES; l++) d[l] = lanes[l] ? (first[l] ? a[l] : b[l]) : d[l];
    }
  }
};

// ---- what is computed

template <class T>
using Wide = std::conditional_t<
    sizeof(T) == 2, std::conditional_t<std::is_signed_v<T>, int32_t, uint32_t>,
    std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;
template <class T>
using Unsigned = std::make_unsigned_t<T>;

// clang-format off
template <class T> struct Add { static T of(T a, T b) { return (T)((Unsigned<T>)a + (Unsigned<T>)b); } };
template <class T> struct Subtract { static T of(T a, T b) { return (T)((Unsigned<T>)a - (Unsigned<T>)b); } };
template <class T> struct MultiplyLow { static T of(T a, T b) { return (T)((uint64_t)a * (uint64_t)b); } };
template <class T> struct MultiplyWide { static Wide<T> of(T a, T b) { return (Wide<T>)((Wide<T>)a * (Wide<T>)b); } };
template <class T> struct MultiplyAddLow {
  static T of(T a, T b, T c) { return Add<T>::of(MultiplyLow<T>::of(a, b), c); }
};
template <class T> struct MultiplyAddWide {
  static Wide<T> of(T a, T b, Wide<T> c) { return Add<Wide<T>>::of(MultiplyWide<T>::of(a, b), c); }
};
template <class T> struct MultiplyHigh {
  static T of(T a, T b) {
    if constexpr (sizeof(T) == 8) {
      using Wider = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
      return (T)((Wider)a * (Wider)b >> 64);
    } else {
      return (T)((Wide<T>)a * (Wide<T>)b >> 8 * sizeof(T));
    }
  }
};
template <class T> struct MultiplyAddHigh {
  static T of(T a, T b, T c) { return Add<T>::of(MultiplyHigh<T>::of(a, b), c); }
};
// Undefined on a GPU, which does not trap: all bits.
template <class T> bool undefined_quotient(T a, T b) {
  return b == 0 || (std::is_signed_v<T> && a == std::numeric_limits<T>::min() && b == (T)-1);
}
template <class T> struct Divide {
  static T of(T a, T b) { return undefined_quotient(a, b) ? (b == 0 ? (T)-1 : a) : (T)(a / b); }
};
template <class T> struct Remainder {
  static T of(T a, T b) { return undefined_quotient(a, b) ? (b == 0 ? a : (T)0) : (T)(a % b); }
};
template <class T> struct Minimum { static T of(T a, T b) { return b < a ? b : a; } };
template <class T> struct Maximum { static T of(T a, T b) { return a < b ? b : a; } };
template <class T> struct Negate { static T of(T a) { return (T)(0 - (Unsigned<T>)a); } };
template <class T> struct Absolute { static T of(T a) { return a < 0 ? Negate<T>::of(a) : a; } };
template <class T> struct And { static T of(T a, T b) { return a & b; } };
template <class T> struct Or { static T of(T a, T b) { return a | b; } };
template <class T> struct Xor { static T of(T a, T b) { return a ^ b; } };
template <class T> struct Not { static T of(T a) { return (T)~a; } };
// Amounts past the width leave nothing, or the sign.
template <class T> struct ShiftLeft { static T of(T a, uint32_t b) { return b >= 8 * sizeof(T) ? 0 : (T)(a << b); } };
template <class T> struct ShiftRight {
  static T of(T a, uint32_t b) {
    constexpr uint32_t last = 8 * sizeof(T) - 1;
    return b > last ? (std::is_signed_v<T> ? (T)(a >> last) : (T)0) : (T)(a >> b);
  }
};
template <class T> struct Move { static T of(T a) { return a; } };

template <class T> struct FloatAdd { static T of(T a, T b) { return canonical(a + b); } };
template <class T> struct FloatSubtract { static T of(T a, T b) { return canonical(a - b); } };
template <class T> struct FloatMultiply { static T of(T a, T b) { return canonical(a * b); } };
template <class T> struct FloatDivide { static T of(T a, T b) { return canonical(a / b); } };
template <class T> struct FloatReciprocal { static T of(T a) { return canonical(1 / a); } };
template <class T> struct FloatSquareRoot { static T of(T a) { return canonical((T)sqrt(a)); } };
struct SquareRoot32 { static float of(float a) { return canonical(sqrtf(a)); } };
struct Fused32 { static float of(float a, float b, float c) { return canonical(__builtin_fmaf(a, b, c)); } };
struct Fused64 { static double of(double a, double b, double c) { return __builtin_fma(a, b, c); } };
// Of a NaN and a number the number; -0 below +0.
template <class T, class B> struct FloatMinimum {
  static T of(T a, T b) {
    T zero = bits_as<T>((B)(bits_as<B>(a) | bits_as<B>(b)));
    return canonical(a != a ? b : b != b ? a : a < b ? a : b < a ? b : zero);
  }
};
template <class T, class B> struct FloatMaximum {
  static T of(T a, T b) {
    T zero = bits_as<T>((B)(bits_as<B>(a) & bits_as<B>(b)));
    return canonical(a != a ? b : b != b ? a : a > b ? a : b > a ? b : zero);
  }
};
template <class B> struct FlipSign { static B of(B a) { return a ^ (B)1 << (8 * sizeof(B) - 1); } };
template <class B> struct ClearSign { static B of(B a) { return a & ~((B)1 << (8 * sizeof(B) - 1)); } };
template <class B> struct CopySign {
  static B of(B a, B b) { return ClearSign<B>::of(b) | (a & (B)1 << (8 * sizeof(B) - 1)); }
};

struct Equal { template <class T> static bool of(T a, T b) { return a == b; } };
struct NotEqual { template <class T> static bool of(T a, T b) { return a < b || a > b; } };  // no NaN
struct Less { template <class T> static bool of(T a, T b) { return a < b; } };
struct LessOrEqual { template <class T> static bool of(T a, T b) { return a <= b; } };
struct Greater { template <class T> static bool of(T a, T b) { return a > b; } };
struct GreaterOrEqual { template <class T> static bool of(T a, T b) { return a >= b; } };
struct Numbers { template <class T> static bool of(T a, T b) { return a == a && b == b; } };
template <class F> struct Negated { template <class T> static bool of(T a, T b) { return !F::of(a, b); } };

template <class T> struct CountOnes { static uint32_t of(T a) { return (uint32_t)__builtin_popcountll(a); } };
template <class T> struct LeadingZeros {
  static constexpr int WIDTH = 8 * sizeof(T);
  static uint32_t of(T a) { return (uint32_t)(a == 0 ? WIDTH : __builtin_clzll(a) - (64 - WIDTH)); }
};
template <class T> struct Reverse {
  static T of(T a) {
    T reversed = 0;
    for (unsigned bit = 0; bit < 8 * sizeof(T); bit++) reversed = (T)(reversed << 1 | (a >> bit & 1));
    return reversed;
  }
};
template <class T, bool SHIFT> struct FindLeading {
  static uint32_t of(T a) {
    Unsigned<T> bits = (Unsigned<T>)(std::is_signed_v<T> && a < 0 ? ~a : a);
    uint32_t zeros = LeadingZeros<Unsigned<T>>::of(bits);
    constexpr uint32_t width = 8 * sizeof(T);
    return zeros == width ? ~0u : SHIFT ? zeros : width - 1 - zeros;
  }
};
template <class T> struct Extract {
  static T of(T a, uint32_t position, uint32_t length) {
    constexpr unsigned width = 8 * sizeof(T);
    unsigned from = position & 255, many = length & 255;
    unsigned last = from + many - 1 < width - 1 ? from + many - 1 : width - 1;
    bool sign = std::is_signed_v<T> && many != 0 && (a >> last & 1) != 0;
    T result = 0;
    for (unsigned bit = 0; bit < width; bit++) {
      bool set = bit < many && from + bit < width ? (a >> (from + bit) & 1) != 0 : sign;
      result |= (T)((Unsigned<T>)set << bit);
    }
    return result;
  }
};
template <class T> struct Insert {
  static T of(T a, T b, uint32_t position, uint32_t length) {
    constexpr unsigned width = 8 * sizeof(T);
    unsigned from = position & 255, many = length & 255;
    if (from >= width || many == 0) return b;
    T ones = many >= width ? ~(T)0 : (T)(((T)1 << many) - 1);
    T field = (T)(ones << from);
    return (T)((b & ~field) | (a << from & field));
  }
};
struct Permute {
  static uint32_t of(uint32_t a, uint32_t b, uint32_t selection) {
    uint64_t both = (uint64_t)b << 32 | a;
    uint32_t result = 0;
    for (int byte = 0; byte < 4; byte++) {
      uint32_t chosen = selection >> 4 * byte & 15;
      uint32_t value = (uint32_t)(both >> 8 * (chosen & 7)) & 255;
      if (chosen & 8) value = value & 128 ? 255 : 0;
      result |= value << 8 * byte;
    }
    return result;
  }
};
template <bool LEFT, bool WRAP> struct FunnelShift {
  static uint32_t of(uint32_t low, uint32_t high, uint32_t amount) {
    uint32_t n = WRAP ? amount & 31 : amount < 32 ? amount : 32;
    uint64_t both = (uint64_t)high << 32 | low;
    return LEFT ? (uint32_t)(both << n >> 32) : (uint32_t)(both >> n);
  }
};
// clang-format on

// By a table of the results for each bit of a, b and c.
void logic3(Warp& w, const Instruction& i) {
  const uint32_t *a = w.from<uint32_t>(i.source[0]), *b = w.from<uint32_t>(i.source[1]);
  const uint32_t *c = w.from<uint32_t>(i.source[2]), *table = w.from<uint32_t>(i.source[3]);
  uint32_t* d = w.to<uint32_t>(i.destination);
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    uint32_t result = 0;
    for (unsigned row = 0; row < 8; row++) {
      if (!(table[l] >> row & 1)) continue;
      result |= (row & 4 ? a[l] : ~a[l]) & (row & 2 ? b[l] : ~b[l]) & (row & 1 ? c[l] : ~c[l]);
    }
    d[l] = result;
  }
}

template <class F>
void on_predicates(Warp& w, const Instruction& i) {
  write_predicate(w, i.destination, F::of(w.predicates[i.source[0]], w.predicates[i.source[1]]));
}

void invert_predicate(Warp& w, const Instruction& i) { write_predicate(w, i.destination, ~w.predicates[i.source[0]]); }

void move_predicate(Warp& w, const Instruction& i) { write_predicate(w, i.destination, w.predicates[i.source[0]]); }

// ---- lanes that look at each other

enum class Shuffle { UP, DOWN, XOR, INDEX };

template <Shuffle MODE>
void shuffle(Warp& w, const Instruction& i) {
  const uint32_t *a = w.from<uint32_t>(i.source[0]), *b = w.from<uint32_t>(i.source[1]);
  const uint32_t* c = w.from<uint32_t>(i.source[2]);
  uint32_t values[LANES], inside = 0;
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    uint32_t segment = c[l] >> 8 & 31, clamp = c[l] & 31, by = b[l] & 31;
    uint32_t most = (l & segment) | (clamp & ~segment), least = l & segment;
    int64_t from = MODE == Shuffle::UP     ? (int64_t)l - by
                   : MODE == Shuffle::DOWN ? (int64_t)l + by
                   : MODE == Shuffle::XOR  ? (int64_t)(l ^ by)
                                           : (int64_t)(least | (by & ~segment));
    bool within = MODE == Shuffle::UP ? from >= (int64_t)most : from <= (int64_t)most;
    if (!within) from = l;
    if (!(w.mask >> from & 1)) {
      fault(w, i, l, LAUNCH_FAILED, "takes the register of lane " + std::to_string(from) + ", which takes no part");
    }
    values[l] = a[from];
    inside |= (uint32_t)within << l;
  }
  uint32_t* d = w.to<uint32_t>(i.destination);
  for (unsigned l = 0; l < LANES; l++) {
    if (w.mask >> l & 1) d[l] = values[l];
  }
  if (i.second >= 0) write_predicate(w, i.second, inside);
}

enum class Vote { ALL, ANY, UNIFORM, BALLOT };

template <Vote MODE>
void vote(Warp& w, const Instruction& i) {
  uint32_t told = w.predicates[i.source[0]] & w.mask;
  if (MODE == Vote::BALLOT) {
    uint32_t* d = w.to<uint32_t>(i.destination);
    for (unsigned l = 0; l < LANES; l++) d[l] = w.mask >> l & 1 ? told : d[l];
    return;
  }
  bool holds = MODE == Vote::ALL ? told == w.mask : MODE == Vote::ANY ? told != 0 : told == 0 || told == w.mask;
  write_predicate(w, i.destination, holds ? ALL_LANES : 0);
}

void active_mask(Warp& w, const Instruction& i) {
  uint32_t* d = w.to<uint32_t>(i.destination);
  for (unsigned l = 0; l < LANES; l++) d[l] = w.mask >> l & 1 ? w.mask : d[l];
}

template <class T>
void match_any(Warp& w, const Instruction& i) {
  const T* a = w.from<T>(i.source[0]);
  uint32_t same[LANES] = {};
  for (unsigned l = 0; l < LANES; l++) {
    for (unsigned other = 0; other < LANES; other++) same[l] |= (uint32_t)(a[l] == a[other]) << other;
  }
  uint32_t* d = w.to<uint32_t>(i.destination);
  for (unsigned l = 0; l < LANES; l++) d[l] = w.mask >> l & 1 ? same[l] & w.mask : d[l];
}

void nothing(Warp&, const Instruction&) {}

// ---- the table

std::unordered_map<std::string, Operation> made() {
  std::unordered_map<std::string, Operation> all;
  auto named = [&](const std::string& name, Operation operation) { all[name] = std::move(operation); };

  auto integers = [&](auto sample, const std::string& type) {
    using T = decltype(sample);
    named("add." + type, Each<Add<T>, T, T, T>::operation());
    named("sub." + type, Each<Subtract<T>, T, T, T>::operation());
    named("mul.lo." + type, Each<MultiplyLow<T>, T, T, T>::operation());
    named("mul.hi." + type, Each<MultiplyHigh<T>, T, T, T>::operation());
    named("mad.lo." + type, Each<MultiplyAddLow<T>, T, T, T, T>::operation());
    named("mad.hi." + type, Each<MultiplyAddHigh<T>, T, T, T, T>::operation());
    if constexpr (sizeof(T) < 8) {
      named("mul.wide." + type, Each<MultiplyWide<T>, Wide<T>, T, T>::operation());
      named("mad.wide." + type, Each<MultiplyAddWide<T>, Wide<T>, T, T, Wide<T>>::operation());
    }
    named("div." + type, Each<Divide<T>, T, T, T>::operation());
    named("rem." + type, Each<Remainder<T>, T, T, T>::operation());
    named("min." + type, Each<Minimum<T>, T, T, T>::operation());
    named("max." + type, Each<Maximum<T>, T, T, T>::operation());
    named("shr." + type, Each<ShiftRight<T>, T, T, uint32_t>::operation());
    if constexpr (std::is_signed_v<T>) {
      named("neg." + type, Each<Negate<T>, T, T>::operation());
      named("abs." + type, Each<Absolute<T>, T, T>::operation());
    }
    if constexpr (sizeof(T) >= 4) {
      named("bfe." + type, Each<Extract<T>, T, T, uint32_t, uint32_t>::operation());
      named("bfind." + type, Each<FindLeading<T, false>, uint32_t, T>::operation());
      named("bfind.shiftamt." + type, Each<FindLeading<T, true>, uint32_t, T>::operation());
    }
    named("mov." + type, Each<Move<T>, T, T>::operation());
  };
  integers((int16_t)0, "s16");
  integers((uint16_t)0, "u16");
  integers((int32_t)0, "s32");
  integers((uint32_t)0, "u32");
  integers((int64_t)0, "s64");
  integers((uint64_t)0, "u64");

  auto bits = [&](auto sample, const std::string& type) {
    using T = decltype(sample);
    named("and." + type, Each<And<T>, T, T, T>::operation());
    named("or." + type, Each<Or<T>, T, T, T>::operation());
    named("xor." + type, Each<Xor<T>, T, T, T>::operation());
    named("not." + type, Each<Not<T>, T, T>::operation());
    named("shl." + type, Each<ShiftLeft<T>, T, T, uint32_t>::operation());
    named("shr." + type, Each<ShiftRight<T>, T, T, uint32_t>::operation());
    named("mov." + type, Each<Move<T>, T, T>::operation());
    if constexpr (sizeof(T) >= 4) {
      named("popc." + type, Each<CountOnes<T>, uint32_t, T>::operation());
      named("clz." + type, Each<LeadingZeros<T>, uint32_t, T>::operation());
      named("brev." + type, Each<Reverse<T>, T, T>::operation());
      named("bfi." + type, Each<Insert<T>, T, T, T, uint32_t, uint32_t>::operation());
    }
    for (const char* kind : {"b", "s", "u"}) {
      named(
          std::string("selp.") + kind + type.substr(1),
          {Select<T>::run, {shape_of<T>(), shape_of<T>(), shape_of<T>(), 'p'}});
    }
  };
  bits((uint16_t)0, "b16");
  bits((uint32_t)0, "b32");
  bits((uint64_t)0, "b64");

  auto floats = [&](auto sample, auto sample_bits, const std::string& type) {
    using T = decltype(sample);
    using B = decltype(sample_bits);
    for (const char* rounding : {"", ".rn"}) {
      named(std::string("add") + rounding + "." + type, Each<FloatAdd<T>, T, T, T>::operation());
      named(std::string("sub") + rounding + "." + type, Each<FloatSubtract<T>, T, T, T>::operation());
      named(std::string("mul") + rounding + "." + type, Each<FloatMultiply<T>, T, T, T>::operation());
    }
    named("div.rn." + type, Each<FloatDivide<T>, T, T, T>::operation());
    named("rcp.rn." + type, Each<FloatReciprocal<T>, T, T>::operation());
    named("min." + type, Each<FloatMinimum<T, B>, T, T, T>::operation());
    named("max." + type, Each<FloatMaximum<T, B>, T, T, T>::operation());
    named("neg." + type, Each<FlipSign<B>, B, B>::operation());
    named("abs." + type, Each<ClearSign<B>, B, B>::operation());
    named("copysign." + type, Each<CopySign<B>, B, B, B>::operation());
    named("mov." + type, Each<Move<B>, B, B>::operation());
    named("selp." + type, {Select<B>::run, {shape_of<B>(), shape_of<B>(), shape_of<B>(), 'p'}});
  };
  floats(0.0f, (uint32_t)0, "f32");
  floats(0.0, (uint64_t)0, "f64");
  named("sqrt.rn.f32", Each<SquareRoot32, float, float>::operation());
  named("sqrt.rn.f64", Each<FloatSquareRoot<double>, double, double>::operation());
  named("fma.rn.f32", Each<Fused32, float, float, float, float>::operation());
  named("mad.rn.f32", Each<Fused32, float, float, float, float>::operation());
  named("fma.rn.f64", Each<Fused64, double, double, double, double>::operation());

  auto compared_by = [&](auto relation, auto sample, const std::string& type, const std::string& name) {
    using F = decltype(relation);
    using T = decltype(sample);
    std::string shape = {'p', shape_of<T>(), shape_of<T>()};
    named("setp." + name + "." + type, {Compare<F, T, Combine::NONE>::run, shape});
    named("setp." + name + ".and." + type, {Compare<F, T, Combine::AND>::run, shape + 'p'});
    named("setp." + name + ".or." + type, {Compare<F, T, Combine::OR>::run, shape + 'p'});
    named("setp." + name + ".xor." + type, {Compare<F, T, Combine::XOR>::run, shape + 'p'});
  };
  auto compared = [&](auto sample, const std::string& type) {
    using T = decltype(sample);
    compared_by(Equal(), sample, type, "eq");
    compared_by(NotEqual(), sample, type, "ne");
    if (type[0] == 'b') return;
    compared_by(Less(), sample, type, "lt");
    compared_by(LessOrEqual(), sample, type, "le");
    compared_by(Greater(), sample, type, "gt");
    compared_by(GreaterOrEqual(), sample, type, "ge");
    if constexpr (std::is_unsigned_v<T>) {
      compared_by(Less(), sample, type, "lo");
      compared_by(LessOrEqual(), sample, type, "ls");
      compared_by(Greater(), sample, type, "hi");
      compared_by(GreaterOrEqual(), sample, type, "hs");
    }
    if constexpr (std::is_floating_point_v<T>) {
      compared_by(Negated<NotEqual>(), sample, type, "equ");
      compared_by(Negated<Equal>(), sample, type, "neu");
      compared_by(Negated<GreaterOrEqual>(), sample, type, "ltu");
      compared_by(Negated<Greater>(), sample, type, "leu");
      compared_by(Negated<LessOrEqual>(), sample, type, "gtu");
      compared_by(Negated<Less>(), sample, type, "geu");
      compared_by(Numbers(), sample, type, "num");
      compared_by(Negated<Numbers>(), sample, type, "nan");
    }
  };
  compared((int16_t)0, "s16");
  compared((uint16_t)0, "u16");
  compared((uint16_t)0, "b16");
  compared((int32_t)0, "s32");
  compared((uint32_t)0, "u32");
  compared((uint32_t)0, "b32");
  compared((int64_t)0, "s64");
  compared((uint64_t)0, "u64");
  compared((uint64_t)0, "b64");
  compared(0.0f, "f32");
  compared(0.0, "f64");

  named("and.pred", {on_predicates<And<uint32_t>>, "ppp"});
  named("or.pred", {on_predicates<Or<uint32_t>>, "ppp"});
  named("xor.pred", {on_predicates<Xor<uint32_t>>, "ppp"});
  named("not.pred", {invert_predicate, "pp"});
  named("mov.pred", {move_predicate, "pp"});

  named("prmt.b32", Each<Permute, uint32_t, uint32_t, uint32_t, uint32_t>::operation());
  named("lop3.b32", {logic3, "wwwww"});
  named("shf.l.wrap.b32", Each<FunnelShift<true, true>, uint32_t, uint32_t, uint32_t, uint32_t>::operation());
  named("shf.l.clamp.b32", Each<FunnelShift<true, false>, uint32_t, uint32_t, uint32_t, uint32_t>::operation());
  named("shf.r.wrap.b32", Each<FunnelShift<false, true>, uint32_t, uint32_t, uint32_t, uint32_t>::operation());
  named("shf.r.clamp.b32", Each<FunnelShift<false, false>, uint32_t, uint32_t, uint32_t, uint32_t>::operation());

  // The last operand names the lanes that have to come together.
  named("shfl.sync.up.b32", {shuffle<Shuffle::UP>, "wwwww"});
  named("shfl.sync.down.b32", {shuffle<Shuffle::DOWN>, "wwwww"});
  named("shfl.sync.bfly.b32", {shuffle<Shuffle::XOR>, "wwwww"});
  named("shfl.sync.idx.b32", {shuffle<Shuffle::INDEX>, "wwwww"});
  named("vote.sync.all.pred", {vote<Vote::ALL>, "ppw"});
  named("vote.sync.any.pred", {vote<Vote::ANY>, "ppw"});
  named("vote.sync.uni.pred", {vote<Vote::UNIFORM>, "ppw"});
  named("vote.sync.ballot.b32", {vote<Vote::BALLOT>, "wpw"});
  named("match.any.sync.b32", {match_any<uint32_t>, "www"});
  named("match.any.sync.b64", {match_any<uint64_t>, "wlw"});
  named("bar.warp.sync", {nothing, "-w"});
  named("activemask.b32", {active_mask, "w"});

  for (const char* space : {"global", "shared", "const"}) {
    for (const char* type : {"u64", "u32"}) {
      bool window = std::string(space) == "shared" && type[1] == '6';
      for (const char* to : {"", "to."}) {
        std::string name = std::string("cvta.") + to + space + "." + type;
        if (!window) {
          named(
              name, type[1] == '6' ? Each<Move<uint64_t>, uint64_t, uint64_t>::operation()
                                   : Each<Move<uint32_t>, uint32_t, uint32_t>::operation());
        } else {
          // Above the window's bit no address has any.
          struct Flip {
            static uint64_t of(uint64_t a) { return a ^ SHARED_WINDOW; }
          };
          named(name, Each<Flip, uint64_t, uint64_t>::operation());
        }
      }
    }
  }
  return all;
}

// ---- conversions

// Integers: the source's low bits, extended to 64, cut off or saturated, extended to the register's width.
template <class D, class S>
void convert_integer(Warp& w, const Instruction& i) {
  unsigned source_bits = i.extra & 255, bits = i.extra >> 8 & 255;
  bool source_signed = i.extra >> 16 & 1, is_signed = i.extra >> 17 & 1, saturated = i.extra >> 18 & 1;
  const S* s = w.from<S>(i.source[0]);
  D* d = w.to<D>(i.destination);
  for (unsigned l = 0; l < LANES; l++) {
    uint64_t high = (uint64_t)s[l] << (64 - source_bits);
    uint64_t value = source_signed ? (uint64_t)((int64_t)high >> (64 - source_bits)) : high >> (64 - source_bits);
    if (saturated) {
      bool negative = source_signed && (int64_t)value < 0;
      uint64_t most = is_signed    ? ((uint64_t)1 << (bits - 1)) - 1
                      : bits == 64 ? ~(uint64_t)0
                                   : ((uint64_t)1 << bits) - 1;
      int64_t least = is_signed ? -(int64_t)most - 1 : 0;
      if (negative && (int64_t)value < least) value = (uint64_t)least;
      if (!negative && value > most) value = most;
    }
    high = value << (64 - bits);
    value = is_signed ? (uint64_t)((int64_t)high >> (64 - bits)) : high >> (64 - bits);
    d[l] = w.mask >> l & 1 ? (D)value : d[l];
  }
}

template <class D, class S>
void integer_to_float(Warp& w, const Instruction& i) {
  unsigned bits = i.extra & 255;
  bool is_signed = i.extra >> 16 & 1;
  const S* s = w.from<S>(i.source[0]);
  D* d = w.to<D>(i.destination);
  for (unsigned l = 0; l < LANES; l++) {
    uint64_t high = (uint64_t)s[l] << (64 - bits);
    D value = is_signed ? (D)((int64_t)high >> (64 - bits)) : (D)(high >> (64 - bits));
    d[l] = w.mask >> l & 1 ? value : d[l];
  }
}

double rounded(double value, char mode) {
  return mode == 'n' ? nearbyint(value) : mode == 'z' ? trunc(value) : mode == 'm' ? floor(value) : ceil(value);
}

// NaN becomes 0; of 64 bits, as of what is out of range, the farthest.
template <class D, class S>
void float_to_integer(Warp& w, const Instruction& i) {
  unsigned bits = i.extra >> 8 & 255;
  bool is_signed = i.extra >> 17 & 1;
  char mode = (char)(i.extra >> 24);
  const S* s = w.from<S>(i.source[0]);
  D* d = w.to<D>(i.destination);
  double range = ldexp(1.0, (int)bits - (is_signed ? 1 : 0)), least = is_signed ? -range : 0;
  uint64_t most = is_signed ? ((uint64_t)1 << (bits - 1)) - 1 : bits == 64 ? ~(uint64_t)0 : ((uint64_t)1 << bits) - 1;
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    double value = rounded((double)s[l], mode);
    uint64_t result = value != value   ? (bits == 64 ? (uint64_t)1 << 63 : 0)
                      : value >= range ? most
                      : value <= least ? (is_signed ? ~most : 0)
                      : is_signed      ? (uint64_t)(int64_t)value
                                       : (uint64_t)value;
    d[l] = (D)result;
  }
}

struct Widen {
  static double of(float a) { return (double)canonical(a); }
};
struct Narrow {
  static float of(double a) { return canonical((float)a); }
};
struct Saturate {
  static float of(float a) { return a > 0 ? (a < 1 ? a : 1.0f) : 0.0f; }
};
template <class T, char MODE>
struct Rounded {
  static T of(T a) { return canonical((T)rounded((double)a, MODE)); }
};

template <template <class, class> class Convert>
Handler by_width(unsigned destination, unsigned source) {
  switch (destination * 16 + source) {
    case 0x22:
      return Convert<uint16_t, uint16_t>::run;
    case 0x24:
      return Convert<uint16_t, uint32_t>::run;
    case 0x28:
      return Convert<uint16_t, uint64_t>::run;
    case 0x42:
      return Convert<uint32_t, uint16_t>::run;
    case 0x44:
      return Convert<uint32_t, uint32_t>::run;
    case 0x48:
      return Convert<uint32_t, uint64_t>::run;
    case 0x82:
      return Convert<uint64_t, uint16_t>::run;
    case 0x84:
      return Convert<uint64_t, uint32_t>::run;
    case 0x88:
      return Convert<uint64_t, uint64_t>::run;
  }
  return nullptr;
}

template <class D, class S>
struct Integers {
  static void run(Warp& w, const Instruction& i) { convert_integer<D, S>(w, i); }
};

template <class T>
Handler from_integer(unsigned source) {
  return source == 2   ? integer_to_float<T, uint16_t>
         : source == 4 ? integer_to_float<T, uint32_t>
                       : integer_to_float<T, uint64_t>;
}

template <class T>
Handler to_integer(unsigned destination) {
  return destination == 2   ? float_to_integer<uint16_t, T>
         : destination == 4 ? float_to_integer<uint32_t, T>
                            : float_to_integer<uint64_t, T>;
}

template <class T>
Handler to_integral(char mode) {
  return mode == 'n'   ? Each<Rounded<T, 'n'>, T, T>::run
         : mode == 'z' ? Each<Rounded<T, 'z'>, T, T>::run
         : mode == 'm' ? Each<Rounded<T, 'm'>, T, T>::run
                       : Each<Rounded<T, 'p'>, T, T>::run;
}

}  // namespace

const Operation* operation_named(const std::string& name) {
  static const auto all = made();
  auto found = all.find(name);
  return found == all.end() ? nullptr : &found->second;
}

Operation conversion(const std::string& name, unsigned destination_bytes, unsigned source_bytes) {
  std::string rounding, types[2];
  bool saturated = false;
  size_t at = name.find('.');
  int found = 0;
  while (at != std::string::npos) {
    size_t next = name.find('.', at + 1);
    std::string part = name.substr(at + 1, next == std::string::npos ? next : next - at - 1);
    if (part == "sat")
      saturated = true;
    else if (part[0] == 'r')
      rounding = part;
    else if (found < 2)
      types[found++] = part;
    else
      return {};
    at = next;
  }
  auto kind = [](const std::string& type) { return type.empty() ? '?' : type[0]; };
  auto number_of_bits = [](const std::string& type) {
    std::string digits = type.substr(1);
    return digits == "8" || digits == "16" || digits == "32" || digits == "64" ? (unsigned)std::stoul(digits) : 0u;
  };
  if (found != 2) return {};
  char to = kind(types[0]), from = kind(types[1]);
  auto known = [](char type) { return type == 'f' || type == 's' || type == 'u'; };
  if (!known(to) || !known(from)) return {};
  unsigned to_bits = number_of_bits(types[0]), from_bits = number_of_bits(types[1]);
  if (to_bits == 0 || from_bits == 0 || destination_bytes * 8 < to_bits || source_bytes * 8 < from_bits) return {};
  if (to == 'f' ? to_bits < 32 || destination_bytes * 8 != to_bits : false) return {};
  if (from == 'f' ? from_bits < 32 || source_bytes * 8 != from_bits : false) return {};
  int64_t extra =
      from_bits | to_bits << 8 | (from == 's' ? 1 << 16 : 0) | (to == 's' ? 1 << 17 : 0) | (saturated ? 1 << 18 : 0);
  bool integral = rounding.size() == 3 && rounding[2] == 'i';
  if (integral) extra |= (int64_t)rounding[1] << 24;
  Operation operation = {nullptr, "", extra};
  if (to != 'f' && from != 'f') {
    if (rounding.empty()) operation.run = by_width<Integers>(destination_bytes, source_bytes);
  } else if (to == 'f' && from != 'f') {
    if (rounding != "rn" || saturated) return {};
    operation.run = to_bits == 32 ? from_integer<float>(source_bytes) : from_integer<double>(source_bytes);
  } else if (to != 'f') {
    if (!integral) return {};
    operation.run = from_bits == 32 ? to_integer<float>(destination_bytes) : to_integer<double>(destination_bytes);
  } else if (to_bits == from_bits) {
    if (integral && !saturated)
      operation.run = to_bits == 32 ? to_integral<float>(rounding[1]) : to_integral<double>(rounding[1]);
    if (rounding.empty() && saturated && to_bits == 32) operation.run = Each<Saturate, float, float>::run;
  } else if (!saturated) {
    if (to_bits == 64 && rounding.empty()) operation.run = Each<Widen, double, float>::run;
    if (to_bits == 32 && rounding == "rn") operation.run = Each<Narrow, float, double>::run;
  }
  return operation;
}

// ---- special registers, and values of several registers

namespace {

void thread_index(Warp& w, const Instruction& i) {
  const Dim3& size = w.grid->block_size;
  uint32_t* d = w.to<uint32_t>(i.destination);
  for (unsigned l = 0; l < LANES; l++) {
    uint32_t thread = w.number * LANES + l;
    uint32_t value = i.extra == 0   ? thread % size.x
                     : i.extra == 1 ? thread / size.x % size.y
                     : i.extra == 2 ? thread / size.x / size.y
                                    : l;
    d[l] = w.mask >> l & 1 ? value : d[l];
  }
}

void lanes_below(Warp& w, const Instruction& i) {
  uint32_t* d = w.to<uint32_t>(i.destination);
  for (unsigned l = 0; l < LANES; l++) {
    uint32_t below = (1u << l) - 1, equal = 1u << l;
    uint32_t value = i.extra == 0   ? equal
                     : i.extra == 1 ? below
                     : i.extra == 2 ? below | equal
                     : i.extra == 3 ? ~(below | equal)
                                    : ~below;
    d[l] = w.mask >> l & 1 ? value : d[l];
  }
}

void of_the_block(Warp& w, const Instruction& i) {
  const Grid& grid = *w.grid;
  Dim3 index = grid.index(w.block->number);
  const uint32_t values[] = {index.x,           index.y,     index.z,           grid.size.x,
                             grid.size.y,       grid.size.z, grid.block_size.x, grid.block_size.y,
                             grid.block_size.z, w.number,    grid.warps};
  uint32_t value = values[i.extra];
  uint32_t* d = w.to<uint32_t>(i.destination);
  for (unsigned l = 0; l < LANES; l++) d[l] = w.mask >> l & 1 ? value : d[l];
}

}  // namespace

Handler special_register(const std::string& name, int64_t* extra) {
  static const std::map<std::string, std::pair<Handler, int64_t>> all = {
      {"%tid.x", {thread_index, 0}},      {"%tid.y", {thread_index, 1}},      {"%tid.z", {thread_index, 2}},
      {"%laneid", {thread_index, 3}},     {"%lanemask_eq", {lanes_below, 0}}, {"%lanemask_lt", {lanes_below, 1}},
      {"%lanemask_le", {lanes_below, 2}}, {"%lanemask_gt", {lanes_below, 3}}, {"%lanemask_ge", {lanes_below, 4}},
      {"%ctaid.x", {of_the_block, 0}},    {"%ctaid.y", {of_the_block, 1}},    {"%ctaid.z", {of_the_block, 2}},
      {"%nctaid.x", {of_the_block, 3}},   {"%nctaid.y", {of_the_block, 4}},   {"%nctaid.z", {of_the_block, 5}},
      {"%ntid.x", {of_the_block, 6}},     {"%ntid.y", {of_the_block, 7}},     {"%ntid.z", {of_the_block, 8}},
      {"%warpid", {of_the_block, 9}},     {"%nwarpid", {of_the_block, 10}},
  };
  auto found = all.find(name);
  if (found == all.end()) return nullptr;
  *extra = found->second.second;
  return found->second.first;
}

// extra: bytes of a part, and of the whole times 16. The parts of a vector are source[0] and on, or for unpack
// destination, second and source[1] and on.
void pack(Warp& w, const Instruction& i) {
  unsigned part = i.extra & 15, whole = i.extra >> 4;
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    char value[8];
    for (unsigned n = 0; n * part < whole; n++) memcpy(value + n * part, w.from<char>(i.source[n]) + l * part, part);
    memcpy(w.to<char>(i.destination) + l * whole, value, whole);
  }
}

void unpack(Warp& w, const Instruction& i) {
  unsigned part = i.extra & 15, whole = i.extra >> 4;
  const int32_t parts[] = {i.destination, i.second, i.source[1], i.source[2]};
  const char* source = w.from<char>(i.source[0]);
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    for (unsigned n = 0; n * part < whole; n++) {
      if (parts[n] >= 0) memcpy(w.to<char>(parts[n]) + l * part, source + l * whole + n * part, part);
    }
  }
}

}  // namespace ptx
