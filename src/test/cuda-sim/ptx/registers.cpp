// Virtual registers share places where no lane needs both: nvcc writes thousands, of which a warp's state would leave
// the processor's cache. Lanes that stand apart follow paths of their own, each in its own column of a place, so what
// holds for a path holds for a warp. Registers of different widths share none: their columns lie elsewhere.
#include <algorithm>

#include "ptx.h"

namespace ptx {

namespace {

using Bits = std::vector<uint64_t>;

void set(Bits& bits, int32_t n) { bits[n / 64] |= (uint64_t)1 << n % 64; }
void clear(Bits& bits, int32_t n) { bits[n / 64] &= ~((uint64_t)1 << n % 64); }

template <typename Action>
void each(const Bits& bits, Action action) {
  for (size_t word = 0; word < bits.size(); word++) {
    for (uint64_t left = bits[word]; left != 0; left &= left - 1) {
      action((int32_t)(word * 64 + (size_t)__builtin_ctzll(left)));
    }
  }
}

struct Stretch {
  uint32_t begin, end;  // instructions
  std::vector<size_t> next;
  Bits live_in, live_out;
};

// Stretches of instructions that are entered at the first and left after the last.
std::vector<Stretch> stretches_of(const Kernel& kernel, size_t words) {
  size_t count = kernel.code.size();
  std::vector<bool> first(count + 1);
  first[0] = first[count] = true;
  for (size_t n = 0; n < count; n++) {
    const Instruction& instruction = kernel.code[n];
    if (instruction.kind == Kind::BRANCH) first[instruction.target] = true;
    if (instruction.kind == Kind::BRANCH || instruction.kind == Kind::EXIT) first[n + 1] = true;
  }
  std::vector<Stretch> stretches;
  std::vector<size_t> number(count + 1);
  for (size_t n = 0; n < count; n++) {
    if (first[n]) stretches.push_back({(uint32_t)n, 0, {}, Bits(words), Bits(words)});
    number[n] = stretches.size() - 1;
    stretches.back().end = (uint32_t)n + 1;
  }
  for (Stretch& stretch : stretches) {
    const Instruction& last = kernel.code[stretch.end - 1];
    bool leaves = (last.kind == Kind::BRANCH || last.kind == Kind::EXIT) && last.guard < 0;
    if (!leaves && stretch.end < count) stretch.next.push_back(number[stretch.end]);
    if (last.kind == Kind::BRANCH) stretch.next.push_back(number[last.target]);
  }
  return stretches;
}

// nvcc leaves registers unwritten on ways on which it knows that no lane reads them later.
void track(
    Kernel& kernel, const std::vector<Use>& uses, const std::vector<VirtualRegister>& registers,
    const Bits& unwritten) {
  std::map<int32_t, uint32_t> numbers;
  each(unwritten, [&](int32_t name) { numbers[name] = kernel.tracked++; });
  for (const Use& use : uses) {
    auto number = numbers.find(use.name);
    if (number == numbers.end()) continue;
    Instruction& instruction = kernel.code[use.instruction];
    if (instruction.tracked == nullptr) {
      instruction.tracked = std::make_shared<Tracked>();
      instruction.tracked->run = instruction.run;
      instruction.run = run_tracked;
    }
    (use.written ? instruction.tracked->written : instruction.tracked->read).push_back(number->second);
    if (!use.written) instruction.tracked->names.push_back(registers[use.name].name);
  }
}

}  // namespace

void place_registers(Kernel& kernel, std::vector<Use>& uses, const std::vector<VirtualRegister>& registers) {
  size_t words = registers.size() / 64 + 1;
  std::vector<std::vector<int32_t>> reads(kernel.code.size()), writes(kernel.code.size());
  for (const Use& use : uses) (use.written ? writes : reads)[use.instruction].push_back(use.name);
  std::vector<Stretch> stretches = stretches_of(kernel, words);

  // What is live, backwards over an instruction. A guarded write keeps what other lanes have.
  auto before = [&](uint32_t n, Bits& live) {
    if (kernel.code[n].guard < 0) {
      for (int32_t name : writes[n]) clear(live, name);
    }
    for (int32_t name : reads[n]) set(live, name);
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t s = stretches.size(); s-- > 0;) {
      Stretch& stretch = stretches[s];
      for (size_t next : stretch.next) {
        for (size_t word = 0; word < words; word++) stretch.live_out[word] |= stretches[next].live_in[word];
      }
      Bits live = stretch.live_out;
      for (uint32_t n = stretch.end; n-- > stretch.begin;) before(n, live);
      if (live != stretch.live_in) {
        stretch.live_in = live;
        changed = true;
      }
    }
  }
  track(kernel, uses, registers, stretches[0].live_in);

  // Two that are live at once.
  std::vector<Bits> apart(registers.size(), Bits(words));
  auto separate = [&](int32_t a, int32_t b) {
    if (a == b) return;
    set(apart[a], b);
    set(apart[b], a);
  };
  for (const Stretch& stretch : stretches) {
    Bits live = stretch.live_out;
    for (uint32_t n = stretch.end; n-- > stretch.begin;) {
      for (int32_t name : writes[n]) {
        each(live, [&](int32_t other) { separate(name, other); });
        for (int32_t other : writes[n]) separate(name, other);
      }
      before(n, live);
    }
  }

  // Greedily, in the order of the text. Only registers of one width share a place: a lane's column of it lies elsewhere
  // in another width, and a write for some lanes would change what others have.
  std::vector<int32_t> place(registers.size(), -1);
  std::map<char, int32_t> places;
  for (const Use& use : uses) {
    if (place[use.name] >= 0) continue;
    char shape = registers[use.name].shape;
    std::vector<bool> taken(registers.size() + 1);
    each(apart[use.name], [&](int32_t other) {
      if (place[other] >= 0 && registers[other].shape == shape) taken[place[other]] = true;
    });
    int32_t at = 0;
    while (taken[at]) at++;
    place[use.name] = at;
    places[shape] = std::max(places[shape], at + 1);
  }
  // Those of one width stand together.
  std::map<char, int32_t> begin;
  for (auto& [shape, count] : places) {
    begin[shape] = (int32_t)kernel.register_bytes;
    kernel.register_bytes += (size_t)count * bytes_of(shape) * LANES;
  }
  for (Use& use : uses) {
    char shape = registers[use.name].shape;
    *use.place = begin[shape] + place[use.name] * (int32_t)(bytes_of(shape) * LANES);
  }
}

}  // namespace ptx
