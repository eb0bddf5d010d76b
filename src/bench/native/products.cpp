// Times the native library's matrix product on one thread, for scripts/performance: reads "m n k" on each line, prints
// the minimum of 30 runs in milliseconds on each line.
#include <stdio.h>
#include <time.h>

#include "../../../native/native.h"

using namespace zerofive;

static double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

int main() {
  choose_kernels(2);
  Team alone(1);
  int m, n, k;
  while (scanf("%d %d %d", &m, &n, &k) == 3) {
    Arena memory = {};
    float* a = (float*)memory.take(4l * m * k);
    float* b = (float*)memory.take(4l * k * n);
    float* c = (float*)memory.take(4l * m * n);
    float* scratch = (float*)memory.take(4l * (n + 31) * k);
    for (long i = 0; i < (long)m * k; i++) a[i] = (float)(i % 7);
    for (long i = 0; i < (long)k * n; i++) b[i] = (float)(i % 5);
    double min_millis = 1e9;
    for (int run = 0; run < 30; run++) {
      double start = now();
      kernels->gemm(&alone, m, n, k, a, k, 1, b, n, 1, c, scratch);
      double taken = now() - start;
      if (taken < min_millis) min_millis = taken;
    }
    printf("%f\n", min_millis);
    memory.close();
  }
}
