// The simulated cuBLASLt: cuBLAS needs it to be loaded before it, and nothing of it is called here.
#include <stddef.h>

extern "C" __attribute__((visibility("default"))) size_t cublasLtGetVersion() { return CUBLAS_VERSION; }
