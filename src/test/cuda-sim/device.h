// The state behind the simulated driver: operations and the order they run in, memory, streams, events, graphs,
// contexts, and what a test may ask for. libcuda.cpp translates driver calls into it, control.cpp the tests' wishes.
//
// A stream only queues. Every piece of work is an Operation that depends on others: on the one before it in its stream,
// on the events its stream waits for, on its predecessors in a graph. Which of those that may run does run, and when,
// is the schedule's choice:
//   eager     at once, in the order of the calls
//   lazy      not before somebody waits for it, and then only what that needs
//   random:N  any order that the dependencies allow, some of it early
// so a missing wait shows as a wrong result. Everything runs on the calling thread under one lock.
#pragma once

#include <stdint.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ptx/machine.h"

namespace simulated {

using Result = int;

// The names are those of CUresult; result_name() tells them.
enum : Result {
  SUCCESS = 0,
  INVALID_VALUE = 1,
  OUT_OF_MEMORY = 2,
  NOT_INITIALIZED = 3,
  NO_DEVICE = 100,
  INVALID_DEVICE = 101,
  INVALID_CONTEXT = 201,
  INVALID_PTX = 218,
  JIT_COMPILER_NOT_FOUND = 221,
  UNSUPPORTED_PTX_VERSION = 222,
  INVALID_HANDLE = 400,
  NOT_FOUND = 500,
  NOT_READY = 600,
  ILLEGAL_ADDRESS = 700,
  CONTEXT_IS_DESTROYED = 709,
  LAUNCH_FAILED = 719,
  NOT_SUPPORTED = 801,
  CAPTURE_UNSUPPORTED = 900,
  CAPTURE_INVALIDATED = 901,
  CAPTURE_MERGE = 902,
  CAPTURE_UNMATCHED = 903,
  CAPTURE_UNJOINED = 904,
  CAPTURE_ISOLATION = 905,
  CAPTURE_IMPLICIT = 906,
  CAPTURED_EVENT = 907,
  CAPTURE_WRONG_THREAD = 908,
};

const char* result_name(Result result);

struct Context;
struct Stream;

// Work does what it is for and returns SUCCESS, or the fault that its context then has.
using Work = std::function<Result()>;

struct Operation {
  uint64_t number;  // in the order of submission, which every dependency follows
  Context* context;
  std::shared_ptr<const Work> work;  // null: only a meeting point
  std::vector<std::shared_ptr<Operation>> after;
  std::vector<Operation*> before;
  int missing = 0;  // how many of `after` have not run
  bool done = false;
  double milliseconds = 0;  // when it ran
};
using OperationPtr = std::shared_ptr<Operation>;

class Scheduler {
 public:
  enum class Kind { EAGER, LAZY, RANDOM };

  void configure(Kind kind, uint64_t seed);
  OperationPtr submit(Context* context, std::shared_ptr<const Work> work, std::vector<OperationPtr> after);
  void wait_for(const OperationPtr& operation);
  void wait_for_all(Context* context);
  // One operation on the way to this one: what a GPU does while it is polled.
  void advance(const OperationPtr& operation);
  // Forgets whatever has not run.
  void clear();
  uint64_t random() { return generator(); }

 private:
  Kind how = Kind::EAGER;
  std::mt19937_64 generator;
  uint64_t submitted = 0;
  std::map<uint64_t, OperationPtr> pending;
  std::vector<Operation*> ready;  // kept under RANDOM alone

  void run(const OperationPtr& operation);
  void run_random_one();
  std::vector<OperationPtr> needed_for(const OperationPtr& operation) const;
};

struct Node {
  std::shared_ptr<const Work> work;
  std::string name;
  std::vector<size_t> after;
};

struct Graph {
  std::vector<Node> nodes;
};

struct GraphExec {
  Context* context;
  Graph graph;
  size_t bytes;
  OperationPtr last;  // a graph never runs beside itself
};

// A capture under way: the graph it makes, and the streams that take part.
struct Capture {
  Graph graph;
  Stream* origin;
  int mode;
  std::thread::id thread;
  bool invalid = false;
  std::set<Stream*> streams;
};

struct Stream {
  Context* context;
  unsigned flags;
  int priority;
  uint64_t id;
  OperationPtr last;
  std::shared_ptr<Capture> capture;
  std::set<size_t> frontier;  // of the capture: the nodes that the next one follows
};

struct Event {
  Context* context;
  unsigned flags;
  OperationPtr recorded;
  std::weak_ptr<Capture> capture;
  bool in_capture = false;
  std::set<size_t> frontier;
};

struct Allocation {
  Context* context;
  size_t bytes;
  void* base;  // of the host memory that holds it and its guards
};

struct Context {
  int device;
  unsigned flags = 0;
  int retained = 0;
  Result fault = SUCCESS;
  size_t used = 0;
  Stream legacy;
};

// What a test says about the GPU and the driver; see World::configure.
struct Settings {
  size_t memory = (size_t)1 << 30;
  int driver = 12060;
  int devices = 1;
  bool hidden = false;  // the driver starts, and counts none of them
  int major = 8, minor = 6;
  ptx::Orders::Kind order = ptx::Orders::ASCENDING;
  unsigned multiprocessors = 4;
};

struct Failure {
  std::string function;
  long call;  // counted from now on; 1 is the next
  Result result;
};

class World {
 public:
  std::recursive_mutex mutex;
  Settings settings;
  Scheduler scheduler;
  bool initialised = false;
  std::map<int, std::unique_ptr<Context>> contexts;
  ptx::Memory memory;
  std::map<std::string, ptx::Cost> costs;  // by the kernels' names

  // "memory=64M,driver=12040,devices=2,cc=8.6,schedule=random:7,order=descending,
  // multiprocessors=7,fail=cuLaunchKernel:100:719"
  // Returns what is wrong with the text, empty when nothing is.
  std::string configure(const std::string& text);
  void reset();
  void fail(const std::string& function, long call, Result result) { failures.push_back({function, call, result}); }
  long calls(const std::string& function) const;
  std::vector<std::string> live_objects();
  std::vector<std::string> violations();

  // A call of the driver or of cuBLAS begins: counts it; not SUCCESS where a test wants it to fail.
  Result begins(const std::string& function);
  // Tells standard error and the tests about a misuse, and returns the result that the misuse deserves.
  Result misuse(const std::string& sentence, Result result);

  // Handles: what lives, by kind ("stream", "event" ...), in the order it was made.
  void lives(const char* kind, const void* handle, const std::string& description);
  void dies(const void* handle);
  bool is_live(const char* kind, const void* handle) const;

  // Memory that the driver takes for itself, for graphs and kernels. Gives it back by a negative number.
  Result take(Context* context, long bytes);
  Result allocate(Context* context, size_t bytes, void** address);
  Result release(void* address);
  Result allocate_pinned(Context* context, size_t bytes, void** address);
  Result release_pinned(void* address);
  // Whether [address, address + bytes) lies inside one live allocation.
  bool is_device(const void* address, size_t bytes) const { return holds(device_memory, address, bytes); }
  bool is_pinned(const void* address, size_t bytes) const { return holds(pinned_memory, address, bytes); }
  void check_guards();

  // Queues work on a stream, or adds it to the graph that the stream captures. `operation` may be null.
  Result enqueue(Stream* stream, const std::string& name, Work work, OperationPtr* operation = nullptr);
  Result join(Stream* stream, const Event& event);
  Result launch(GraphExec* exec, Stream* stream);
  // The capture that forbids a call which might disturb it, null where there is none.
  Capture* forbidding_capture();
  Capture* blocking_capture(const Context* context);

  std::set<Stream*> streams;

 private:
  struct Live {
    uint64_t number;
    std::string kind;
    std::string description;
  };
  std::map<const void*, Live> live;
  uint64_t made = 0;
  std::map<char*, Allocation> device_memory;
  std::map<char*, Allocation> pinned_memory;
  std::map<std::string, long> counts;
  std::vector<Failure> failures;
  std::vector<std::string> misuses;

  static bool holds(const std::map<char*, Allocation>& memory, const void* address, size_t bytes);
  void check_guards(char* address, const Allocation& allocation);
};

World& world();

// The driver's stream handle, null and 1 being the legacy stream of the current context; null where there is none.
Stream* stream_of(void* handle);

}  // namespace simulated
