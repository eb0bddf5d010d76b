// What may be accessed: within allocations, aligned, written before, and ordered against the accesses of others. A
// barrier orders the warps of a block. Blocks are ordered by a fence of the one that writes, an atomic or volatile
// access to one address by both, and a fence of the one that reads; the order in which they happen to run says nothing.
#include <algorithm>

#include "machine.h"

namespace ptx {

// ---- regions

void Memory::add(char* start, size_t bytes, bool device) {
  Region& region = regions[start];
  region = {start, bytes, device, 2, {}, {}};
  if (device) region.written.resize((bytes >> 2) + 1);
  generation++;
}

void Memory::remove(char* start) {
  regions.erase(start);
  generation++;
}

void Memory::clear() {
  regions.clear();
  generation++;
}

Region* Memory::find(uint64_t address) {
  auto after = regions.upper_bound((char*)address);
  if (after == regions.begin()) return nullptr;
  Region& region = std::prev(after)->second;
  return (char*)address < region.start + region.bytes ? &region : nullptr;
}

void Memory::written(const void* address, size_t bytes) {
  Region* region = find((uint64_t)address);
  if (region == nullptr || !region->device || bytes == 0) return;
  size_t from = (size_t)((const char*)address - region->start);
  std::fill(
      region->written.begin() + (long)(from >> region->shift),
      region->written.begin() + (long)((from + bytes - 1) >> region->shift) + 1, BEFORE);
}

void Memory::begin_launch() {
  if (++number <= LAUNCHES) return;
  number = 1;
  for (auto& [start, region] : regions) {
    for (uint32_t& cell : region.written) cell = cell == 0 ? 0 : BEFORE;
    region.read.clear();
  }
}

void Memory::refine(Region& region) {
  auto spread = [](std::vector<uint32_t>& cells) {
    std::vector<uint32_t> finer(cells.size() * 4);
    for (size_t n = 0; n < finer.size(); n++) finer[n] = cells[n / 4];
    cells = std::move(finer);
  };
  spread(region.written);
  spread(region.read);
  region.shift = 0;
}

// ---- who is before whom

void Block::pass_barrier() {
  barrier_time = ++time;
  grid->cost.barriers++;
  for (size_t chunk = 0; chunk < touched.size(); chunk++) {
    if (!touched[chunk]) continue;
    touched[chunk] = 0;
    uint8_t* at = writer.data() + chunk * CHUNK;
    for (size_t n = 0; n < CHUNK; n++) {
      at[n] = at[n] >= FIRST_WARP && at[n] != OUTSIDE ? (uint8_t)EARLIER : at[n];
    }
    memset(reader.data() + chunk * CHUNK, 0, CHUNK);
  }
}

uint32_t Warp::stamp() {
  if (stamp_time == block->time) return stamp_value;
  stamp_time = block->time;
  // Where so many do not fit, the rest is not judged.
  bool fits = grid->stamps.size() <= STAMP;
  if (fits) grid->stamps.push_back({block->number, number, block->time});
  return stamp_value = grid->memory->launch() | (fits ? (uint32_t)grid->stamps.size() - 1 : 0);
}

namespace {

void join(Times& into, const Times& from) {
  if (into.size() < from.size()) into.resize(from.size());
  for (size_t n = 0; n < from.size(); n++) into[n] = std::max(into[n], from[n]);
}

bool is_before(const Warp& w, uint32_t cell) {
  uint32_t number = cell & STAMP;
  if (number == 0) return true;
  const Stamp& stamp = w.grid->stamps[number];
  const Block& block = *w.block;
  if (stamp.block == block.number) return stamp.warp == w.number || stamp.time < block.barrier_time;
  size_t at = (size_t)stamp.block * w.grid->warps + stamp.warp;
  return at < block.acquired.size() && block.acquired[at] > stamp.time;
}

std::string who(const Warp& w, uint32_t cell) {
  const Stamp& stamp = w.grid->stamps[cell & STAMP];
  if (stamp.block == w.block->number) return "warp " + std::to_string(stamp.warp) + " of the same block";
  return "block " + text_of(w.grid->index(stamp.block));
}

std::string remedy(const Warp& w, uint32_t cell) {
  bool same = w.grid->stamps[cell & STAMP].block == w.block->number;
  return same ? ", with no barrier between" : ", with no fence and atomic between";
}

}  // namespace

void publish(Warp& w) {
  Block& block = *w.block;
  for (uint32_t& time : block.fenced) time = std::max(time, block.barrier_time);
  block.fenced[w.number] = ++block.time;
}

void acquire(Block& block) {
  if (!block.has_pending) return;
  join(block.acquired, block.pending);
  block.has_pending = false;
}

void release_at(Warp& w, uint64_t address) {
  Block& block = *w.block;
  Times& times = w.grid->released[address];
  times.resize((size_t)w.grid->size.count() * w.grid->warps);
  join(times, block.acquired);
  for (size_t n = 0; n < block.fenced.size(); n++) {
    uint32_t& time = times[(size_t)block.number * w.grid->warps + n];
    time = std::max(time, block.fenced[n]);
  }
}

void acquire_at(Warp& w, uint64_t address) {
  auto found = w.grid->released.find(address);
  if (found == w.grid->released.end()) return;
  join(w.block->pending, found->second);
  w.block->has_pending = true;
}

// ---- global memory

namespace {

bool is_of(uint32_t cell, uint32_t launch) { return ((cell ^ launch) >> LAUNCH_SHIFT) == 0; }

std::string size_and_place(const Region& region, uint64_t address, unsigned bytes) {
  return std::to_string(bytes) + " bytes at offset " + std::to_string((int64_t)(address - (uint64_t)region.start)) +
         " of a device allocation of " + std::to_string(region.bytes) + " bytes";
}

// Judges one lane's access cell by cell.
void touch(Warp& w, const Instruction& i, unsigned lane, Region& region, uint64_t address) {
  const Access& access = *i.access;
  if (!region.device) return;
  uint32_t launch = w.grid->memory->launch();
  size_t from = (size_t)(address - (uint64_t)region.start) >> region.shift;
  size_t to = (size_t)(address + access.bytes() - 1 - (uint64_t)region.start) >> region.shift;
  bool atomic = access.is_atomic;
  auto report = [&](const std::string& what) {
    fault(w, i, lane, LAUNCH_FAILED, what + ": " + size_and_place(region, address, access.bytes()));
  };
  for (size_t cell = from; cell <= to; cell++) {
    uint32_t& written = region.written[cell];
    uint32_t& read = region.read[cell];
    if (!access.store || atomic) {
      if (written == 0) report("reads what nothing has written");
      if (is_of(written, launch)) {
        if (access.read_only) report("loads through .nc what this launch writes");
        if (!access.ordered && !is_before(w, written)) {
          report("reads what " + who(w, written) + " has written" + remedy(w, written));
        }
      }
      if (!access.ordered && !atomic) {
        uint32_t kept = is_of(read, launch) ? read & READ_ONLY : 0;
        read = w.stamp() | kept | (access.read_only ? READ_ONLY : 0);
      }
    }
    if (access.store) {
      if (is_of(read, launch)) {
        if (read & READ_ONLY) report("writes what this launch loads through .nc");
        if (!access.ordered && !is_before(w, read)) {
          report("writes what " + who(w, read) + " has read" + remedy(w, read));
        }
      }
      if (is_of(written, launch) && !access.ordered && !is_before(w, written)) {
        report("writes what " + who(w, written) + " has written" + remedy(w, written));
      }
      if (access.ordered || atomic) {
        written = BEFORE;
      } else {
        written = w.stamp();
      }
    }
  }
}

// The common case: lanes side by side, on cells that no other warp has touched in this launch.
bool touch_together(Warp& w, const Access& access, Region& region, uint64_t low, uint64_t high) {
  uint32_t launch = w.grid->memory->launch(), own = w.stamp();
  size_t from = (size_t)(low - (uint64_t)region.start) >> region.shift;
  size_t count = ((size_t)(high - 1 - (uint64_t)region.start) >> region.shift) + 1 - from;
  uint32_t* written = region.written.data() + from;
  uint32_t* read = region.read.data() + from;
  uint32_t other = 0;
  if (access.store) {
    for (size_t n = 0; n < count; n++) {
      other |= (uint32_t)(((read[n] ^ launch) >> LAUNCH_SHIFT) == 0) & (uint32_t)(read[n] != own);
      other |= (uint32_t)(((written[n] ^ launch) >> LAUNCH_SHIFT) == 0) & (uint32_t)(written[n] != own);
    }
    if (other) return false;
    for (size_t n = 0; n < count; n++) written[n] = own;
  } else {
    // A plain load must not hide one through .nc.
    uint32_t hides = access.read_only ? 0 : 1;
    for (size_t n = 0; n < count; n++) {
      other |= (uint32_t)(written[n] == 0) | (uint32_t)(((written[n] ^ launch) >> LAUNCH_SHIFT) == 0);
      other |= (uint32_t)(((read[n] ^ launch) >> LAUNCH_SHIFT) == 0) & (uint32_t)((read[n] & READ_ONLY) != 0) & hides;
    }
    if (other) return false;
    if (access.read_only) own |= READ_ONLY;
    for (size_t n = 0; n < count; n++) read[n] = own;
  }
  return true;
}

uint64_t sectors_of(const Access& access, uint64_t first, const Pattern& pattern) {
  auto sector = [&](int64_t offset) { return (first + (uint64_t)offset) >> 5; };
  int64_t last = (int64_t)access.bytes() - 1;
  if (pattern.whole) return sector(pattern.most + last) - sector(pattern.least) + 1;
  uint64_t count = 0, before = ~(uint64_t)0;
  for (int n = 0; n < pattern.distinct; n++) {
    uint64_t its = sector(pattern.sorted[n]);
    count += its != before;
    before = its;
  }
  return count;
}

unsigned lane_where(const Warp& w, const Pattern& pattern, uint64_t first, uint64_t bits) {
  for (unsigned l = 0; l < LANES; l++) {
    if ((w.mask >> l & 1) && ((first + (uint64_t)pattern.offset[l]) & bits)) return l;
  }
  return w.first_lane();
}

[[noreturn]] void outside(Warp& w, const Instruction& i, unsigned lane, uint64_t address) {
  const Access& access = *i.access;
  std::string what = access.store ? "writes " : "reads ";
  // Before or behind which allocation?
  Region* region = w.grid->memory->find(address);
  for (uint64_t near = 1; region == nullptr && near <= 4096; near *= 2) {
    region = w.grid->memory->find(address - near);
    if (region == nullptr) region = w.grid->memory->find(address + near);
  }
  std::string bytes = std::to_string(access.bytes()) + " bytes ";
  if (region == nullptr) fault(w, i, lane, ILLEGAL_ADDRESS, what + bytes + "where no allocation is");
  int64_t offset = (int64_t)(address - (uint64_t)region->start);
  fault(
      w, i, lane, ILLEGAL_ADDRESS,
      what + bytes + (offset < 0 ? "before" : "past") + " a device allocation of " + std::to_string(region->bytes) +
          " bytes, at offset " + std::to_string(offset));
}

}  // namespace

char* check_global(Warp& w, const Instruction& i, uint64_t first, const Pattern& pattern) {
  Access& access = *i.access;
  Memory& memory = *w.grid->memory;
  unsigned bytes = access.bytes();
  uint64_t low = first + (uint64_t)pattern.least, high = first + (uint64_t)pattern.most + bytes;
  if (((first | (uint64_t)pattern.bits) & (bytes - 1)) != 0) {
    unsigned lane = lane_where(w, pattern, first, bytes - 1);
    fault(w, i, lane, MISALIGNED_ADDRESS, "an address that is no multiple of " + std::to_string(bytes));
  }
  w.grid->cost.sectors += sectors_of(access, first, pattern);
  Region* region = access.generation == memory.generation ? access.region : nullptr;
  auto holds = [&](const Region* in, uint64_t from, uint64_t to) {
    return in != nullptr && from >= (uint64_t)in->start && to <= (uint64_t)in->start + in->bytes;
  };
  if (!holds(region, low, high)) {
    region = memory.find(first);
    access.region = region;
    access.generation = memory.generation;
  }
  bool one = holds(region, low, high);
  if (one && !region->device) return (char*)first;
  auto prepare = [&](Region& in) {
    if (access.store && access.width < 4 && in.shift != 0 && in.device) memory.refine(in);
    if (in.read.size() != in.written.size()) in.read.resize(in.written.size());
  };
  if (one) {
    prepare(*region);
    bool simple = pattern.whole && !access.ordered && !access.is_atomic;
    if (simple && touch_together(w, access, *region, low, high)) return (char*)first;
  }
  for (unsigned l = 0; l < LANES; l++) {
    if (!(w.mask >> l & 1)) continue;
    uint64_t address = first + (uint64_t)pattern.offset[l];
    Region* its = one ? region : memory.find(address);
    if (!holds(its, address, address + bytes)) outside(w, i, l, address);
    prepare(*its);
    touch(w, i, l, *its, address);
  }
  return (char*)first;
}

// ---- shared memory

namespace {

std::string shared_place(const Kernel& kernel, int64_t at, unsigned bytes) {
  const Variable* before = nullptr;
  for (const Variable& variable : kernel.variables) {
    if ((int64_t)variable.begin <= at && (before == nullptr || variable.begin > before->begin)) before = &variable;
  }
  std::string what = std::to_string(bytes) + " bytes at offset ";
  if (kernel.open_shared > 0 && at >= (int64_t)kernel.open_shared) {
    return what + std::to_string(at - (int64_t)kernel.open_shared) + " of what the launch adds to shared memory";
  }
  if (before == nullptr) return what + std::to_string(at) + " of shared memory";
  return what + std::to_string(at - (int64_t)before->begin) + " of shared " + before->name + ", which has " +
         std::to_string(before->end - before->begin);
}

// Judges one lane's access byte by byte.
void touch_shared(Warp& w, const Instruction& i, unsigned lane, size_t at) {
  const Access& access = *i.access;
  Block& block = *w.block;
  bool atomic = access.is_atomic;
  uint8_t own = (uint8_t)(FIRST_WARP + w.number), reads = (uint8_t)(w.number + 1);
  auto report = [&](const std::string& what) {
    fault(w, i, lane, LAUNCH_FAILED, what + ": " + shared_place(*w.grid->kernel, (int64_t)at, access.bytes()));
  };
  for (size_t byte = at; byte < at + access.bytes(); byte++) {
    uint8_t& writer = block.writer[byte];
    uint8_t& reader = block.reader[byte];
    if (writer == OUTSIDE) report(std::string(access.store ? "writes" : "reads") + " outside every shared variable");
    bool others_wrote = writer >= FIRST_WARP && writer != own && !(writer == ATOMICALLY && (atomic || access.ordered));
    std::string writing = writer == ATOMICALLY ? "an atomic" : "warp " + std::to_string(writer - FIRST_WARP);
    if (!access.store || atomic) {
      if (writer == NEVER) report("reads what nothing has written");
      if (others_wrote && !access.ordered) report("reads what " + writing + " has written, with no barrier between");
      if (!atomic && !access.ordered) reader = reader == 0 || reader == reads ? reads : SEVERAL;
    }
    if (access.store) {
      if (others_wrote && !access.ordered) report("writes what " + writing + " has written, with no barrier between");
      if (reader != 0 && reader != reads && !access.ordered) {
        std::string reading = reader == SEVERAL ? "another warp" : "warp " + std::to_string(reader - 1);
        report("writes what " + reading + " has read, with no barrier between");
      }
      writer = atomic ? (uint8_t)ATOMICALLY : access.ordered ? (uint8_t)EARLIER : own;
    }
  }
}

// Bytes that no other warp has touched since the last barrier, or that others have only read.
bool touch_shared_bytes(Block& block, bool store, uint8_t number, size_t at, size_t bytes) {
  uint8_t* writer = block.writer.data() + at;
  uint8_t* reader = block.reader.data() + at;
  uint8_t own = (uint8_t)(FIRST_WARP + number), reads = (uint8_t)(number + 1), other = 0;
  if (store) {
    for (size_t n = 0; n < bytes; n++) {
      other |= (uint8_t)((writer[n] != own) & (writer[n] != EARLIER) & (writer[n] != NEVER));
      other |= (uint8_t)((reader[n] != 0) & (reader[n] != reads));
    }
    if (other) return false;
    for (size_t n = 0; n < bytes; n++) writer[n] = own;
  } else {
    for (size_t n = 0; n < bytes; n++) other |= (uint8_t)((writer[n] != own) & (writer[n] != EARLIER));
    if (other) return false;
    for (size_t n = 0; n < bytes; n++) reader[n] = (reader[n] == 0) | (reader[n] == reads) ? reads : SEVERAL;
  }
  return true;
}

bool touch_shared_together(Warp& w, const Access& access, size_t first, const Pattern& pattern) {
  Block& block = *w.block;
  uint8_t number = (uint8_t)w.number;
  if (pattern.whole) {
    size_t bytes = (size_t)(pattern.most - pattern.least) + access.bytes();
    return touch_shared_bytes(block, access.store, number, first + (size_t)pattern.least, bytes);
  }
  for (int n = 0; n < pattern.distinct; n++) {
    size_t at = first + (size_t)pattern.sorted[n];
    if (!touch_shared_bytes(block, access.store, number, at, access.bytes())) return false;
  }
  return true;
}

}  // namespace

char* check_shared(Warp& w, const Instruction& i, uint64_t first, const Pattern& pattern) {
  const Access& access = *i.access;
  Block& block = *w.block;
  unsigned bytes = access.bytes();
  if (((first | (uint64_t)pattern.bits) & (bytes - 1)) != 0) {
    unsigned lane = lane_where(w, pattern, first, bytes - 1);
    fault(w, i, lane, MISALIGNED_ADDRESS, "an address that is no multiple of " + std::to_string(bytes));
  }
  int64_t low = (int64_t)first + pattern.least, high = (int64_t)first + pattern.most + bytes;
  if (low < 0 || high > (int64_t)block.grid->shared_bytes) {
    for (unsigned l = 0; l < LANES; l++) {
      int64_t at = (int64_t)first + pattern.offset[l];
      if (!(w.mask >> l & 1) || (at >= 0 && at + bytes <= (int64_t)block.grid->shared_bytes)) continue;
      fault(
          w, i, l, ILLEGAL_ADDRESS,
          std::string(access.store ? "writes" : "reads") +
              " outside every shared variable: " + shared_place(*w.grid->kernel, at, bytes));
    }
  }
  w.grid->cost.conflicts += (uint64_t)pattern.conflicts;
  for (size_t chunk = (size_t)low / CHUNK; chunk <= (size_t)(high - 1) / CHUNK; chunk++) block.touched[chunk] = 1;
  bool plain = !access.ordered && !access.is_atomic;
  if (!plain || !touch_shared_together(w, access, first, pattern)) {
    for (unsigned l = 0; l < LANES; l++) {
      if (w.mask >> l & 1) touch_shared(w, i, l, first + (size_t)pattern.offset[l]);
    }
  }
  return block.shared.data() + first;
}

}  // namespace ptx
