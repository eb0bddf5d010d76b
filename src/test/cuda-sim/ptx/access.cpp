// Loads, stores and atomics: where their lanes go, what that costs, and the bytes that move.
#include <algorithm>
#include <type_traits>

#include "machine.h"

namespace ptx {

namespace {

template <class M, class R>
void move_in(const Warp& w, void* registers, char* memory, const int64_t* offset) {
  R* d = (R*)registers;
  if (w.mask == ALL_LANES) {
    for (unsigned l = 0; l < LANES; l++) d[l] = (R)(std::make_signed_t<R>)(*(const M*)(memory + offset[l]));
  } else {
    for (unsigned l = 0; l < LANES; l++) {
      if (w.mask >> l & 1) d[l] = (R)(std::make_signed_t<R>)(*(const M*)(memory + offset[l]));
    }
  }
}

template <class M, class R>
void move_out(const Warp& w, void* registers, char* memory, const int64_t* offset) {
  const R* s = (const R*)registers;
  for (unsigned l = 0; l < LANES; l++) {
    if (w.mask >> l & 1) *(M*)(memory + offset[l]) = (M)s[l];
  }
}

template <class R>
Mover mover(bool store, unsigned width, bool is_signed) {
  if (width > sizeof(R)) return nullptr;
  switch (width) {
    case 1:
      return store ? move_out<uint8_t, R> : is_signed ? move_in<int8_t, R> : move_in<uint8_t, R>;
    case 2:
      return store ? move_out<uint16_t, R> : is_signed ? move_in<int16_t, R> : move_in<uint16_t, R>;
    case 4:
      return store ? move_out<uint32_t, R> : is_signed ? move_in<int32_t, R> : move_in<uint32_t, R>;
    default:
      return store ? move_out<uint64_t, R> : move_in<uint64_t, R>;
  }
}

// How much more often than once for each part of a warp the banks have to be asked: 32 banks of 4 bytes each serve 32
// lanes of 4 bytes, 16 of 8, 8 of 16.
int conflicts_of(const Warp& w, const Access& access, const Pattern& pattern) {
  unsigned lanes = LANES * 4 / std::max(4u, access.bytes());
  int conflicts = 0;
  for (unsigned first = 0; first < LANES; first += lanes) {
    int64_t words[LANES];
    int count = 0;
    for (unsigned l = first; l < first + lanes; l++) {
      if (!(w.mask >> l & 1)) continue;
      for (unsigned byte = 0; byte < access.bytes(); byte += 4) words[count++] = (pattern.offset[l] + byte) >> 2;
    }
    std::sort(words, words + count);
    int most = 1, asked[LANES] = {};
    for (int n = 0; n < count; n++) {
      if (n == 0 || words[n] != words[n - 1]) most = std::max(most, ++asked[words[n] & 31]);
    }
    conflicts += most - 1;
  }
  return conflicts;
}

const Pattern& pattern_of(const Warp& w, Access& access, const int64_t* address, int64_t first) {
  Pattern& pattern = access.pattern;
  if (pattern.mask == w.mask) {
    int64_t differs = 0;
    for (unsigned l = 0; l < LANES; l++) differs |= (address[l] - first) ^ pattern.offset[l];
    if (differs == 0) return pattern;
  }
  pattern.mask = w.mask;
  pattern.bits = 0;
  for (unsigned l = 0; l < LANES; l++) {
    pattern.offset[l] = pattern.sorted[l] = address[l] - first;
    pattern.bits |= pattern.offset[l];
  }
  std::sort(pattern.sorted, pattern.sorted + LANES);
  pattern.distinct = (int)(std::unique(pattern.sorted, pattern.sorted + LANES) - pattern.sorted);
  pattern.least = pattern.sorted[0];
  pattern.most = pattern.sorted[pattern.distinct - 1];
  pattern.whole = true;
  for (int n = 1; n < pattern.distinct; n++) {
    pattern.whole = pattern.whole && pattern.sorted[n] - pattern.sorted[n - 1] <= (int64_t)access.bytes();
  }
  pattern.conflicts = access.space == Space::SHARED && pattern.distinct > 1 ? conflicts_of(w, access, pattern) : 0;
  return pattern;
}

// Of the active lanes; the others get that of the first.
int64_t addresses_of(const Warp& w, const Access& access, int64_t* address) {
  if (access.address < 0) {
    for (unsigned l = 0; l < LANES; l++) address[l] = access.offset;
    return access.offset;
  }
  if (access.wide_address) {
    const int64_t* base = w.from<int64_t>(access.address);
    for (unsigned l = 0; l < LANES; l++) address[l] = base[l] + access.offset;
  } else {
    const uint32_t* base = w.from<uint32_t>(access.address);
    for (unsigned l = 0; l < LANES; l++) address[l] = (int64_t)(base[l] + (uint32_t)access.offset);
  }
  int64_t first = address[w.first_lane()];
  if (w.mask != ALL_LANES) {
    for (unsigned l = 0; l < LANES; l++) address[l] = w.lanes[l] ? address[l] : first;
  }
  return first;
}

struct Place {
  char* base;
  const int64_t* offset;
};

// Finds the space of a generic access; lanes of both spaces in one are beyond the simulation.
Space space_of(const Warp& w, const Instruction& i, const int64_t* address, int64_t* first) {
  const Access& access = *i.access;
  if (access.space != Space::GENERIC) return access.space;
  bool shared = (uint64_t)*first >= SHARED_WINDOW;
  for (unsigned l = 0; l < LANES; l++) {
    if (((uint64_t)address[l] >= SHARED_WINDOW) != shared) {
      fault(w, i, l, LAUNCH_FAILED, "generic addresses of shared and of global memory in one access");
    }
  }
  if (shared) *first ^= (int64_t)SHARED_WINDOW;
  return shared ? Space::SHARED : Space::GLOBAL;
}

Place place_of(Warp& w, const Instruction& i) {
  static const int64_t none[LANES] = {};
  Access& access = *i.access;
  alignas(64) int64_t address[LANES];
  int64_t first = addresses_of(w, access, address);
  if (access.space == Space::PARAMETER || access.space == Space::CONSTANT) {
    bool constant = access.space == Space::CONSTANT;
    size_t bytes = constant ? w.grid->kernel->constant_memory.size() : w.grid->kernel->parameter_bytes;
    const Pattern& pattern = pattern_of(w, access, address, first);
    if (first + pattern.least < 0 || (size_t)(first + pattern.most + access.bytes()) > bytes) {
      fault(w, i, w.first_lane(), ILLEGAL_ADDRESS, "reads outside the kernel's parameters or constants");
    }
    const char* from = constant ? w.grid->kernel->constant_memory.data() : w.grid->parameters;
    return {(char*)from + first, pattern.most == 0 && pattern.least == 0 ? none : pattern.offset};
  }
  Space space = space_of(w, i, address, &first);
  if (space == Space::SHARED && access.space == Space::GENERIC) {
    for (int64_t& each : address) each ^= (int64_t)SHARED_WINDOW;
  }
  const Pattern& pattern = pattern_of(w, access, address, first);
  char* base = space == Space::SHARED ? check_shared(w, i, (uint64_t)first, pattern)
                                      : check_global(w, i, (uint64_t)first, pattern);
  return {base, pattern.offset};
}

}  // namespace

bool complete(Access& access, unsigned register_bytes) {
  bool is_signed = access.type == 's';
  access.move = register_bytes == 2   ? mover<uint16_t>(access.store, access.width, is_signed)
                : register_bytes == 4 ? mover<uint32_t>(access.store, access.width, is_signed)
                                      : mover<uint64_t>(access.store, access.width, is_signed);
  return access.move != nullptr;
}

void load(Warp& w, const Instruction& i) {
  const Access& access = *i.access;
  Place place = place_of(w, i);
  for (unsigned n = 0; n < access.count; n++) {
    access.move(w, w.to<char>(access.registers[n]), place.base + n * access.width, place.offset);
  }
  if (access.ordered) acquire_at(w, (uint64_t)place.base);
  if (access.acquire) acquire(*w.block);
}

void store(Warp& w, const Instruction& i) {
  const Access& access = *i.access;
  if (access.release) publish(w);
  Place place = place_of(w, i);
  for (unsigned n = 0; n < access.count; n++) {
    access.move(w, (void*)w.from<char>(access.registers[n]), place.base + n * access.width, place.offset);
  }
  if (access.ordered) release_at(w, (uint64_t)place.base);
}

namespace {

template <class T>
T changed(Atomic atomic, T old, T value, T other) {
  switch (atomic) {
    case Atomic::ADD:
      return (T)(old + value);
    case Atomic::EXCHANGE:
      return value;
    case Atomic::COMPARE:
      return old == value ? other : old;
    case Atomic::INCREMENT:
      return old >= value ? 0 : (T)(old + 1);
    case Atomic::DECREMENT:
      return old == 0 || old > value ? value : (T)(old - 1);
    case Atomic::MINIMUM:
      return value < old ? value : old;
    case Atomic::MAXIMUM:
      return old < value ? value : old;
    default:
      break;
  }
  if constexpr (std::is_integral_v<T>) {
    if (atomic == Atomic::AND) return old & value;
    if (atomic == Atomic::OR) return old | value;
    if (atomic == Atomic::XOR) return old ^ value;
  }
  return old;
}

// One lane after the other: a GPU promises no order.
template <class T>
void change(Warp& w, const Instruction& i, const Place& place) {
  const Access& access = *i.access;
  const T* value = w.from<T>(access.operands[0]);
  const T* other = access.operands[1] == -1 ? value : w.from<T>(access.operands[1]);
  T old[LANES];
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    T* at = (T*)(place.base + place.offset[l]);
    old[l] = *at;
    *at = changed(access.atomic, old[l], value[l], other[l]);
  }
  if (i.destination < 0) return;
  T* d = w.to<T>(i.destination);
  for (unsigned l = 0; l < LANES; l++) {
    if (w.mask >> l & 1) d[l] = old[l];
  }
}

}  // namespace

void change_atomically(Warp& w, const Instruction& i) {
  const Access& access = *i.access;
  if (access.release) publish(w);
  Place place = place_of(w, i);
  bool wide = access.width == 8;
  if (access.type == 'f') {
    wide ? change<double>(w, i, place) : change<float>(w, i, place);
  } else if (access.type == 's') {
    wide ? change<int64_t>(w, i, place) : change<int32_t>(w, i, place);
  } else {
    wide ? change<uint64_t>(w, i, place) : change<uint32_t>(w, i, place);
  }
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    acquire_at(w, (uint64_t)place.base + (uint64_t)place.offset[l]);
    release_at(w, (uint64_t)place.base + (uint64_t)place.offset[l]);
  }
  if (access.acquire) acquire(*w.block);
}

void fence(Warp& w, const Instruction& i) {
  if (i.extra == 0) return;  // of the block alone
  publish(w);
  acquire(*w.block);
}

}  // namespace ptx
