// What the simulated libcuda.so.1 offers to the simulated cuBLAS beside the driver's own functions.
#pragma once

#include <stddef.h>

extern "C" {

typedef void (*simulated_work)(void* argument);

// A call begins: the result it must return, 0 to go on. Counted and made to fail under its name.
__attribute__((visibility("default"))) int simulated_begins(const char* function);
// Queues work on a stream of the driver, or adds it to the graph the stream captures.
__attribute__((visibility("default"))) int simulated_enqueue(
    void* stream, const char* name, simulated_work work, void* argument, void (*dispose)(void*));
__attribute__((visibility("default"))) int simulated_is_captured(void* stream);
// Memory is taken or a kernel loaded: refused, as a CUresult, while a capture that is not relaxed is under way.
__attribute__((visibility("default"))) int simulated_loads(const char* function);
// Memory that a library takes for itself, or by a negative number gives back: a CUresult.
__attribute__((visibility("default"))) int simulated_takes(long bytes);
__attribute__((visibility("default"))) int simulated_is_device(const void* address, size_t bytes);
// A library has written device memory: kernels may read it.
__attribute__((visibility("default"))) void simulated_written(const void* address, size_t bytes);
__attribute__((visibility("default"))) void simulated_misuse(const char* sentence);
__attribute__((visibility("default"))) void simulated_lives(const char* kind, const void* handle);
__attribute__((visibility("default"))) void simulated_dies(const void* handle);
__attribute__((visibility("default"))) int simulated_is_live(const char* kind, const void* handle);
}
