package zerofive.backend.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;

import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import zerofive.backend.Peaks;

/** What a GPU can do at most: kernels/peak.cu, and copies within its memory. */
final class CudaPeaks {
  /** Multiply-adds of a thread in a step, as kernels/peak.cu has them. */
  private static final int CHAINS = 8;

  private static final int STEPS = 1024;

  /** The chains x = x / 2 + 1 come to 2 and stay there. */
  private static final float FACTOR = 0.5f;

  private static final float TERM = 1;

  private static final long MIN_COPIED_BYTES = 64L << 20;

  private CudaPeaks() {}

  /** One measurement, of some tenths of a second. */
  static Peaks measure(CudaContext context) {
    context.makeCurrent();
    try (Resources owned = new Resources()) {
      CUstream stream = new CUstream();
      CudaFailure.check(
          JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
          "creating a stream");
      owned.add(() -> JCudaDriver.cuStreamDestroy(stream));
      try {
        KernelLauncher launcher = new KernelLauncher(context, stream, owned);
        return new Peaks(
            multiplyAdds(context, launcher, stream, owned), copied(context, stream, owned));
      } finally {
        // Nothing may be freed under a kernel that runs.
        JCudaDriver.cuStreamSynchronize(stream);
      }
    }
  }

  /** Every multiprocessor with as many threads as it holds. */
  private static double multiplyAdds(
      CudaContext context, KernelLauncher launcher, CUstream stream, Resources owned) {
    int blocks =
        context.attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)
            * context.attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR)
            / KernelLauncher.THREADS;
    long threads = (long) blocks * KernelLauncher.THREADS;
    DevicePointer sums = allocate(threads * Float.BYTES, owned);
    return Peaks.rate(
        times -> {
          for (long launch = 0; launch < times; launch++) {
            launcher
                .add(STEPS)
                .add(FACTOR)
                .add(TERM)
                .add(sums.address())
                .launch(Kernels.MULTIPLY_ADDS, blocks);
          }
          await(stream);
          return times * STEPS * CHAINS * threads;
        });
  }

  /** Between two blocks, each several times as large as the GPU's cache. */
  private static double copied(CudaContext context, CUstream stream, Resources owned) {
    long wanted =
        Math.max(MIN_COPIED_BYTES, 4L * context.attribute(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE));
    long bytes = Math.max(1, Math.min(wanted, context.freeBytes() / 4));
    DevicePointer from = allocate(bytes, owned);
    DevicePointer to = allocate(bytes, owned);
    CudaFailure.check(
        JCudaDriver.cuMemsetD8Async(from, (byte) 1, bytes, stream), "filling the GPU's memory");
    return Peaks.rate(
        times -> {
          for (long copy = 0; copy < times; copy++) {
            CudaFailure.check(
                JCudaDriver.cuMemcpyDtoDAsync(to, from, bytes, stream),
                "copying within the GPU's memory");
          }
          await(stream);
          return 2 * times * bytes;
        });
  }

  private static DevicePointer allocate(long bytes, Resources owned) {
    DevicePointer pointer = new DevicePointer();
    CudaFailure.check(
        JCudaDriver.cuMemAlloc(pointer, bytes), "taking " + bytes + " bytes of the GPU's memory");
    owned.add(() -> JCudaDriver.cuMemFree(pointer));
    return pointer;
  }

  private static void await(CUstream stream) {
    CudaFailure.check(JCudaDriver.cuStreamSynchronize(stream), "waiting for the GPU");
  }
}
