// The simulated cuBLAS: what JCublas2 calls for this program, built once as libcublas.so.12 and once as libcublas.so.13
// (the symbols' version is the linker script's, CUBLAS_VERSION is the compiler's).
//
// What it simulates: matrix products in float32, each element one chain of fused multiply-adds over ascending k, queued
// on the handle's stream and captured with it; TF32, so that a test sees whether it is on; the workspace that
// cublasSetStream takes away; a kernel that is loaded at a handle's first product of a shape, and its memory. A product
// captured without a workspace of the user's is an error here (a GPU's cuBLAS would allocate). What it does not: any
// other routine, batches, half precision, device pointer mode.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "library.h"

#define API extern "C" __attribute__((visibility("default"))) int

namespace {

enum {
  SUCCESS = 0,
  NOT_INITIALIZED = 1,
  ALLOC_FAILED = 3,
  INVALID_VALUE = 7,
  EXECUTION_FAILED = 13,
  NOT_SUPPORTED = 15
};
enum { NON_TRANSPOSED = 0, TRANSPOSED = 1, CONJUGATED = 2 };
enum { TF32_MATH = 3, FLOAT32 = 0 };
enum { COMPUTE_32F = 68, COMPUTE_32F_PEDANTIC = 69, COMPUTE_32F_FAST_TF32 = 77 };

struct Handle {
  void* stream = nullptr;
  char* workspace = nullptr;
  size_t workspace_bytes = 0;
  int math_mode = 0;
  int pointer_mode = 0;
  int atomics_mode = 0;
  std::set<std::array<int, 5>> loaded;  // shapes: m, n, k, transpositions
};

constexpr long KERNEL_BYTES = 1 << 20;  // of the GPU's memory, for the kernel of a shape: a guess

struct Product {
  bool a_transposed, b_transposed, tf32;
  int m, n, k;
  float alpha, beta;
  const float *a, *b;
  float* c;
  int lda, ldb, ldc;
  char* workspace;
  size_t workspace_bytes;
};

// The nearest value of 10 explicit bits.
float tf32(float value) {
  if (!isfinite(value)) return value;
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x1000) & ~0x1fffu;
  memcpy(&value, &bits, sizeof value);
  return value;
}

// c = alpha op(a) op(b) + beta c, column-major.
void multiply(void* argument) {
  const Product& p = *static_cast<Product*>(argument);
  // Whoever else uses the workspace finds it changed.
  if (p.workspace != nullptr) {
    size_t end = std::min<size_t>(p.workspace_bytes, 4096);
    memset(p.workspace, 0x5A, end);
    memset(p.workspace + p.workspace_bytes - end, 0x5A, end);
  }
  std::vector<float> a((size_t)p.m * p.k), sums(p.m);
  for (int l = 0; l < p.k; l++) {
    for (int i = 0; i < p.m; i++) {
      float value = p.a_transposed ? p.a[l + (size_t)i * p.lda] : p.a[i + (size_t)l * p.lda];
      a[(size_t)l * p.m + i] = p.tf32 ? tf32(value) : value;
    }
  }
  for (int j = 0; j < p.n; j++) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (int l = 0; l < p.k; l++) {
      float value = p.b_transposed ? p.b[j + (size_t)l * p.ldb] : p.b[l + (size_t)j * p.ldb];
      if (p.tf32) value = tf32(value);
      const float* column = a.data() + (size_t)l * p.m;
      for (int i = 0; i < p.m; i++) sums[i] = fmaf(column[i], value, sums[i]);
    }
    float* c = p.c + (size_t)j * p.ldc;
    for (int i = 0; i < p.m; i++) c[i] = p.beta == 0 ? p.alpha * sums[i] : p.alpha * sums[i] + p.beta * c[i];
    simulated_written(c, sizeof(float) * (size_t)p.m);
  }
}

// The cuBLAS status for a fault of the driver or one that a test asked for; small numbers are cuBLAS's own.
int status_of(int result) { return result == 0 ? SUCCESS : result < 100 ? result : EXECUTION_FAILED; }

Handle* handle_of(void* handle) {
  if (simulated_is_live("cuBLAS handle", handle)) return static_cast<Handle*>(handle);
  simulated_misuse("a call with a cuBLAS handle that does not live");
  return nullptr;
}

#define BEGIN                                                            \
  if (int result = simulated_begins(__func__)) return status_of(result); \
  Handle* handle = handle_of(given);                                     \
  if (handle == nullptr) return NOT_INITIALIZED

int enqueue_product(
    Handle* handle, int transa, int transb, int m, int n, int k, const float* alpha, const float* a, int lda,
    const float* b, int ldb, const float* beta, float* c, int ldc, bool fast) {
  bool a_transposed = transa != NON_TRANSPOSED;
  bool b_transposed = transb != NON_TRANSPOSED;
  auto fits = [](int leading, int rows) { return leading >= std::max(1, rows); };
  if (m < 0 || n < 0 || k < 0 || transa < 0 || transa > CONJUGATED || transb < 0 || transb > CONJUGATED ||
      !fits(lda, a_transposed ? k : m) || !fits(ldb, b_transposed ? n : k) || !fits(ldc, m)) {
    simulated_misuse("cublasSgemm with sizes or leading dimensions that do not fit");
    return INVALID_VALUE;
  }
  if (handle->pointer_mode != 0) return NOT_SUPPORTED;
  if (m == 0 || n == 0) return SUCCESS;
  auto bytes = [](int leading, int columns, int rows) {
    return sizeof(float) * ((size_t)leading * (columns - 1) + rows);
  };
  bool a_there = k == 0 || simulated_is_device(a, a_transposed ? bytes(lda, m, k) : bytes(lda, k, m));
  bool b_there = k == 0 || simulated_is_device(b, b_transposed ? bytes(ldb, k, n) : bytes(ldb, n, k));
  if (!a_there || !b_there || !simulated_is_device(c, bytes(ldc, n, m))) {
    simulated_misuse("cublasSgemm with a matrix that is not inside one device allocation");
    return INVALID_VALUE;
  }
  if (simulated_is_captured(handle->stream) && handle->workspace == nullptr) {
    simulated_misuse("cublasSgemm is captured without a workspace: call cublasSetWorkspace after cublasSetStream");
    return EXECUTION_FAILED;
  }
  std::array<int, 5> shape = {m, n, k, a_transposed, b_transposed};
  if (handle->loaded.count(shape) == 0) {
    if (int refused = simulated_loads("cublasSgemm, which loads a kernel at the first product of a shape,")) {
      return status_of(refused);
    }
    if (simulated_takes(KERNEL_BYTES)) return ALLOC_FAILED;
    handle->loaded.insert(shape);
  }
  bool use_tf32 = fast || handle->math_mode == TF32_MATH;
  auto product =
      new Product{a_transposed,      b_transposed,           use_tf32, m, n, k, *alpha, *beta, a, b, c, lda, ldb, ldc,
                  handle->workspace, handle->workspace_bytes};
  return status_of(simulated_enqueue(handle->stream, "cublasSgemm", multiply, product, [](void* argument) {
    delete static_cast<Product*>(argument);
  }));
}

}  // namespace

API cublasCreate_v2(void** handle) {
  if (int result = simulated_begins(__func__)) return result < 100 ? result : NOT_INITIALIZED;
  *handle = new Handle;
  simulated_lives("cuBLAS handle", *handle);
  return SUCCESS;
}

API cublasDestroy_v2(void* given) {
  int result = simulated_begins(__func__);
  Handle* handle = handle_of(given);
  if (handle == nullptr) return NOT_INITIALIZED;
  simulated_takes(-KERNEL_BYTES * (long)handle->loaded.size());
  simulated_dies(handle);
  delete handle;
  return status_of(result);
}

API cublasGetVersion_v2(void*, int* version) {
  *version = CUBLAS_VERSION;
  return SUCCESS;
}

// property: 0 major, 1 minor, 2 patch
API cublasGetProperty(int property, int* value) {
  *value = property == 0 ? CUBLAS_VERSION / 10000 : property == 1 ? CUBLAS_VERSION / 100 % 100 : CUBLAS_VERSION % 100;
  return SUCCESS;
}

extern "C" __attribute__((visibility("default"))) size_t cublasGetCudartVersion() {
  return CUBLAS_VERSION / 10000 * 1000;
}

API cublasSetStream_v2(void* given, void* stream) {
  BEGIN;
  handle->stream = stream;
  handle->workspace = nullptr;
  handle->workspace_bytes = 0;
  return SUCCESS;
}

API cublasGetStream_v2(void* given, void** stream) {
  BEGIN;
  *stream = handle->stream;
  return SUCCESS;
}

API cublasSetWorkspace_v2(void* given, void* workspace, size_t bytes) {
  BEGIN;
  if (workspace != nullptr && ((uintptr_t)workspace % 256 != 0 || !simulated_is_device(workspace, bytes))) {
    simulated_misuse("cublasSetWorkspace with a range that is not inside one device allocation, aligned to 256 bytes");
    return INVALID_VALUE;
  }
  handle->workspace = (char*)workspace;
  handle->workspace_bytes = bytes;
  return SUCCESS;
}

API cublasSetMathMode(void* given, int mode) {
  BEGIN;
  handle->math_mode = mode;
  return SUCCESS;
}

API cublasGetMathMode(void* given, int* mode) {
  BEGIN;
  *mode = handle->math_mode;
  return SUCCESS;
}

API cublasSetPointerMode_v2(void* given, int mode) {
  BEGIN;
  handle->pointer_mode = mode;
  return SUCCESS;
}

API cublasGetPointerMode_v2(void* given, int* mode) {
  BEGIN;
  *mode = handle->pointer_mode;
  return SUCCESS;
}

API cublasSetAtomicsMode(void* given, int mode) {
  BEGIN;
  handle->atomics_mode = mode;
  return SUCCESS;
}

API cublasGetAtomicsMode(void* given, int* mode) {
  BEGIN;
  *mode = handle->atomics_mode;
  return SUCCESS;
}

API cublasSgemm_v2(
    void* given, int transa, int transb, int m, int n, int k, const float* alpha, const float* a, int lda,
    const float* b, int ldb, const float* beta, float* c, int ldc) {
  BEGIN;
  return enqueue_product(handle, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, false);
}

API cublasSgemmEx(
    void* given, int transa, int transb, int m, int n, int k, const float* alpha, const void* a, int a_type, int lda,
    const void* b, int b_type, int ldb, const float* beta, void* c, int c_type, int ldc) {
  BEGIN;
  if (a_type != FLOAT32 || b_type != FLOAT32 || c_type != FLOAT32) return NOT_SUPPORTED;
  return enqueue_product(
      handle, transa, transb, m, n, k, alpha, (const float*)a, lda, (const float*)b, ldb, beta, (float*)c, ldc, false);
}

API cublasGemmEx(
    void* given, int transa, int transb, int m, int n, int k, const void* alpha, const void* a, int a_type, int lda,
    const void* b, int b_type, int ldb, const void* beta, void* c, int c_type, int ldc, int compute, int) {
  BEGIN;
  bool known = compute == COMPUTE_32F || compute == COMPUTE_32F_PEDANTIC || compute == COMPUTE_32F_FAST_TF32;
  if (a_type != FLOAT32 || b_type != FLOAT32 || c_type != FLOAT32 || !known) return NOT_SUPPORTED;
  return enqueue_product(
      handle, transa, transb, m, n, k, (const float*)alpha, (const float*)a, lda, (const float*)b, ldb,
      (const float*)beta, (float*)c, ldc, compute == COMPUTE_32F_FAST_TF32);
}

extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusName(int status) {
  switch (status) {
    case SUCCESS:
      return "CUBLAS_STATUS_SUCCESS";
    case NOT_INITIALIZED:
      return "CUBLAS_STATUS_NOT_INITIALIZED";
    case ALLOC_FAILED:
      return "CUBLAS_STATUS_ALLOC_FAILED";
    case INVALID_VALUE:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case EXECUTION_FAILED:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case NOT_SUPPORTED:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "CUBLAS_STATUS_INTERNAL_ERROR";
  }
}

extern "C" __attribute__((visibility("default"))) const char* cublasGetStatusString(int status) {
  return cublasGetStatusName(status);
}
