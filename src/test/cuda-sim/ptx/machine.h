// The state of a launch: its warps, its blocks, and the memory with its shadow.
#pragma once

#include <string.h>

#include <random>
#include <unordered_map>

#include "ptx.h"

namespace ptx {

// ---- global memory and its shadow

// A cell of the shadow stands for 4 bytes, or for one where a kernel writes single bytes. It tells when they were last
// written, or read: 0 is never; else bits 22 to 31 number the launch, bits 0 to 20 are a Stamp of it. 1 is: before.
constexpr unsigned LAUNCH_SHIFT = 22;
constexpr uint32_t LAUNCHES = (1u << (32 - LAUNCH_SHIFT)) - 1;
constexpr uint32_t READ_ONLY = 1u << 21;  // read through .nc
constexpr uint32_t STAMP = READ_ONLY - 1;
constexpr uint32_t BEFORE = 1;

struct Region {
  char* start;
  size_t bytes;
  bool device;  // else pinned memory of the host, which has no shadow
  unsigned shift = 2;
  std::vector<uint32_t> written;
  std::vector<uint32_t> read;  // empty until a kernel reads or writes there
};

class Memory {
 public:
  void add(char* start, size_t bytes, bool device);
  void remove(char* start);
  void clear();
  // The host or a library has written there.
  void written(const void* address, size_t bytes);
  Region* find(uint64_t address);
  void begin_launch();
  // A kernel writes single bytes of it.
  void refine(Region& region);
  uint32_t launch() const { return number << LAUNCH_SHIFT; }
  uint64_t generation = 1;  // of the set of regions

 private:
  std::map<char*, Region> regions;
  uint32_t number = 1;
};

// ---- warps, blocks, grid

// When a warp accessed something: its block's time is counted in barriers and fences.
struct Stamp {
  uint32_t block, warp, time;
};

// For each warp of the grid, up to which time its writes are seen.
using Times = std::vector<uint32_t>;

struct Grid {
  const Kernel* kernel;
  Dim3 size, block_size;
  unsigned warps;  // of a block
  size_t shared_bytes;
  const char* parameters;
  char* constants;              // of the kernel, aligned
  std::vector<uint8_t> writer;  // how a block's shared memory begins: who has written each byte
  Memory* memory;
  Cost cost;
  std::vector<Stamp> stamps;
  std::unordered_map<uint64_t, Times> released;  // by the address of what was changed atomically
  Dim3 index(uint32_t block) const { return {block % size.x, block / size.x % size.y, block / size.x / size.y}; }
};

// States of a byte of shared memory; FIRST_WARP + w: written by warp w since the last barrier.
enum : uint8_t { NEVER = 0, EARLIER = 1, FIRST_WARP = 2, ATOMICALLY = 253, OUTSIDE = 254 };
constexpr uint8_t SEVERAL = 255;  // several warps have read it; w + 1: warp w has

constexpr unsigned CHUNK = 512;  // bytes of shared memory that are marked as touched together

struct Block {
  Grid* grid;
  uint32_t number;
  std::vector<Warp*> warps;
  std::vector<char> shared;
  std::vector<uint8_t> writer, reader;
  std::vector<uint8_t> touched;  // chunks, since the last barrier
  uint32_t time, barrier_time;
  Times fenced;    // for each of its warps, up to which time its writes are fenced
  Times acquired;  // of the whole grid; empty before the first
  Times pending;   // what its next fence acquires
  bool has_pending;

  void begin(Grid* grid, uint32_t number);
  void pass_barrier();
};

struct Group {
  uint32_t place, mask;
  bool waiting;
};

enum class Stop { SLICE, BARRIER, DONE };

struct Warp {
  char* bases[2];                    // registers, constants
  uint32_t mask;                     // of the lanes that run together now
  alignas(64) int32_t lanes[LANES];  // the same: -1 or 0
  uint32_t place;
  uint32_t limit;  // the lowest place of another group
  uint32_t live, began;
  Block* block;
  Grid* grid;
  unsigned number;
  Stop state;
  std::vector<Group> others;
  std::vector<char> registers;
  std::vector<uint32_t> predicates;
  std::vector<uint32_t> defined;  // lanes that have written each of the tracked registers
  uint32_t stamp_time, stamp_value;

  template <typename T>
  T* to(int32_t offset) const {
    return (T*)(bases[0] + offset);
  }
  template <typename T>
  const T* from(int32_t offset) const {
    return (const T*)(bases[offset & 1] + (offset & ~1));
  }
  unsigned first_lane() const { return (unsigned)__builtin_ctz(mask); }

  void begin(Block* block, unsigned number);
  void set_mask(uint32_t lanes_now);
  Stop run(uint64_t slice);
  uint32_t stamp();

 private:
  void split(uint32_t taken, uint32_t target);
  void next_group();
  void leave();
  bool come_together(const Instruction& instruction);
  void find_limit();
};

// Ends the launch.
[[noreturn]] void fault(
    const Warp& warp, const Instruction& instruction, unsigned lane, int result, const std::string& what);
std::string text_of(const Dim3& index);

// ---- judgement of accesses, shadow.cpp. Addresses are those of the active lanes.

// Returns the host's address of the first active lane.
char* check_global(Warp& warp, const Instruction& instruction, uint64_t first, const Pattern& pattern);
char* check_shared(Warp& warp, const Instruction& instruction, uint64_t first, const Pattern& pattern);
void acquire(Block& block);
void publish(Warp& warp);
// An atomic access, or an ordered load and store, hands on what its block has fenced, and what others have.
void release_at(Warp& warp, uint64_t address);
void acquire_at(Warp& warp, uint64_t address);

struct Orders {
  enum Kind { ASCENDING, DESCENDING, RANDOM } kind = ASCENDING;
  uint64_t seed = 0;
  unsigned multiprocessors = 4;  // as many blocks take turns
};

// Throws a Finding. Adds to `cost` either way.
void run(
    const Kernel& kernel, Dim3 grid, Dim3 block, size_t dynamic_shared_bytes, const char* parameters, Memory& memory,
    const Orders& orders, Cost& cost);

}  // namespace ptx
