// Runs a grid: lanes that stand at different places of the program, warps that wait for each other, blocks that take
// turns. Of a warp's lanes those run that stand lowest in the program, so that those ahead wait for them where they
// meet.
#include <algorithm>

#include "machine.h"

namespace ptx {

namespace {

constexpr uint32_t NOWHERE = 0xffffffffu;
constexpr uint64_t MOST_INSTRUCTIONS = (uint64_t)1 << 33;  // of a launch: minutes
constexpr uint64_t LONG_SLICE = 1 << 20;                   // so that a block which waits for another lets it run

}  // namespace

std::string text_of(const Dim3& index) {
  return "(" + std::to_string(index.x) + ", " + std::to_string(index.y) + ", " + std::to_string(index.z) + ")";
}

void fault(const Warp& warp, const Instruction& instruction, unsigned lane, int result, const std::string& what) {
  const Kernel& kernel = *warp.grid->kernel;
  throw Finding{
      result, "kernel " + kernel.name + ", PTX line " + std::to_string(instruction.line) + ", block " +
                  text_of(warp.grid->index(warp.block->number)) + ", warp " + std::to_string(warp.number) + ", lane " +
                  std::to_string(lane) + ": " + kernel.texts[(size_t)(&instruction - kernel.code.data())] + ": " +
                  what};
}

// ---- warps

void run_tracked(Warp& warp, const Instruction& i) {
  const Tracked& tracked = *i.tracked;
  for (size_t n = 0; n < tracked.read.size(); n++) {
    uint32_t missing = warp.mask & ~warp.defined[tracked.read[n]];
    if (missing == 0) continue;
    fault(
        warp, i, (unsigned)__builtin_ctz(missing), LAUNCH_FAILED,
        "reads register " + tracked.names[n] + ", which nothing has written");
  }
  tracked.run(warp, i);
  for (uint32_t number : tracked.written) warp.defined[number] |= warp.mask;
}

void Warp::begin(Block* of, unsigned its_number) {
  block = of;
  grid = of->grid;
  number = its_number;
  registers.resize(grid->kernel->register_bytes + 64);
  bases[0] = (char*)(((uintptr_t)registers.data() + 63) / 64 * 64);
  bases[1] = grid->constants;
  predicates.assign(grid->kernel->predicates, 0);
  for (int32_t predicate : grid->kernel->true_predicates) predicates[(size_t)predicate] = ALL_LANES;
  defined.assign(grid->kernel->tracked, 0);
  uint64_t threads = grid->block_size.count() - (uint64_t)number * LANES;
  began = live = threads >= LANES ? ALL_LANES : (1u << threads) - 1;
  others.clear();
  limit = NOWHERE;
  place = 0;
  state = Stop::SLICE;
  stamp_time = 0;
  set_mask(live);
}

void Warp::set_mask(uint32_t lanes_now) {
  mask = lanes_now;
  for (unsigned l = 0; l < LANES; l++) lanes[l] = -(int32_t)(lanes_now >> l & 1);
}

void Warp::find_limit() {
  limit = NOWHERE;
  for (const Group& group : others) {
    if (!group.waiting) limit = std::min(limit, group.place);
  }
}

// Some lanes go on at another place than the next.
void Warp::split(uint32_t taken, uint32_t target) {
  uint32_t stay = mask & ~taken, next = place + 1;
  bool jump = target < next;
  others.push_back({jump ? next : target, jump ? stay : taken, false});
  place = jump ? target : next;
  set_mask(jump ? taken : stay);
  find_limit();
}

// The running lanes have come to where others stand, or past it.
void Warp::next_group() {
  if (place > limit) {
    others.push_back({place, mask, false});
    place = limit;
    mask = 0;
  }
  uint32_t together = mask;
  for (size_t n = others.size(); n-- > 0;) {
    if (others[n].place != place || others[n].waiting) continue;
    together |= others[n].mask;
    others.erase(others.begin() + (long)n);
  }
  set_mask(together);
  find_limit();
}

// The running lanes return, or wait: another group runs.
void Warp::leave() {
  find_limit();
  if (limit == NOWHERE) return;
  place = limit;
  mask = 0;
  next_group();
}

// An instruction that lanes have to run together, those it names or, at a barrier of the block, all: false where some
// of them have yet to come.
bool Warp::come_together(const Instruction& i) {
  for (size_t n = others.size(); n-- > 0;) {
    if (others[n].place != place) continue;
    mask |= others[n].mask;
    others.erase(others.begin() + (long)n);
  }
  set_mask(mask);
  find_limit();
  bool all_lanes = i.kind == Kind::BARRIER;
  if (all_lanes && live != began) {
    fault(*this, i, (unsigned)__builtin_ctz(began & ~live), LAUNCH_FAILED, "diverged barrier: this lane has returned");
  }
  uint32_t named = all_lanes ? began : from<uint32_t>(i.source[i.target])[first_lane()];
  if ((named & mask) != mask) {
    fault(
        *this, i, (unsigned)__builtin_ctz(mask & ~named), LAUNCH_FAILED,
        "runs it, and is not among the lanes it names");
  }
  uint32_t missing = named & live & ~mask;
  if (missing == 0) return true;
  others.push_back({place, mask, true});
  mask = 0;
  find_limit();
  if (limit != NOWHERE) {
    leave();
    return false;
  }
  // All wait. Those at barriers of a warp may do so at different ones.
  bool barriers = true;
  uint32_t all = 0;
  for (const Group& group : others) {
    const Instruction& at = grid->kernel->code[group.place];
    barriers = barriers && at.kind == Kind::TOGETHER && at.source[1] == -1 && at.destination == -1;
    all |= group.mask;
  }
  if (!barriers || (named & live & ~all) != 0) {
    const Group& first = *std::min_element(
        others.begin(), others.end(), [](const Group& a, const Group& b) { return a.place < b.place; });
    const Instruction& blamed = grid->kernel->code[first.place];
    set_mask(first.mask);
    uint32_t wanted = blamed.kind == Kind::BARRIER ? began : from<uint32_t>(blamed.source[blamed.target])[first_lane()];
    uint32_t absent = wanted & live & ~first.mask;
    fault(
        *this, blamed, (unsigned)__builtin_ctz(absent == 0 ? first.mask : absent), LAUNCH_FAILED,
        std::string(blamed.kind == Kind::BARRIER ? "diverged barrier: " : "") +
            "this lane does not come here, and others wait for it");
  }
  for (Group& group : others) {
    group.waiting = false;
    group.place++;
  }
  leave();
  return false;
}

Stop Warp::run(uint64_t slice) {
  const Instruction* code = grid->kernel->code.data();
  uint64_t left = slice;
  Stop stop = Stop::SLICE;
  while (left > 0) {
    if (place >= limit) next_group();
    const Instruction& i = code[place];
    left--;
    if (i.kind == Kind::PLAIN && i.guard < 0) {
      i.run(*this, i);
      place++;
      continue;
    }
    uint32_t guarded = mask;
    if (i.guard >= 0) guarded &= i.guard_negated ? ~predicates[(size_t)i.guard] : predicates[(size_t)i.guard];
    if (i.kind == Kind::BRANCH) {
      if (guarded == mask) {
        place = i.target;
      } else if (guarded == 0) {
        place++;
      } else {
        split(guarded, i.target);
      }
      continue;
    }
    if (guarded == 0) {
      place++;
      continue;
    }
    if (guarded != mask) {
      // The others wait behind it.
      others.push_back({place + 1, mask & ~guarded, false});
      set_mask(guarded);
      find_limit();
    }
    switch (i.kind) {
      case Kind::PLAIN:
        i.run(*this, i);
        place++;
        break;
      case Kind::TOGETHER:
        if (come_together(i)) {
          i.run(*this, i);
          place++;
        }
        break;
      case Kind::EXIT:
        live &= ~mask;
        mask = 0;
        for (Group& group : others) group.waiting = false;  // for these lanes, perhaps
        leave();
        if (live == 0) stop = Stop::DONE;
        break;
      default:
        if (!come_together(i)) break;
        stop = Stop::BARRIER;
    }
    if (stop != Stop::SLICE) break;
  }
  grid->cost.instructions += slice - left;
  return state = stop;
}

// ---- blocks

void Block::begin(Grid* of, uint32_t its_number) {
  grid = of;
  number = its_number;
  // What nothing has written is a NaN.
  size_t bytes = (grid->shared_bytes + CHUNK - 1) / CHUNK * CHUNK;
  shared.assign(bytes, (char)0xff);
  writer = grid->writer;
  reader.assign(bytes, 0);
  touched.assign(bytes / CHUNK, 0);
  time = barrier_time = 1;
  fenced.assign(grid->warps, 0);
  acquired.clear();
  pending.clear();
  has_pending = false;
  for (unsigned n = 0; n < grid->warps; n++) warps[n]->begin(this, n);
}

namespace {

const Instruction& at(const Warp& warp) { return warp.grid->kernel->code[warp.place]; }

uint32_t value_of(const Warp& warp, int32_t source) { return warp.from<uint32_t>(source)[warp.first_lane()]; }

// Opens the barriers to which all warps have come that they wait for.
void open_barriers(Block& block) {
  std::map<uint32_t, std::vector<Warp*>> waiting;
  size_t done = 0;
  for (unsigned n = 0; n < block.grid->warps; n++) {
    Warp* warp = block.warps[n];
    done += warp->state == Stop::DONE;
    if (warp->state == Stop::BARRIER) waiting[value_of(*warp, at(*warp).source[0])].push_back(warp);
  }
  bool opened = false;
  for (auto& [id, warps] : waiting) {
    const Instruction& first = at(*warps[0]);
    uint32_t threads = first.source[1] < 0 ? 0 : value_of(*warps[0], first.source[1]);
    size_t wanted = threads == 0 ? block.grid->warps : threads / LANES;
    if (threads == 0 && done > 0) {
      unsigned number = warps[0]->number;
      fault(
          *warps[0], first, 0, LAUNCH_FAILED,
          "diverged barrier: warp " + std::to_string(number) + " waits, and " + std::to_string(done) + " of " +
              std::to_string(block.grid->warps) + " warps have returned");
    }
    if (warps.size() < wanted) continue;
    for (Warp* warp : warps) {
      if (at(*warp).line == first.line) continue;
      fault(*warp, at(*warp), 0, LAUNCH_FAILED, "diverged barrier: others wait at line " + std::to_string(first.line));
    }
    for (Warp* warp : warps) {
      warp->state = Stop::SLICE;
      warp->place++;
    }
    block.pass_barrier();
    opened = true;
  }
  if (!opened) {
    const Warp& warp = *waiting.begin()->second[0];
    fault(warp, at(warp), 0, LAUNCH_FAILED, "diverged barrier: the warps wait for each other at different ones");
  }
}

// One after the other, up to the next barrier; or for a short slice each, in any order. Whether the block has ended.
bool run_block(Block& block, const Orders& orders, std::mt19937_64& random) {
  unsigned warps = block.grid->warps;
  if (orders.kind == Orders::RANDOM) {
    std::vector<Warp*> ready;
    for (unsigned n = 0; n < warps; n++) {
      if (block.warps[n]->state == Stop::SLICE) ready.push_back(block.warps[n]);
    }
    ready[random() % ready.size()]->run(1 + random() % 400);
  } else {
    for (unsigned n = 0; n < warps; n++) {
      Warp& warp = *block.warps[orders.kind == Orders::ASCENDING ? n : warps - 1 - n];
      if (warp.state == Stop::SLICE) warp.run(LONG_SLICE);
    }
  }
  bool running = false, ended = true;
  for (unsigned n = 0; n < warps; n++) {
    running = running || block.warps[n]->state == Stop::SLICE;
    ended = ended && block.warps[n]->state == Stop::DONE;
  }
  if (!ended && !running) open_barriers(block);
  return ended;
}

// Blocks and warps serve all launches, one at a time.
std::vector<std::unique_ptr<Block>> idle_blocks;
std::vector<std::unique_ptr<Warp>> idle_warps;

void run_blocks(Grid& grid, const Orders& orders) {
  uint64_t count = grid.size.count();
  size_t resident = (size_t)std::min<uint64_t>(std::max(1u, orders.multiprocessors), count);
  std::mt19937_64 random(orders.seed);
  while (idle_blocks.size() < resident) idle_blocks.push_back(std::make_unique<Block>());
  while (idle_warps.size() < resident * grid.warps) idle_warps.push_back(std::make_unique<Warp>());
  std::vector<uint32_t> sequence(count);
  for (uint32_t n = 0; n < count; n++) {
    sequence[n] = orders.kind == Orders::DESCENDING ? (uint32_t)count - 1 - n : n;
  }
  if (orders.kind == Orders::RANDOM) std::shuffle(sequence.begin(), sequence.end(), random);
  std::vector<Block*> running;
  uint64_t begun = 0;
  for (size_t n = 0; n < resident; n++) {
    Block* block = idle_blocks[n].get();
    block->warps.clear();
    for (unsigned w = 0; w < grid.warps; w++) block->warps.push_back(idle_warps[n * grid.warps + w].get());
    block->begin(&grid, sequence[begun++]);
    running.push_back(block);
  }
  size_t turn = 0;
  while (!running.empty()) {
    if (orders.kind == Orders::RANDOM) turn = random() % running.size();
    turn %= running.size();
    Block& block = *running[turn];
    uint64_t before = grid.cost.instructions;
    if (run_block(block, orders, random)) {
      if (begun < count) {
        block.begin(&grid, sequence[begun++]);
      } else {
        running.erase(running.begin() + (long)turn);
      }
    } else if (grid.cost.instructions - before >= LONG_SLICE) {
      turn++;
    }
    if (grid.cost.instructions > MOST_INSTRUCTIONS) {
      const Warp& warp = *block.warps[0];
      fault(warp, at(warp), 0, LAUNCH_FAILED, "the launch does not end");
    }
  }
}

}  // namespace

void run(
    const Kernel& kernel, Dim3 size, Dim3 block, size_t dynamic_shared_bytes, const char* parameters, Memory& memory,
    const Orders& orders, Cost& cost) {
  Grid grid = {};
  grid.kernel = &kernel;
  grid.size = size;
  grid.block_size = block;
  grid.warps = (unsigned)((block.count() + LANES - 1) / LANES);
  grid.shared_bytes = kernel.open_shared > 0 ? kernel.open_shared + dynamic_shared_bytes : kernel.shared_bytes;
  grid.parameters = parameters;
  grid.memory = &memory;
  grid.stamps.push_back({});
  grid.writer.assign((grid.shared_bytes + CHUNK - 1) / CHUNK * CHUNK, OUTSIDE);
  auto belongs = [&](size_t begin, size_t end) {
    std::fill(grid.writer.begin() + (long)begin, grid.writer.begin() + (long)end, (uint8_t)NEVER);
  };
  for (const Variable& variable : kernel.variables) belongs(variable.begin, variable.end);
  if (kernel.open_shared > 0) belongs(kernel.open_shared, grid.shared_bytes);
  std::vector<char> constants(kernel.constants.size() + 64);
  grid.constants = (char*)(((uintptr_t)constants.data() + 63) / 64 * 64);
  if (!kernel.constants.empty()) memcpy(grid.constants, kernel.constants.data(), kernel.constants.size());
  memory.begin_launch();
  cost.launches++;
  auto count = [&] {
    cost.instructions += grid.cost.instructions;
    cost.sectors += grid.cost.sectors;
    cost.conflicts += grid.cost.conflicts;
    cost.barriers += grid.cost.barriers;
  };
  try {
    run_blocks(grid, orders);
  } catch (const Finding&) {
    count();
    throw;
  }
  count();
}

}  // namespace ptx
