// PTX as the simulated device runs it: the text that a program hands to cuModuleLoadData, parsed once into kernels
// (parser.cpp, registers.cpp), whose instructions are functions over the 32 lanes of a warp
// (arithmetic.cpp, access.cpp), run by blocks and warps in an order that a seed decides (run.cpp), and
// judged (shadow.cpp).
//
// An instruction that is not known here is an error of the module, with its line. What a launch does wrong ends it with
// a Finding, a sentence that names the kernel, the line of the PTX, the block and the lane.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ptx {

constexpr unsigned LANES = 32;
constexpr uint32_t ALL_LANES = 0xffffffffu;
constexpr unsigned MOST_THREADS = 1024;

// Generic addresses of shared memory begin here, far from any of the host's.
constexpr uint64_t SHARED_WINDOW = (uint64_t)1 << 60;

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
  uint64_t count() const { return (uint64_t)x * y * z; }
};

struct Error {
  int line;
  std::string sentence;
};

// What a launch did wrong, and the CUresult that its context then has.
struct Finding {
  int result;
  std::string sentence;
};

enum : int { ILLEGAL_ADDRESS = 700, MISALIGNED_ADDRESS = 716, LAUNCH_FAILED = 719 };

// What a kernel has cost since the count began.
struct Cost {
  uint64_t launches = 0;
  uint64_t instructions = 0;  // of warps
  uint64_t sectors = 0;       // of 32 bytes, that loads, stores and atomics touch in global memory
  uint64_t conflicts = 0;     // times that shared memory has to be asked once more for an access of a warp
  uint64_t barriers = 0;      // that blocks pass
};

struct Warp;
struct Block;
struct Instruction;
struct Region;

using Handler = void (*)(Warp&, const Instruction&);

// The addresses of an access relative to that of its first active lane, and what follows from them. An access mostly
// has the same ones again.
struct Pattern {
  uint32_t mask = 0;
  bool whole = false;  // there is no gap between the lanes' elements
  alignas(64) int64_t offset[LANES];
  int64_t least = 0, most = 0;
  int64_t bits = 0;  // of all offsets, or-ed
  int distinct = 0;
  int64_t sorted[LANES];  // the distinct offsets
  int conflicts = 0;
};

enum class Space { GLOBAL, SHARED, GENERIC, PARAMETER, CONSTANT };
enum class Atomic { ADD, EXCHANGE, COMPARE, INCREMENT, DECREMENT, MINIMUM, MAXIMUM, AND, OR, XOR };

using Mover = void (*)(const Warp&, void* registers, char* memory, const int64_t* offset);

// What an instruction that accesses memory needs to know beyond its registers.
struct Access {
  Space space = Space::GENERIC;
  bool store = false;
  bool is_atomic = false;
  bool read_only = false;  // .nc
  bool ordered = false;    // .volatile, .relaxed, .acquire, .release: no race by itself
  bool acquire = false, release = false;
  unsigned width = 4;  // bytes of an element
  unsigned count = 1;  // elements
  Mover move = nullptr;
  bool wide_address = true;  // the address is a register of 64 bits
  int32_t address = -1;      // that register; -1: none
  int64_t offset = 0;
  int32_t registers[4] = {};
  Atomic atomic = Atomic::ADD;
  char type = 'u';
  int32_t operands[2] = {-1, -1};
  // Where it went last.
  Pattern pattern;
  Region* region = nullptr;
  uint64_t generation = 0;
  unsigned bytes() const { return width * count; }
};

enum class Kind : uint8_t { PLAIN, BRANCH, EXIT, BARRIER, TOGETHER };

// Registers of an instruction that on some way there nothing has written: which lanes have is known when it runs.
struct Tracked {
  Handler run;  // what the instruction does
  std::vector<uint32_t> read, written;
  std::vector<std::string> names;  // of those that are read
};

struct Instruction {
  Handler run = nullptr;
  Kind kind = Kind::PLAIN;
  bool guard_negated = false;
  int32_t guard = -1;  // a predicate; -1: none
  int line = 0;
  uint32_t target = 0;  // of a branch
  // Registers, as offsets into a warp's, or into the constants where the lowest bit is set; predicates by number.
  int32_t destination = -1, second = -1;
  int32_t source[5] = {-1, -1, -1, -1, -1};
  int64_t extra = 0;
  std::shared_ptr<Access> access;
  std::shared_ptr<Tracked> tracked;
};

struct Parameter {
  size_t offset, bytes;
};

// In shared memory.
struct Variable {
  std::string name;
  size_t begin, end;
};

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  size_t parameter_bytes = 0;
  unsigned most_threads = MOST_THREADS;
  std::vector<Instruction> code;
  std::vector<std::string> texts;  // of the instructions, for reports
  std::vector<char> constants;     // 32 lanes of each
  size_t register_bytes = 0;       // of a warp
  unsigned tracked = 0;            // registers
  unsigned predicates = 0;
  std::vector<int32_t> true_predicates;  // those that are true from the beginning
  size_t shared_bytes = 0;               // with the gaps between variables
  std::vector<Variable> variables;       // without the one whose size a launch tells
  size_t declared_shared_bytes = 0;      // without the gaps
  size_t open_shared = 0;                // where the variable begins whose size a launch tells; 0: there is none
  std::vector<char> constant_memory;
};

struct Module {
  std::map<std::string, std::shared_ptr<Kernel>> kernels;
};

// Throws an Error.
std::shared_ptr<Module> parse(const std::string& text);

// ---- what the parser asks of the other files

// One that works on registers alone. `shape` has a letter for each operand, the destination first: h, w, l are
// registers of 16, 32 and 64 bits, p is a predicate.
struct Operation {
  Handler run;
  std::string shape;
  int64_t extra = 0;
};

// Null where there is no such instruction.
const Operation* operation_named(const std::string& name);
// A conversion between kinds of number, whose registers may be wider than the numbers; `run` is null where it is not
// known.
Operation conversion(const std::string& name, unsigned destination_bytes, unsigned source_bytes);
Handler special_register(const std::string& name, int64_t* extra);
void pack(Warp&, const Instruction&);
void unpack(Warp&, const Instruction&);
// Completes an access of registers of so many bytes.
bool complete(Access& access, unsigned register_bytes);
void load(Warp&, const Instruction&);
void store(Warp&, const Instruction&);
void change_atomically(Warp&, const Instruction&);
void fence(Warp&, const Instruction&);
// Runs an instruction with tracked registers.
void run_tracked(Warp&, const Instruction&);

// A register that an instruction names while it is parsed.
struct Use {
  uint32_t instruction;
  int32_t* place;  // where its offset shall stand
  int32_t name;    // of the virtual register
  bool written;
};

struct VirtualRegister {
  std::string name;
  char shape;  // h, w or l
};

inline unsigned bytes_of(char shape) { return shape == 'h' ? 2 : shape == 'w' ? 4 : 8; }

// Gives the virtual registers their places, by liveness.
void place_registers(Kernel& kernel, std::vector<Use>& uses, const std::vector<VirtualRegister>& registers);

}  // namespace ptx
