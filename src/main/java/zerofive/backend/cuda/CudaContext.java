package zerofive.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUfunction;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;

/**
 * A GPU's primary context with our kernels in it. It is made once by a backend and shared by its
 * sessions, which own their streams and memory themselves.
 */
final class CudaContext implements AutoCloseable {
  private static final int JIT_LOG_BYTES = 4096;

  private final CudaGpu gpu;
  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();
  private final Resources owned = new Resources();
  private final Map<String, CUfunction> kernels = new HashMap<>();
  private final double loadSeconds;

  /**
   * Retains the GPU's primary context, which costs the driver a tenth of a second and more, and
   * loads every kernel.
   *
   * @param gpu which
   * @param number of it, as the driver counts
   * @throws DeviceException where the GPU or the driver refuses
   */
  CudaContext(CudaGpu gpu, int number) {
    this.gpu = gpu;
    CudaFailure.check(JCudaDriver.cuDeviceGet(device, number), "opening GPU " + number);
    CudaFailure.check(
        JCudaDriver.cuDevicePrimaryCtxRetain(context, device), "opening GPU " + number);
    try {
      makeCurrent();
      long start = System.nanoTime();
      load();
      loadSeconds = (System.nanoTime() - start) / 1e9;
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** One module: the driver starts its compiler once. */
  private void load() {
    CUmodule module = new CUmodule();
    JITOptions options = new JITOptions();
    options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, JIT_LOG_BYTES);
    options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[JIT_LOG_BYTES]);
    int result = JCudaDriver.cuModuleLoadDataJIT(module, Pointer.to(image()), options);
    if (result != CUresult.CUDA_SUCCESS) {
      String log = options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER);
      throw CudaFailure.of(
          result,
          "loading the kernels"
              + (log.isBlank() ? "" : " (" + log.strip().replaceAll("\\s+", " ") + ")"));
    }
    owned.add(() -> JCudaDriver.cuModuleUnload(module));
    for (String name : Kernels.NAMES) {
      CUfunction function = new CUfunction();
      CudaFailure.check(
          JCudaDriver.cuModuleGetFunction(function, module, name), "finding kernel " + name);
      kernels.put(name, function);
    }
  }

  /**
   * The PTX with the NUL that ends it, outside Java's heap: JCuda holds an array as a JNI critical
   * section while the driver compiles, which stops the garbage collector, and calls Java in it.
   */
  private static ByteBuffer image() {
    byte[] text = Kernels.ptx().getBytes(StandardCharsets.US_ASCII);
    return ByteBuffer.allocateDirect(text.length + 1).put(text);
  }

  CudaGpu gpu() {
    return gpu;
  }

  /** What the driver says of the GPU, by the numbers of CUdevice_attribute. */
  int attribute(int attribute) {
    return CudaGpu.attribute(device, attribute);
  }

  /** How many multiprocessors the GPU has. */
  int multiprocessors() {
    return attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  }

  /** Makes the context the calling thread's. */
  void makeCurrent() {
    CudaFailure.check(JCudaDriver.cuCtxSetCurrent(context), "using the GPU's context");
  }

  /** The same where there is nobody to tell that it failed. */
  void makeCurrentIfPossible() {
    JCudaDriver.cuCtxSetCurrent(context);
  }

  /** The kernel of that name. */
  CUfunction kernel(String name) {
    return kernels.get(name);
  }

  /**
   * What the driver took to load the kernels: some milliseconds from its cache, more where it
   * compiled them.
   */
  double loadSeconds() {
    return loadSeconds;
  }

  /** Bytes of the GPU's memory that are free. */
  long freeBytes() {
    long[] free = new long[1];
    long[] total = new long[1];
    CudaFailure.check(JCudaDriver.cuMemGetInfo(free, total), "asking for the GPU's free memory");
    return free[0];
  }

  /** Also where the GPU is lost: then there is nothing left to free. */
  @Override
  public void close() {
    JCudaDriver.cuCtxSetCurrent(context);
    owned.close();
    JCudaDriver.cuDevicePrimaryCtxRelease(device);
  }
}
