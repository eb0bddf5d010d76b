// See device.h.
#include "device.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>

namespace simulated {

namespace {

constexpr size_t GUARD = 4096;  // bytes before and behind every device allocation
constexpr unsigned char GUARD_BYTE = 0xA5;
constexpr unsigned char POISON = 0xFF;  // a NaN in every float
constexpr unsigned NON_BLOCKING = 1;
constexpr int MODE_RELAXED = 2;

double now_milliseconds() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

World& world() {
  static World* only = new World;  // never destroyed: the JVM's last threads may still call
  return *only;
}

const char* result_name(Result result) {
  switch (result) {
    case SUCCESS:
      return "CUDA_SUCCESS";
    case INVALID_VALUE:
      return "CUDA_ERROR_INVALID_VALUE";
    case OUT_OF_MEMORY:
      return "CUDA_ERROR_OUT_OF_MEMORY";
    case NOT_INITIALIZED:
      return "CUDA_ERROR_NOT_INITIALIZED";
    case NO_DEVICE:
      return "CUDA_ERROR_NO_DEVICE";
    case INVALID_DEVICE:
      return "CUDA_ERROR_INVALID_DEVICE";
    case INVALID_CONTEXT:
      return "CUDA_ERROR_INVALID_CONTEXT";
    case INVALID_PTX:
      return "CUDA_ERROR_INVALID_PTX";
    case JIT_COMPILER_NOT_FOUND:
      return "CUDA_ERROR_JIT_COMPILER_NOT_FOUND";
    case UNSUPPORTED_PTX_VERSION:
      return "CUDA_ERROR_UNSUPPORTED_PTX_VERSION";
    case INVALID_HANDLE:
      return "CUDA_ERROR_INVALID_HANDLE";
    case NOT_FOUND:
      return "CUDA_ERROR_NOT_FOUND";
    case NOT_READY:
      return "CUDA_ERROR_NOT_READY";
    case ILLEGAL_ADDRESS:
      return "CUDA_ERROR_ILLEGAL_ADDRESS";
    case CONTEXT_IS_DESTROYED:
      return "CUDA_ERROR_CONTEXT_IS_DESTROYED";
    case LAUNCH_FAILED:
      return "CUDA_ERROR_LAUNCH_FAILED";
    case NOT_SUPPORTED:
      return "CUDA_ERROR_NOT_SUPPORTED";
    case CAPTURE_UNSUPPORTED:
      return "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED";
    case CAPTURE_INVALIDATED:
      return "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED";
    case CAPTURE_MERGE:
      return "CUDA_ERROR_STREAM_CAPTURE_MERGE";
    case CAPTURE_UNMATCHED:
      return "CUDA_ERROR_STREAM_CAPTURE_UNMATCHED";
    case CAPTURE_UNJOINED:
      return "CUDA_ERROR_STREAM_CAPTURE_UNJOINED";
    case CAPTURE_ISOLATION:
      return "CUDA_ERROR_STREAM_CAPTURE_ISOLATION";
    case CAPTURE_IMPLICIT:
      return "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT";
    case CAPTURED_EVENT:
      return "CUDA_ERROR_CAPTURED_EVENT";
    case CAPTURE_WRONG_THREAD:
      return "CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD";
    case 999:
      return "CUDA_ERROR_UNKNOWN";
    default:
      return nullptr;
  }
}

// ---- the order of execution

void Scheduler::configure(Kind kind, uint64_t seed) {
  how = kind;
  generator.seed(seed);
  ready.clear();
  for (auto& [number, operation] : pending) {
    if (how == Kind::RANDOM && operation->missing == 0) ready.push_back(operation.get());
  }
}

OperationPtr Scheduler::submit(Context* context, std::shared_ptr<const Work> work, std::vector<OperationPtr> after) {
  auto operation = std::make_shared<Operation>();
  operation->number = submitted++;
  operation->context = context;
  operation->work = std::move(work);
  for (OperationPtr& other : after) {
    if (other == nullptr || other->done) continue;
    other->before.push_back(operation.get());
    operation->after.push_back(std::move(other));
    operation->missing++;
  }
  pending.emplace(operation->number, operation);
  if (how == Kind::EAGER) {
    wait_for(operation);
  } else if (how == Kind::RANDOM) {
    if (operation->missing == 0) ready.push_back(operation.get());
    while (!ready.empty() && generator() % 2 == 0) run_random_one();
  }
  return operation;
}

void Scheduler::run(const OperationPtr& operation) {
  if (operation->work != nullptr && operation->context->fault == SUCCESS) {
    operation->context->fault = (*operation->work)();
  }
  operation->done = true;
  operation->milliseconds = now_milliseconds();
  operation->work.reset();
  operation->after.clear();
  for (Operation* other : operation->before) {
    if (--other->missing == 0 && how == Kind::RANDOM) ready.push_back(other);
  }
  operation->before.clear();
  pending.erase(operation->number);
}

void Scheduler::run_random_one() {
  size_t chosen = generator() % ready.size();
  std::swap(ready[chosen], ready.back());
  OperationPtr operation = pending.at(ready.back()->number);
  ready.pop_back();
  run(operation);
}

// The operation and all that must run before it, in the order of submission.
std::vector<OperationPtr> Scheduler::needed_for(const OperationPtr& operation) const {
  std::map<uint64_t, OperationPtr> found = {{operation->number, operation}};
  std::vector<OperationPtr> open = {operation};
  while (!open.empty()) {
    OperationPtr next = open.back();
    open.pop_back();
    for (const OperationPtr& other : next->after) {
      if (!other->done && found.emplace(other->number, other).second) open.push_back(other);
    }
  }
  std::vector<OperationPtr> sorted;
  for (auto& [number, found_operation] : found) sorted.push_back(found_operation);
  return sorted;
}

void Scheduler::wait_for(const OperationPtr& operation) {
  if (operation == nullptr || operation->done) return;
  if (how == Kind::RANDOM) {
    while (!operation->done) run_random_one();
  } else if (operation->missing == 0) {
    run(operation);
  } else {
    for (const OperationPtr& needed : needed_for(operation)) run(needed);
  }
}

void Scheduler::wait_for_all(Context* context) {
  for (;;) {
    auto found =
        std::find_if(pending.begin(), pending.end(), [&](auto& entry) { return entry.second->context == context; });
    if (found == pending.end()) return;
    wait_for(OperationPtr(found->second));
  }
}

void Scheduler::advance(const OperationPtr& operation) {
  if (operation == nullptr || operation->done) return;
  if (how == Kind::RANDOM) {
    run_random_one();
  } else {
    run(needed_for(operation).front());
  }
}

void Scheduler::clear() {
  for (auto& [number, operation] : pending) operation->after.clear();
  pending.clear();
  ready.clear();
}

// ---- what a test asks for

std::string World::configure(const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find(',', at), text.size());
    std::string part = text.substr(at, end - at);
    at = end + 1;
    size_t equals = part.find('=');
    if (equals == std::string::npos) return "expected name=value instead of " + part;
    std::string name = part.substr(0, equals);
    std::string value = part.substr(equals + 1);
    std::string choice = value.substr(0, value.find(':'));
    std::string detail = choice.size() < value.size() ? value.substr(choice.size() + 1) : "";
    if (name == "memory") {
      size_t unit;
      size_t number = std::stoull(value, &unit);
      std::string suffix = value.substr(unit);
      settings.memory = number << (suffix == "K" ? 10 : suffix == "M" ? 20 : suffix == "G" ? 30 : 0);
    } else if (name == "driver") {
      settings.driver = std::stoi(value);
    } else if (name == "devices") {
      settings.devices = std::stoi(value);
    } else if (name == "hidden") {
      settings.hidden = std::stoi(value) != 0;
    } else if (name == "cc") {
      if (sscanf(value.c_str(), "%d.%d", &settings.major, &settings.minor) != 2) {
        return "expected cc=MAJOR.MINOR, not " + value;
      }
    } else if (name == "schedule") {
      if (choice != "eager" && choice != "lazy" && choice != "random") return "unknown schedule " + value;
      scheduler.configure(
          choice == "eager"  ? Scheduler::Kind::EAGER
          : choice == "lazy" ? Scheduler::Kind::LAZY
                             : Scheduler::Kind::RANDOM,
          detail.empty() ? 0 : std::stoull(detail));
    } else if (name == "order") {
      if (value != "ascending" && value != "descending" && value != "random") return "unknown order " + value;
      settings.order = value == "ascending"    ? ptx::Orders::ASCENDING
                       : value == "descending" ? ptx::Orders::DESCENDING
                                               : ptx::Orders::RANDOM;
    } else if (name == "multiprocessors") {
      settings.multiprocessors = (unsigned)std::stoul(value);
    } else if (name == "fail") {
      size_t colon = detail.find(':');
      if (colon == std::string::npos) return "expected fail=FUNCTION:CALL:RESULT, not " + value;
      fail(choice, std::stol(detail), std::stoi(detail.substr(colon + 1)));
    } else {
      return "unknown setting " + name;
    }
  }
  return "";
}

void World::reset() {
  scheduler.clear();
  scheduler.configure(Scheduler::Kind::EAGER, 0);
  for (auto& [address, allocation] : device_memory) free(allocation.base);
  for (auto& [address, allocation] : pinned_memory) free(allocation.base);
  device_memory.clear();
  pinned_memory.clear();
  memory.clear();
  costs.clear();
  live.clear();
  streams.clear();
  for (auto& [device, context] : contexts) {
    context->retained = 0;
    context->fault = SUCCESS;
    context->used = 0;
    context->legacy.last = nullptr;
  }
  initialised = false;
  settings = Settings();
  counts.clear();
  failures.clear();
  misuses.clear();
}

long World::calls(const std::string& function) const {
  auto found = counts.find(function);
  return found == counts.end() ? 0 : found->second;
}

std::vector<std::string> World::live_objects() {
  std::vector<const Live*> sorted;
  for (auto& [handle, object] : live) sorted.push_back(&object);
  std::sort(sorted.begin(), sorted.end(), [](const Live* a, const Live* b) { return a->number < b->number; });
  std::vector<std::string> told;
  for (const Live* object : sorted) {
    told.push_back(object->kind + (object->description.empty() ? "" : " " + object->description));
  }
  return told;
}

std::vector<std::string> World::violations() {
  check_guards();
  return misuses;
}

Result World::begins(const std::string& function) {
  counts[function]++;
  Result result = SUCCESS;
  for (auto failure = failures.begin(); failure != failures.end();) {
    if (failure->function == function && --failure->call == 0) {
      result = failure->result;
      failure = failures.erase(failure);
    } else {
      ++failure;
    }
  }
  return result;
}

Result World::misuse(const std::string& sentence, Result result) {
  fprintf(stderr, "simulated CUDA device: %s\n", sentence.c_str());
  misuses.push_back(sentence);
  return result;
}

void World::lives(const char* kind, const void* handle, const std::string& description) {
  live[handle] = {made++, kind, description};
}

void World::dies(const void* handle) { live.erase(handle); }

bool World::is_live(const char* kind, const void* handle) const {
  auto found = live.find(handle);
  return found != live.end() && found->second.kind == kind;
}

// ---- memory

bool World::holds(const std::map<char*, Allocation>& memory, const void* address, size_t bytes) {
  auto after = memory.upper_bound((char*)address);
  if (after == memory.begin()) return false;
  auto& [start, allocation] = *std::prev(after);
  size_t offset = (char*)address - start;
  return offset <= allocation.bytes && bytes <= allocation.bytes - offset;
}

Result World::take(Context* context, long bytes) {
  if ((long)context->used + bytes > (long)settings.memory) return OUT_OF_MEMORY;
  context->used += bytes;
  return SUCCESS;
}

Result World::allocate(Context* context, size_t bytes, void** address) {
  if (bytes == 0) return INVALID_VALUE;
  if (bytes > settings.memory || context->used > settings.memory - bytes) return OUT_OF_MEMORY;
  size_t whole = 2 * GUARD + (bytes + GUARD - 1) / GUARD * GUARD;
  char* base = (char*)aligned_alloc(GUARD, whole);
  if (base == nullptr) return OUT_OF_MEMORY;
  memset(base, GUARD_BYTE, GUARD);
  memset(base + GUARD, POISON, bytes);
  memset(base + GUARD + bytes, GUARD_BYTE, whole - GUARD - bytes);
  // The next address after a page is aligned better than a GPU promises.
  char* start = base + GUARD;
  device_memory[start] = {context, bytes, base};
  memory.add(start, bytes, true);
  context->used += bytes;
  lives("device memory", start, std::to_string(bytes) + " bytes");
  *address = start;
  return SUCCESS;
}

void World::check_guards(char* address, const Allocation& allocation) {
  unsigned char* base = (unsigned char*)allocation.base;
  size_t behind = (allocation.bytes + GUARD - 1) / GUARD * GUARD - allocation.bytes + GUARD;
  auto damaged = [&](unsigned char* from, size_t bytes, const char* where) {
    for (size_t i = 0; i < bytes; i++) {
      if (from[i] == GUARD_BYTE) continue;
      long offset = (long)((char*)from + i - address);
      memset(from, GUARD_BYTE, bytes);  // told once
      misuse(
          "something wrote " + std::string(where) + " a device allocation of " + std::to_string(allocation.bytes) +
              " bytes, first at offset " + std::to_string(offset),
          SUCCESS);
      return;
    }
  };
  damaged(base, GUARD, "before");
  damaged((unsigned char*)address + allocation.bytes, behind, "past");
}

void World::check_guards() {
  for (auto& [address, allocation] : device_memory) check_guards(address, allocation);
}

Result World::release(void* address) {
  auto found = device_memory.find((char*)address);
  if (found == device_memory.end()) return misuse("cuMemFree of what is no live allocation's address", INVALID_VALUE);
  scheduler.wait_for_all(found->second.context);
  check_guards(found->first, found->second);
  found->second.context->used -= found->second.bytes;
  free(found->second.base);
  device_memory.erase(found);
  memory.remove((char*)address);
  dies(address);
  return SUCCESS;
}

Result World::allocate_pinned(Context* context, size_t bytes, void** address) {
  if (bytes == 0) return INVALID_VALUE;
  void* base = aligned_alloc(GUARD, (bytes + GUARD - 1) / GUARD * GUARD);
  if (base == nullptr) return OUT_OF_MEMORY;
  memset(base, POISON, bytes);
  pinned_memory[(char*)base] = {context, bytes, base};
  memory.add((char*)base, bytes, false);
  lives("pinned memory", base, std::to_string(bytes) + " bytes");
  *address = base;
  return SUCCESS;
}

Result World::release_pinned(void* address) {
  auto found = pinned_memory.find((char*)address);
  if (found == pinned_memory.end()) return misuse("cuMemFreeHost of what is no pinned memory's address", INVALID_VALUE);
  scheduler.wait_for_all(found->second.context);
  free(found->second.base);
  pinned_memory.erase(found);
  memory.remove((char*)address);
  dies(address);
  return SUCCESS;
}

// ---- streams, captures, graphs

Capture* World::forbidding_capture() {
  for (Stream* stream : streams) {
    Capture* capture = stream->capture.get();
    if (capture != nullptr && capture->mode != MODE_RELAXED &&
        (capture->mode == 0 || capture->thread == std::this_thread::get_id())) {
      return capture;
    }
  }
  return nullptr;
}

// A capture on a stream that waits for the legacy stream.
Capture* World::blocking_capture(const Context* context) {
  for (Stream* stream : streams) {
    if (stream->context == context && stream->capture != nullptr && (stream->flags & NON_BLOCKING) == 0) {
      return stream->capture.get();
    }
  }
  return nullptr;
}

Result World::enqueue(Stream* stream, const std::string& name, Work work, OperationPtr* operation) {
  auto shared = work == nullptr ? nullptr : std::make_shared<const Work>(std::move(work));
  if (stream->capture != nullptr) {
    Capture& capture = *stream->capture;
    if (capture.invalid) return CAPTURE_INVALIDATED;
    capture.graph.nodes.push_back({shared, name, {stream->frontier.begin(), stream->frontier.end()}});
    stream->frontier = {capture.graph.nodes.size() - 1};
    return SUCCESS;
  }
  Context* context = stream->context;
  std::vector<OperationPtr> after = {stream->last};
  if (stream == &context->legacy) {
    if (Capture* capture = blocking_capture(context)) {
      capture->invalid = true;
      return misuse(name + " on the legacy stream while a blocking stream is captured", CAPTURE_IMPLICIT);
    }
    for (Stream* other : streams) {
      if (other->context == context && (other->flags & NON_BLOCKING) == 0) after.push_back(other->last);
    }
  } else if ((stream->flags & NON_BLOCKING) == 0) {
    after.push_back(context->legacy.last);
  }
  stream->last = scheduler.submit(context, std::move(shared), std::move(after));
  if (operation != nullptr) *operation = stream->last;
  return context->fault;
}

// cuStreamWaitEvent.
Result World::join(Stream* stream, const Event& event) {
  if (event.in_capture) {
    std::shared_ptr<Capture> capture = event.capture.lock();
    if (capture == nullptr) return misuse("a stream waits for an event of a capture that has ended", CAPTURE_ISOLATION);
    if (capture->invalid) return CAPTURE_INVALIDATED;
    if (stream->capture != nullptr && stream->capture != capture) {
      capture->invalid = stream->capture->invalid = true;
      return misuse("two captures would be merged by waiting for an event", CAPTURE_MERGE);
    }
    if (stream == &stream->context->legacy) return CAPTURE_IMPLICIT;
    stream->capture = capture;
    capture->streams.insert(stream);
    stream->frontier.insert(event.frontier.begin(), event.frontier.end());
    return SUCCESS;
  }
  if (event.recorded == nullptr) return SUCCESS;
  if (stream->capture != nullptr) {
    stream->capture->invalid = true;
    return misuse("a captured stream waits for an event recorded outside the capture", CAPTURE_ISOLATION);
  }
  stream->last = scheduler.submit(stream->context, nullptr, {stream->last, event.recorded});
  return SUCCESS;
}

Result World::launch(GraphExec* exec, Stream* stream) {
  if (stream->capture != nullptr) {
    return misuse("a graph launched into a capture is beyond the simulation", NOT_SUPPORTED);
  }
  OperationPtr begin;
  if (Result result = enqueue(stream, "graph", nullptr, &begin)) return result;
  begin = scheduler.submit(exec->context, nullptr, {begin, exec->last});
  std::vector<OperationPtr> operations;
  std::vector<bool> is_leaf(exec->graph.nodes.size(), true);
  for (const Node& node : exec->graph.nodes) {
    std::vector<OperationPtr> after = {begin};
    for (size_t other : node.after) {
      after.push_back(operations[other]);
      is_leaf[other] = false;
    }
    operations.push_back(scheduler.submit(exec->context, node.work, std::move(after)));
  }
  std::vector<OperationPtr> leaves = {begin};
  for (size_t i = 0; i < operations.size(); i++) {
    if (is_leaf[i]) leaves.push_back(operations[i]);
  }
  exec->last = stream->last = scheduler.submit(exec->context, nullptr, std::move(leaves));
  return exec->context->fault;
}

}  // namespace simulated
