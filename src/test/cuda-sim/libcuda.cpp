// The simulated driver: the functions of libcuda.so.1 that JCudaDriver calls for this program, under their binary
// names.
//
// What it simulates beyond their results: calls without a context or with a dead handle, the PTX that a driver of the
// chosen age accepts, asynchronous streams and everything a capture forbids (device.h), faults that lose a context.
// What it makes stricter than a GPU: an asynchronous copy needs pinned host memory, host pointers must not be device
// memory, misuse is told on standard error. A faulted context still forgets what is freed, so that leaks can be told.
// What it does not: other devices' memory, arrays and textures, managed memory, callbacks, graphs built by hand or
// launched into a capture, per-thread default streams. JCudaDriver binds lazily: a function missing here ends the
// process with its name.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <regex>

#include "device.h"
#include "library.h"

using namespace simulated;

#define API extern "C" __attribute__((visibility("default"))) Result

namespace {

constexpr unsigned EVENT_DISABLE_TIMING = 2;
constexpr int NUMBER_OF_LEGACY_STREAM = 1;
constexpr size_t CONTEXT_BYTES = 32 << 20;  // of the GPU's memory, beside what the tests ask for: a guess
constexpr size_t GRAPH_NODE_BYTES = 4096;   // of the GPU's memory, for a node of an executable graph: a guess

constexpr size_t SHARED_BYTES = 49152;        // of a block
constexpr size_t MOST_SHARED_BYTES = 101376;  // of a block whose kernel asks for more

struct Module {
  Context* context;
  std::shared_ptr<const ptx::Module> text;
};

struct Function {
  Context* context;
  Module* module;
  const ptx::Kernel* kernel;
  size_t most_shared_bytes;
};

thread_local std::vector<Context*> context_stack;
std::map<std::pair<Module*, std::string>, std::unique_ptr<Function>> functions;
uint64_t next_stream_id = 1;
std::string calling;  // the function under way, for reports

enum class Needs { NOTHING, DRIVER, CONTEXT };

Context* current() { return context_stack.empty() ? nullptr : context_stack.back(); }

// Results after which a context is lost.
bool is_fatal(Result result) {
  return result == 214 || result == 220 || result == ILLEGAL_ADDRESS || result == 702 ||
         (result >= 714 && result <= LAUNCH_FAILED) || result == 999;
}

// A function's name without _v2, as Java and C programs write it.
std::string plain(const std::string& function) { return function.substr(0, function.rfind("_v")); }

// What every call does first.
Result begins(const char* function, Needs needs) {
  calling = plain(function);
  Result wanted = world().begins(calling);
  if (needs != Needs::NOTHING && !world().initialised) return NOT_INITIALIZED;
  if (needs == Needs::CONTEXT) {
    if (current() == nullptr) return INVALID_CONTEXT;
    if (current()->retained == 0) return CONTEXT_IS_DESTROYED;
    if (is_fatal(wanted) && current()->fault == SUCCESS) current()->fault = wanted;
    if (current()->fault != SUCCESS) return current()->fault;
  }
  return wanted;
}

#define BEGIN(needs)                                         \
  std::lock_guard<std::recursive_mutex> lock(world().mutex); \
  if (Result refused = begins(__func__, Needs::needs)) return refused

// As BEGIN, for calls that free something: they do so in a faulted context too, and return the fault.
#define BEGIN_FREEING                                        \
  std::lock_guard<std::recursive_mutex> lock(world().mutex); \
  Result refused = begins(__func__, Needs::CONTEXT);         \
  if (refused != SUCCESS && (current() == nullptr || current()->fault == SUCCESS)) return refused

// For calls that a capture under way in this thread forbids.
#define FORBIDDEN_IN_CAPTURE \
  if (Result forbidden = refuse_in_capture(__func__)) return forbidden

Result refuse_in_capture(const char* function) {
  Capture* capture = world().forbidding_capture();
  if (capture == nullptr) return SUCCESS;
  capture->invalid = true;
  return world().misuse(plain(function) + " during a stream capture", CAPTURE_UNSUPPORTED);
}

template <typename T>
T* alive(const char* kind, T* handle) {
  if (world().is_live(kind, handle)) return handle;
  world().misuse(calling + " with a " + kind + " that does not live", SUCCESS);
  return nullptr;
}

Result synchronized(const OperationPtr& operation) {
  world().scheduler.wait_for(operation);
  return current()->fault;
}

Result queried(const OperationPtr& operation) {
  if (operation == nullptr || operation->done) return current()->fault;
  world().scheduler.advance(operation);
  return NOT_READY;
}

// Waiting for a stream or asking it is forbidden while it is captured.
Result refuse_captured(Stream* stream, const char* function) {
  if (stream->capture == nullptr) return SUCCESS;
  stream->capture->invalid = true;
  return world().misuse(std::string(function) + " of a stream that is captured", CAPTURE_UNSUPPORTED);
}

Result refuse_captured(Event* event, const char* function) {
  if (!event->in_capture) return SUCCESS;
  if (auto capture = event->capture.lock()) capture->invalid = true;
  return world().misuse(std::string(function) + " of an event that is captured", CAPTURED_EVENT);
}

}  // namespace

namespace simulated {

Stream* stream_of(void* handle) {
  if (handle == nullptr || handle == (void*)(intptr_t)NUMBER_OF_LEGACY_STREAM) {
    return current() == nullptr ? nullptr : &current()->legacy;
  }
  return alive("stream", (Stream*)handle);
}

}  // namespace simulated

// ---- driver and devices

API cuInit(unsigned flags) {
  BEGIN(NOTHING);
  if (flags != 0) return INVALID_VALUE;
  if (world().settings.devices == 0) return NO_DEVICE;
  world().initialised = true;
  return SUCCESS;
}

API cuDriverGetVersion(int* version) {
  BEGIN(NOTHING);
  *version = world().settings.driver;
  return SUCCESS;
}

API cuDeviceGetCount(int* count) {
  BEGIN(DRIVER);
  *count = world().settings.hidden ? 0 : world().settings.devices;
  return SUCCESS;
}

API cuDeviceGet(int* device, int ordinal) {
  BEGIN(DRIVER);
  if (ordinal < 0 || ordinal >= world().settings.devices) return INVALID_DEVICE;
  *device = ordinal;
  return SUCCESS;
}

API cuDeviceGetName(char* name, int length, int device) {
  BEGIN(DRIVER);
  if (device < 0 || device >= world().settings.devices) return INVALID_DEVICE;
  snprintf(name, (size_t)length, "Simulated CUDA device %d", device);
  return SUCCESS;
}

API cuDeviceGetUuid(unsigned char* uuid, int device) {
  BEGIN(DRIVER);
  for (int i = 0; i < 16; i++) uuid[i] = (unsigned char)(16 * device + i);
  return SUCCESS;
}

API cuDeviceGetPCIBusId(char* text, int length, int device) {
  BEGIN(DRIVER);
  snprintf(text, (size_t)length, "0000:%02X:00.0", device + 1);
  return SUCCESS;
}

API cuDeviceTotalMem_v2(size_t* bytes, int device) {
  BEGIN(DRIVER);
  if (device < 0 || device >= world().settings.devices) return INVALID_DEVICE;
  *bytes = world().settings.memory + CONTEXT_BYTES;
  return SUCCESS;
}

API cuDeviceComputeCapability(int* major, int* minor, int) {
  BEGIN(DRIVER);
  *major = world().settings.major;
  *minor = world().settings.minor;
  return SUCCESS;
}

API cuDeviceGetAttribute(int* value, int attribute, int device) {
  BEGIN(DRIVER);
  if (device < 0 || device >= world().settings.devices) return INVALID_DEVICE;
  // By the numbers of CUdevice_attribute; what a program of ours never asks for is 0.
  static const std::map<int, int> values = {
      // Maximum threads of a block, its x, y, z; the grid's x, y, z.
      {1, 1024},
      {2, 1024},
      {3, 1024},
      {4, 64},
      {5, 2147483647},
      {6, 65535},
      {7, 65535},
      // Bytes of shared memory of a block, of a multiprocessor, of a block that asks for more; of constant memory.
      {8, (int)SHARED_BYTES},
      {81, 102400},
      {97, (int)MOST_SHARED_BYTES},
      {9, 65536},
      // Threads of a warp; registers of a block, of a multiprocessor.
      {10, 32},
      {12, 65536},
      {82, 65536},
      // kHz, kHz of the memory, bits of its bus, bytes of the L2 cache.
      {13, 1500000},
      {36, 7000000},
      {37, 256},
      {38, 4194304},
      // Threads and blocks of a multiprocessor; copy engines.
      {39, 1536},
      {106, 16},
      {40, 2},
      // Flags, 95 being cooperative launch.
      {15, 1},
      {19, 1},
      {31, 1},
      {33, 1},
      {41, 1},
      {78, 1},
      {79, 1},
      {80, 1},
      {95, 1},
      {115, 1},
  };
  auto found = values.find(attribute);
  *value = attribute == 16         ? (int)world().settings.multiprocessors
           : attribute == 75       ? world().settings.major
           : attribute == 76       ? world().settings.minor
           : found == values.end() ? 0
                                   : found->second;
  return SUCCESS;
}

API cuGetErrorName(Result error, const char** name) {
  *name = result_name(error);
  return *name == nullptr ? INVALID_VALUE : SUCCESS;
}

API cuGetErrorString(Result error, const char** text) { return cuGetErrorName(error, text); }

// ---- contexts

namespace {

Context* context_of(int device) {
  std::unique_ptr<Context>& context = world().contexts[device];
  if (context == nullptr) {
    context = std::make_unique<Context>();
    context->device = device;
    context->legacy = {context.get(), 0, 0, 0, nullptr, nullptr, {}};
  }
  return context.get();
}

}  // namespace

API cuDevicePrimaryCtxRetain(Context** context, int device) {
  BEGIN(DRIVER);
  if (device < 0 || device >= world().settings.devices) return INVALID_DEVICE;
  *context = context_of(device);
  if ((*context)->retained++ == 0) world().lives("context", *context, "of device " + std::to_string(device));
  return SUCCESS;
}

API cuDevicePrimaryCtxRelease_v2(int device) {
  BEGIN(DRIVER);
  Context* context = context_of(device);
  if (context->retained == 0) return INVALID_CONTEXT;
  if (--context->retained == 0) {
    world().scheduler.wait_for_all(context);
    context->fault = SUCCESS;
    world().dies(context);
  }
  return SUCCESS;
}

API cuDevicePrimaryCtxReset_v2(int device) {
  BEGIN(DRIVER);
  context_of(device)->fault = SUCCESS;
  return SUCCESS;
}

API cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  BEGIN(DRIVER);
  context_of(device)->flags = flags;
  return SUCCESS;
}

API cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active) {
  BEGIN(DRIVER);
  *flags = context_of(device)->flags;
  *active = context_of(device)->retained > 0;
  return SUCCESS;
}

API cuCtxSetCurrent(Context* context) {
  BEGIN(DRIVER);
  if (!context_stack.empty()) context_stack.pop_back();
  if (context != nullptr) context_stack.push_back(context);
  return SUCCESS;
}

API cuCtxGetCurrent(Context** context) {
  BEGIN(DRIVER);
  *context = current();
  return SUCCESS;
}

API cuCtxPushCurrent_v2(Context* context) {
  BEGIN(DRIVER);
  if (context == nullptr) return INVALID_CONTEXT;
  context_stack.push_back(context);
  return SUCCESS;
}

API cuCtxPopCurrent_v2(Context** context) {
  BEGIN(DRIVER);
  if (context_stack.empty()) return INVALID_CONTEXT;
  *context = current();
  context_stack.pop_back();
  return SUCCESS;
}

API cuCtxGetDevice(int* device) {
  BEGIN(CONTEXT);
  *device = current()->device;
  return SUCCESS;
}

API cuCtxGetFlags(unsigned* flags) {
  BEGIN(CONTEXT);
  *flags = current()->flags;
  return SUCCESS;
}

API cuCtxGetApiVersion(Context*, unsigned* version) {
  BEGIN(CONTEXT);
  *version = 3020;
  return SUCCESS;
}

API cuCtxGetLimit(size_t* value, int limit) {
  BEGIN(CONTEXT);
  *value = limit == 0 ? 1024 : limit == 2 ? 8 << 20 : 0;  // 0: a thread's stack, 2: the heap of malloc
  return SUCCESS;
}

API cuCtxSetLimit(int, size_t) {
  BEGIN(CONTEXT);
  return SUCCESS;
}

API cuCtxGetStreamPriorityRange(int* least, int* greatest) {
  BEGIN(CONTEXT);
  *least = 0;
  *greatest = -5;
  return SUCCESS;
}

API cuCtxSynchronize() {
  BEGIN(CONTEXT);
  for (Stream* stream : world().streams) {
    if (stream->context != current() || stream->capture == nullptr) continue;
    stream->capture->invalid = true;
    return world().misuse("cuCtxSynchronize during a stream capture", CAPTURE_UNSUPPORTED);
  }
  world().scheduler.wait_for_all(current());
  return current()->fault;
}

// ---- memory

API cuMemGetInfo_v2(size_t* free, size_t* total) {
  BEGIN(CONTEXT);
  *total = world().settings.memory + CONTEXT_BYTES;
  *free = world().settings.memory - current()->used;
  return SUCCESS;
}

API cuMemAlloc_v2(void** address, size_t bytes) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  return world().allocate(current(), bytes, address);
}

API cuMemFree_v2(void* address) {
  BEGIN_FREEING;
  if (address == nullptr) return refused;
  FORBIDDEN_IN_CAPTURE;
  Result result = world().release(address);
  return refused ? refused : result;
}

API cuMemHostAlloc(void** address, size_t bytes, unsigned) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  return world().allocate_pinned(current(), bytes, address);
}

API cuMemAllocHost_v2(void** address, size_t bytes) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  return world().allocate_pinned(current(), bytes, address);
}

API cuMemFreeHost(void* address) {
  BEGIN_FREEING;
  FORBIDDEN_IN_CAPTURE;
  Result result = world().release_pinned(address);
  return refused ? refused : result;
}

API cuMemHostGetDevicePointer_v2(void** device, void* host, unsigned) {
  BEGIN(CONTEXT);
  if (!world().is_pinned(host, 1)) return INVALID_VALUE;
  *device = host;
  return SUCCESS;
}

API cuMemHostGetFlags(unsigned* flags, void* host) {
  BEGIN(CONTEXT);
  if (!world().is_pinned(host, 1)) return INVALID_VALUE;
  *flags = 0;
  return SUCCESS;
}

namespace {

enum class Place { DEVICE, HOST };

// Why a range cannot be what the call says it is, SUCCESS where it can.
Result check_range(const char* function, Place place, const void* address, size_t bytes, bool pinned) {
  std::string range = std::to_string(bytes) + " bytes";
  if (place == Place::DEVICE) {
    if (world().is_device(address, bytes) || world().is_pinned(address, bytes)) return SUCCESS;
    return world().misuse(
        plain(function) + ": the device range of " + range + " is in no live allocation", INVALID_VALUE);
  }
  if (address == nullptr) return world().misuse(plain(function) + ": the host pointer is null", INVALID_VALUE);
  if (world().is_device(address, 1)) {
    return world().misuse(plain(function) + ": the host pointer is device memory", INVALID_VALUE);
  }
  if (pinned && !world().is_pinned(address, bytes)) {
    return world().misuse(plain(function) + ": the host range of " + range + " is not in pinned memory", INVALID_VALUE);
  }
  return SUCCESS;
}

// The work of a copy or fill between ranges that must still live when it runs.
Work guarded(const char* function, std::vector<std::pair<const void*, size_t>> ranges, std::function<void()> action) {
  return [function, ranges = std::move(ranges), action = std::move(action)]() -> Result {
    for (auto& [address, bytes] : ranges) {
      if (world().is_device(address, bytes) || world().is_pinned(address, bytes)) continue;
      return world().misuse(std::string(function) + " ran after its memory was freed", ILLEGAL_ADDRESS);
    }
    action();
    return SUCCESS;
  };
}

Result copy_async(
    const char* function, void* to, Place to_place, const void* from, Place from_place, size_t bytes, void* handle) {
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  if (Result wrong = check_range(function, to_place, to, bytes, true)) return wrong;
  if (Result wrong = check_range(function, from_place, from, bytes, true)) return wrong;
  return world().enqueue(stream, function, guarded(function, {{to, bytes}, {from, bytes}}, [=] {
                           memmove(to, from, bytes);
                           world().memory.written(to, bytes);
                         }));
}

Result fill(const char* function, void* address, const void* pattern, size_t width, size_t count, Stream* stream) {
  if (stream == nullptr) return INVALID_HANDLE;
  if ((uintptr_t)address % width != 0) {
    return world().misuse(plain(function) + ": the address is not aligned", INVALID_VALUE);
  }
  if (Result wrong = check_range(function, Place::DEVICE, address, width * count, false)) return wrong;
  std::vector<char> bytes((const char*)pattern, (const char*)pattern + width);
  return world().enqueue(stream, function, guarded(function, {{address, width * count}}, [=] {
                           world().memory.written(address, width * count);
                           if (width == 1) {
                             memset(address, bytes[0], count);
                             return;
                           }
                           for (size_t i = 0; i < count; i++) memcpy((char*)address + i * width, bytes.data(), width);
                         }));
}

}  // namespace

// From pageable memory it returns once the bytes stand in a staging buffer: the GPU may get them later.
API cuMemcpyHtoD_v2(void* to, const void* from, size_t bytes) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  if (Result wrong = check_range(__func__, Place::DEVICE, to, bytes, false)) return wrong;
  if (Result wrong = check_range(__func__, Place::HOST, from, bytes, false)) return wrong;
  bool pinned = world().is_pinned(from, bytes);
  std::vector<char> staging((const char*)from, (const char*)from + bytes);
  OperationPtr operation;
  Result result = world().enqueue(
      &current()->legacy, __func__,
      guarded(
          "cuMemcpyHtoD", {{to, bytes}},
          [to, staging = std::move(staging)] {
            memcpy(to, staging.data(), staging.size());
            world().memory.written(to, staging.size());
          }),
      &operation);
  return result || !pinned ? result : synchronized(operation);
}

API cuMemcpyDtoH_v2(void* to, const void* from, size_t bytes) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  if (Result wrong = check_range(__func__, Place::HOST, to, bytes, false)) return wrong;
  if (Result wrong = check_range(__func__, Place::DEVICE, from, bytes, false)) return wrong;
  OperationPtr operation;
  Result result = world().enqueue(
      &current()->legacy, __func__, guarded("cuMemcpyDtoH", {{from, bytes}}, [=] { memcpy(to, from, bytes); }),
      &operation);
  return result ? result : synchronized(operation);
}

API cuMemcpyDtoD_v2(void* to, const void* from, size_t bytes) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  return copy_async("cuMemcpyDtoD", to, Place::DEVICE, from, Place::DEVICE, bytes, nullptr);
}

API cuMemcpyHtoDAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
  BEGIN(CONTEXT);
  return copy_async("cuMemcpyHtoDAsync", to, Place::DEVICE, from, Place::HOST, bytes, stream);
}

API cuMemcpyDtoHAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
  BEGIN(CONTEXT);
  return copy_async("cuMemcpyDtoHAsync", to, Place::HOST, from, Place::DEVICE, bytes, stream);
}

API cuMemcpyDtoDAsync_v2(void* to, const void* from, size_t bytes, void* stream) {
  BEGIN(CONTEXT);
  return copy_async("cuMemcpyDtoDAsync", to, Place::DEVICE, from, Place::DEVICE, bytes, stream);
}

API cuMemsetD8_v2(void* address, unsigned char value, size_t count) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  return fill("cuMemsetD8", address, &value, sizeof value, count, &current()->legacy);
}

API cuMemsetD32_v2(void* address, unsigned value, size_t count) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  return fill("cuMemsetD32", address, &value, sizeof value, count, &current()->legacy);
}

API cuMemsetD8Async(void* address, unsigned char value, size_t count, void* stream) {
  BEGIN(CONTEXT);
  return fill(__func__, address, &value, sizeof value, count, stream_of(stream));
}

API cuMemsetD32Async(void* address, unsigned value, size_t count, void* stream) {
  BEGIN(CONTEXT);
  return fill(__func__, address, &value, sizeof value, count, stream_of(stream));
}

// ---- modules

namespace {

// The newest PTX version that a driver compiles, times 10: 12.0 brought 8.0, 13.0 brought 9.0.
int newest_ptx(int driver) {
  int major = driver / 1000;
  int minor = driver % 1000 / 10;
  if (major >= 13) return 90 + minor;
  if (major < 12) return 70 + minor;
  static const int after_12_5[] = {85, 85, 86, 87, 88};  // 12.5 to 12.9
  return minor < 5 ? 80 + minor : after_12_5[std::min(minor, 9) - 5];
}

// By name, as NVIDIA's driver does: a library on the loader's path, or one of that soname that the process has loaded.
bool has_compiler() {
  static void* compiler = nullptr;
  if (compiler == nullptr) compiler = dlopen("libnvidia-ptxjitcompiler.so.1", RTLD_LAZY | RTLD_LOCAL);
  return compiler != nullptr;
}

Result load(const std::string& ptx, Module** module, std::string* log) {
  if (!has_compiler()) return JIT_COMPILER_NOT_FOUND;
  static const std::regex version_directive(R"((?:^|\n)\s*\.version\s+(\d+)\.(\d+))");
  static const std::regex target_directive(R"((?:^|\n)\s*\.target\s+sm_(\d+))");
  std::smatch version, target;
  if (!std::regex_search(ptx, version, version_directive) || !std::regex_search(ptx, target, target_directive)) {
    *log = "ptxas fatal : no .version or no .target: this is no PTX";
    return INVALID_PTX;
  }
  if (std::stoi(version[1]) * 10 + std::stoi(version[2]) > newest_ptx(world().settings.driver)) {
    *log = "ptxas fatal : unsupported .version " + version[1].str() + "." + version[2].str();
    return UNSUPPORTED_PTX_VERSION;
  }
  if (std::stoi(target[1]) > world().settings.major * 10 + world().settings.minor) {
    *log = "ptxas fatal : .target sm_" + target[1].str() + " is newer than the device";
    return INVALID_PTX;
  }
  auto loaded = std::make_unique<Module>();
  loaded->context = current();
  // Tests load the same text again and again.
  static std::map<std::string, std::shared_ptr<const ptx::Module>> parsed;
  std::shared_ptr<const ptx::Module>& text = parsed[ptx];
  try {
    if (text == nullptr) text = ptx::parse(ptx);
  } catch (const ptx::Error& error) {
    *log = "ptxas application ptx input, line " + std::to_string(error.line) + "; error : " + error.sentence;
    fprintf(stderr, "simulated CUDA device: %s\n", log->c_str());
    return INVALID_PTX;
  }
  loaded->text = text;
  std::string names;
  for (auto& [name, kernel] : text->kernels) names += (names.empty() ? "" : ", ") + name;
  *module = loaded.release();
  world().lives("module", *module, names);
  return SUCCESS;
}

}  // namespace

API cuModuleLoadDataEx(Module** module, const void* image, unsigned count, const int* options, void** values) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  std::string log;
  Result result = load((const char*)image, module, &log);
  char* buffer = nullptr;
  size_t bytes = 0;
  for (unsigned i = 0; i < count; i++) {
    if (options[i] == 5) buffer = (char*)values[i];               // CU_JIT_ERROR_LOG_BUFFER
    if (options[i] == 6) bytes = (unsigned)(uintptr_t)values[i];  // its size
  }
  if (buffer != nullptr && bytes > 0) snprintf(buffer, bytes, "%s", log.c_str());
  return result;
}

API cuModuleLoadData(Module** module, const void* image) {
  BEGIN(CONTEXT);
  FORBIDDEN_IN_CAPTURE;
  std::string log;
  return load((const char*)image, module, &log);
}

API cuModuleUnload(Module* module) {
  BEGIN_FREEING;
  FORBIDDEN_IN_CAPTURE;
  if (alive("module", module) == nullptr) return INVALID_HANDLE;
  world().scheduler.wait_for_all(module->context);
  for (auto function = functions.begin(); function != functions.end();) {
    function = function->first.first == module ? functions.erase(function) : std::next(function);
  }
  world().dies(module);
  delete module;
  return refused;
}

API cuModuleGetFunction(Function** function, Module* module, const char* name) {
  BEGIN(CONTEXT);
  if (alive("module", module) == nullptr) return INVALID_HANDLE;
  auto kernel = module->text->kernels.find(name);
  if (kernel == module->text->kernels.end()) return NOT_FOUND;
  std::unique_ptr<Function>& made = functions[{module, name}];
  if (made == nullptr) made.reset(new Function{module->context, module, kernel->second.get(), SHARED_BYTES});
  *function = made.get();
  return SUCCESS;
}

API cuModuleGetLoadingMode(int* mode) {
  BEGIN(DRIVER);
  *mode = 1;
  return SUCCESS;
}

API cuFuncGetModule(Module** module, Function* function) {
  BEGIN(CONTEXT);
  *module = function->module;
  return SUCCESS;
}

API cuFuncGetAttribute(int* value, int attribute, Function* function) {
  BEGIN(CONTEXT);
  // 0: most threads of a block, 1: bytes of shared memory, 4: registers, 5: PTX version, 6: binary version, 8: most
  // bytes of shared memory that a launch may add
  *value = attribute == 0   ? (int)function->kernel->most_threads
           : attribute == 1 ? (int)function->kernel->declared_shared_bytes
           : attribute == 8 ? (int)(function->most_shared_bytes - function->kernel->declared_shared_bytes)
           : attribute == 4 ? 32
           : attribute == 5 ? 80
           : attribute == 6 ? world().settings.major * 10 + world().settings.minor
                            : 0;
  return SUCCESS;
}

API cuFuncSetAttribute(Function* function, int attribute, int value) {
  BEGIN(CONTEXT);
  if (attribute != 8) return SUCCESS;
  size_t bytes = (size_t)value + function->kernel->declared_shared_bytes;
  if (value < 0 || bytes > MOST_SHARED_BYTES) return INVALID_VALUE;
  function->most_shared_bytes = std::max(bytes, SHARED_BYTES);
  return SUCCESS;
}

API cuFuncSetCacheConfig(Function*, int) {
  BEGIN(CONTEXT);
  return SUCCESS;
}

API cuOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, Function*, int threads, size_t) {
  BEGIN(CONTEXT);
  *blocks = 1536 / threads;
  return SUCCESS;
}

API cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int* blocks, Function*, int threads, size_t, unsigned) {
  BEGIN(CONTEXT);
  *blocks = 1536 / threads;
  return SUCCESS;
}

API cuLaunchKernel(
    Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y,
    unsigned block_z, unsigned shared_bytes, void* handle, void** parameters, void** extra) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  bool known =
      std::any_of(functions.begin(), functions.end(), [&](auto& entry) { return entry.second.get() == function; });
  if (stream == nullptr || !known) return INVALID_HANDLE;
  if (function->context != current() || stream->context != current()) return INVALID_HANDLE;
  const ptx::Kernel& kernel = *function->kernel;
  std::string name = kernel.name;
  uint64_t threads = (uint64_t)block_x * block_y * block_z;
  if (grid_x == 0 || grid_y == 0 || grid_z == 0 || grid_x > 2147483647u || grid_y > 65535 || grid_z > 65535) {
    return world().misuse(
        "launch of " + name + " with a grid of " + std::to_string(grid_x) + " x " + std::to_string(grid_y) + " x " +
            std::to_string(grid_z),
        INVALID_VALUE);
  }
  if (threads == 0 || block_x > 1024 || block_y > 1024 || block_z > 64 || threads > kernel.most_threads) {
    return world().misuse(
        "launch of " + name + " with blocks of " + std::to_string(threads) + " threads, of which it allows " +
            std::to_string(kernel.most_threads),
        INVALID_VALUE);
  }
  if (kernel.declared_shared_bytes + shared_bytes > function->most_shared_bytes) {
    return world().misuse(
        "launch of " + name + " with " + std::to_string(kernel.declared_shared_bytes + shared_bytes) +
            " bytes of shared memory a block, of which it may have " + std::to_string(function->most_shared_bytes),
        INVALID_VALUE);
  }
  if (extra != nullptr)
    return world().misuse("launch of " + name + " with extra: beyond the simulation", NOT_SUPPORTED);
  if (parameters == nullptr && !kernel.parameters.empty()) return INVALID_VALUE;
  std::vector<char> arguments(kernel.parameter_bytes);
  for (size_t i = 0; i < kernel.parameters.size(); i++) {
    memcpy(arguments.data() + kernel.parameters[i].offset, parameters[i], kernel.parameters[i].bytes);
  }
  std::shared_ptr<const ptx::Module> text = function->module->text;
  return world().enqueue(stream, name, [=]() -> Result {
    const Settings& settings = world().settings;
    bool random = settings.order == ptx::Orders::RANDOM;
    ptx::Orders orders = {settings.order, random ? world().scheduler.random() : 0, settings.multiprocessors};
    try {
      ptx::run(
          *text->kernels.at(name), {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared_bytes,
          arguments.data(), world().memory, orders, world().costs[name]);
      return SUCCESS;
    } catch (const ptx::Finding& finding) {
      return world().misuse(finding.sentence, finding.result);
    }
  });
}

// ---- streams and events

namespace {

Stream* new_stream(unsigned flags, int priority) {
  Stream* stream = new Stream{current(), flags, priority, next_stream_id++, nullptr, nullptr, {}};
  world().streams.insert(stream);
  world().lives("stream", stream, std::to_string(stream->id));
  return stream;
}

Result record(Event* event, Stream* stream) {
  if (stream == nullptr || alive("event", event) == nullptr) return INVALID_HANDLE;
  event->in_capture = stream->capture != nullptr;
  if (!event->in_capture) return world().enqueue(stream, "event", nullptr, &event->recorded);
  if (stream->capture->invalid) return CAPTURE_INVALIDATED;
  event->capture = stream->capture;
  event->frontier = stream->frontier;
  return SUCCESS;
}

}  // namespace

API cuStreamCreate(Stream** stream, unsigned flags) {
  BEGIN(CONTEXT);
  *stream = new_stream(flags, 0);
  return SUCCESS;
}

API cuStreamCreateWithPriority(Stream** stream, unsigned flags, int priority) {
  BEGIN(CONTEXT);
  *stream = new_stream(flags, priority);
  return SUCCESS;
}

API cuStreamDestroy_v2(Stream* stream) {
  BEGIN_FREEING;
  if (alive("stream", stream) == nullptr) return INVALID_HANDLE;
  if (stream->capture != nullptr) {
    stream->capture->invalid = true;
    stream->capture->streams.erase(stream);
  }
  world().streams.erase(stream);
  world().dies(stream);
  delete stream;
  return refused;
}

API cuStreamSynchronize(void* handle) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  if (Result captured = refuse_captured(stream, __func__)) return captured;
  return synchronized(stream->last);
}

API cuStreamQuery(void* handle) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  if (Result captured = refuse_captured(stream, __func__)) return captured;
  return queried(stream->last);
}

API cuStreamGetPriority(void* handle, int* priority) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  *priority = stream->priority;
  return SUCCESS;
}

API cuStreamGetFlags(void* handle, unsigned* flags) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  *flags = stream->flags;
  return SUCCESS;
}

API cuStreamGetCtx(void* handle, Context** context) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  *context = stream->context;
  return SUCCESS;
}

API cuStreamWaitEvent(void* handle, Event* event, unsigned) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr || alive("event", event) == nullptr) return INVALID_HANDLE;
  return world().join(stream, *event);
}

API cuEventCreate(Event** event, unsigned flags) {
  BEGIN(CONTEXT);
  *event = new Event{current(), flags, nullptr, {}, false, {}};
  world().lives("event", *event, "");
  return SUCCESS;
}

API cuEventDestroy_v2(Event* event) {
  BEGIN_FREEING;
  if (alive("event", event) == nullptr) return INVALID_HANDLE;
  world().dies(event);
  delete event;
  return refused;
}

API cuEventRecord(Event* event, void* handle) {
  BEGIN(CONTEXT);
  return record(event, stream_of(handle));
}

API cuEventRecordWithFlags(Event* event, void* handle, unsigned) {
  BEGIN(CONTEXT);
  return record(event, stream_of(handle));
}

API cuEventQuery(Event* event) {
  BEGIN(CONTEXT);
  if (alive("event", event) == nullptr) return INVALID_HANDLE;
  if (Result captured = refuse_captured(event, __func__)) return captured;
  return queried(event->recorded);
}

API cuEventSynchronize(Event* event) {
  BEGIN(CONTEXT);
  if (alive("event", event) == nullptr) return INVALID_HANDLE;
  if (Result captured = refuse_captured(event, __func__)) return captured;
  return synchronized(event->recorded);
}

API cuEventElapsedTime(float* milliseconds, Event* start, Event* end) {
  BEGIN(CONTEXT);
  if (alive("event", start) == nullptr || alive("event", end) == nullptr) return INVALID_HANDLE;
  if (((start->flags | end->flags) & EVENT_DISABLE_TIMING) != 0 || !start->recorded || !end->recorded) {
    return INVALID_HANDLE;
  }
  if (!start->recorded->done || !end->recorded->done) return NOT_READY;
  *milliseconds = (float)(end->recorded->milliseconds - start->recorded->milliseconds);
  return SUCCESS;
}

// ---- captures and graphs

API cuStreamBeginCapture_v2(void* handle, int mode) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  if (stream == &current()->legacy) return world().misuse("capture of the legacy stream", CAPTURE_UNSUPPORTED);
  if (stream->capture != nullptr) {
    return world().misuse("capture of a stream that is captured already", 401);  // ILLEGAL_STATE
  }
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  stream->capture->mode = mode;
  stream->capture->thread = std::this_thread::get_id();
  stream->capture->streams.insert(stream);
  stream->frontier.clear();
  return SUCCESS;
}

API cuStreamIsCapturing(void* handle, int* status) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  *status = stream->capture == nullptr ? 0 : stream->capture->invalid ? 2 : 1;
  return SUCCESS;
}

API cuThreadExchangeStreamCaptureMode(int*) {
  BEGIN(CONTEXT);
  return NOT_SUPPORTED;
}

API cuStreamEndCapture(void* handle, Graph** graph) {
  BEGIN_FREEING;
  Stream* stream = stream_of(handle);
  if (stream == nullptr) return INVALID_HANDLE;
  *graph = nullptr;
  std::shared_ptr<Capture> capture = stream->capture;
  if (capture == nullptr) return world().misuse("the end of a capture that never began", 401);
  if (capture->origin != stream) {
    return world().misuse("the end of a capture on another stream than its first", CAPTURE_UNMATCHED);
  }
  if (capture->mode != 2 && capture->thread != std::this_thread::get_id()) return CAPTURE_WRONG_THREAD;

  std::vector<bool> joined(capture->graph.nodes.size());
  for (size_t node : stream->frontier) joined[node] = true;
  for (size_t node = joined.size(); node-- > 0;) {
    for (size_t other : capture->graph.nodes[node].after) joined[other] = joined[other] || joined[node];
  }
  for (Stream* member : capture->streams) {
    member->capture = nullptr;
    member->frontier.clear();
  }
  if (refused != SUCCESS) return refused;
  if (capture->invalid) return CAPTURE_INVALIDATED;
  auto loose = std::find(joined.begin(), joined.end(), false);
  if (loose != joined.end()) {
    return world().misuse(
        "a capture ends before the work of another stream, such as " +
            capture->graph.nodes[loose - joined.begin()].name + ", is joined to its first stream",
        CAPTURE_UNJOINED);
  }
  *graph = new Graph(capture->graph);
  world().lives("graph", *graph, "of " + std::to_string((*graph)->nodes.size()) + " nodes");
  return SUCCESS;
}

API cuGraphGetNodes(Graph* graph, Node** nodes, size_t* count) {
  BEGIN(CONTEXT);
  if (alive("graph", graph) == nullptr) return INVALID_HANDLE;
  if (nodes != nullptr) {
    *count = std::min(*count, graph->nodes.size());
    for (size_t i = 0; i < *count; i++) nodes[i] = &graph->nodes[i];
  } else {
    *count = graph->nodes.size();
  }
  return SUCCESS;
}

API cuGraphDestroy(Graph* graph) {
  BEGIN_FREEING;
  if (alive("graph", graph) == nullptr) return INVALID_HANDLE;
  world().dies(graph);
  delete graph;
  return refused;
}

API cuGraphInstantiateWithFlags(GraphExec** exec, Graph* graph, unsigned long long) {
  BEGIN(CONTEXT);
  if (alive("graph", graph) == nullptr) return INVALID_HANDLE;
  size_t bytes = graph->nodes.size() * GRAPH_NODE_BYTES;
  if (Result full = world().take(current(), (long)bytes)) return full;
  *exec = new GraphExec{current(), *graph, bytes, nullptr};
  world().lives("graph exec", *exec, "of " + std::to_string(graph->nodes.size()) + " nodes");
  return SUCCESS;
}

API cuGraphUpload(GraphExec* exec, void* handle) {
  BEGIN(CONTEXT);
  if (alive("graph exec", exec) == nullptr || stream_of(handle) == nullptr) return INVALID_HANDLE;
  return SUCCESS;
}

API cuGraphLaunch(GraphExec* exec, void* handle) {
  BEGIN(CONTEXT);
  Stream* stream = stream_of(handle);
  if (stream == nullptr || alive("graph exec", exec) == nullptr) return INVALID_HANDLE;
  return world().launch(exec, stream);
}

API cuGraphExecDestroy(GraphExec* exec) {
  BEGIN_FREEING;
  if (alive("graph exec", exec) == nullptr) return INVALID_HANDLE;
  world().take(exec->context, -(long)exec->bytes);
  world().dies(exec);
  delete exec;
  return refused;
}

// ---- what the simulated cuBLAS needs of the device

extern "C" {

Result simulated_begins(const char* function) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return begins(function, Needs::CONTEXT);
}

Result simulated_enqueue(void* stream, const char* name, simulated_work work, void* argument, void (*dispose)(void*)) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  std::shared_ptr<void> owned(argument, dispose);
  Stream* on = stream_of(stream);
  if (on == nullptr) return INVALID_HANDLE;
  return world().enqueue(on, name, [owned, work]() -> Result {
    work(owned.get());
    return SUCCESS;
  });
}

int simulated_is_captured(void* stream) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  Stream* on = stream_of(stream);
  return on != nullptr && on->capture != nullptr;
}

int simulated_loads(const char* function) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return refuse_in_capture(function);
}

int simulated_takes(long bytes) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return world().take(current(), bytes);
}

int simulated_is_device(const void* address, size_t bytes) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return world().is_device(address, bytes);
}

void simulated_written(const void* address, size_t bytes) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  world().memory.written(address, bytes);
}

void simulated_misuse(const char* sentence) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  world().misuse(sentence, SUCCESS);
}

void simulated_lives(const char* kind, const void* handle) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  world().lives(kind, handle, "");
}

void simulated_dies(const void* handle) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  world().dies(handle);
}

int simulated_is_live(const char* kind, const void* handle) {
  std::lock_guard<std::recursive_mutex> lock(world().mutex);
  return world().is_live(kind, handle);
}

}  // extern "C"
