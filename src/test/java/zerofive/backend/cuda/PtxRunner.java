package zerofive.backend.cuda;

import static jcuda.driver.JCudaDriver.*;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUfunction;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;

/**
 * Kernels of a text of PTX on the simulated device, each with two parameters: where it reads and
 * writes.
 */
final class PtxRunner {
  private final CUmodule module = new CUmodule();

  PtxRunner(String ptx) {
    CUdevice device = new CUdevice();
    CUcontext context = new CUcontext();
    ok(cuInit(0));
    ok(cuDeviceGet(device, 0));
    ok(cuDevicePrimaryCtxRetain(context, device));
    ok(cuCtxSetCurrent(context));
    ok(cuModuleLoadData(module, ptx));
  }

  /** What the kernel leaves where it writes, which is zero before. */
  long[] run(String entry, int blocks, int threads, long[] read, int written) {
    return run(entry, blocks, threads, 0, read, written);
  }

  /**
   * As above.
   *
   * @param shared bytes of shared memory that the launch adds
   */
  long[] run(String entry, int blocks, int threads, int shared, long[] read, int written) {
    CUdeviceptr from = uploaded(read);
    CUdeviceptr to = uploaded(new long[written]);
    CUfunction function = new CUfunction();
    ok(cuModuleGetFunction(function, module, entry));
    Pointer parameters = Pointer.to(Pointer.to(from), Pointer.to(to));
    ok(cuLaunchKernel(function, blocks, 1, 1, threads, 1, 1, shared, null, parameters, null));
    LongBuffer results = longs(written);
    ok(cuMemcpyDtoH(Pointer.to(results), to, 8L * written));
    ok(cuMemFree(from));
    ok(cuMemFree(to));
    long[] values = new long[written];
    results.get(values);
    return values;
  }

  private static CUdeviceptr uploaded(long[] values) {
    CUdeviceptr memory = new CUdeviceptr();
    ok(cuMemAlloc(memory, 8L * values.length));
    ok(cuMemcpyHtoD(memory, Pointer.to(longs(values.length).put(0, values)), 8L * values.length));
    return memory;
  }

  private static LongBuffer longs(int count) {
    return ByteBuffer.allocateDirect(count * 8).order(ByteOrder.nativeOrder()).asLongBuffer();
  }

  private static void ok(int result) {
    assertEquals(CUresult.CUDA_SUCCESS, result, () -> CUresult.stringFor(result));
  }
}
