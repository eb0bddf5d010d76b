package zerofive.backend.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import zerofive.backend.DeviceException;

/**
 * A GPU, as the driver describes it without opening it.
 *
 * @param name of the product
 * @param capability ten times the compute capability: 75, 90
 * @param memoryBytes in all
 * @param driverCuda the newest CUDA the driver knows: 12060 is 12.6
 */
record CudaGpu(String name, int capability, long memoryBytes, int driverCuda) {
  private static final int NAME_BYTES = 256;

  /**
   * Asks the driver, which has to be loaded.
   *
   * @param number of the GPU, from 0
   * @throws DeviceException where there is no such GPU, or GPU or driver are too old
   */
  static CudaGpu find(int number) {
    CudaFailure.check(JCudaDriver.cuInit(0), "starting the CUDA driver");
    int driver = driverVersion();
    if (driver < Kernels.OLDEST_DRIVER) {
      throw new DeviceException(
          "the NVIDIA driver knows CUDA " + version(driver) + " at most, and our kernels need 12.0",
          "install driver 525 or newer",
          null);
    }
    int count = count();
    if (count == 0) {
      throw CudaFailure.of(CUresult.CUDA_ERROR_NO_DEVICE, "counting the GPUs");
    }
    if (number >= count) {
      throw new DeviceException(
          "there is no GPU " + number + ", for the driver counts " + count + ", from 0",
          "nvidia-smi -L lists them; see CUDA_VISIBLE_DEVICES too",
          null);
    }
    CudaGpu gpu = describe(number, driver);
    if (gpu.capability < Kernels.OLDEST_CAPABILITY) {
      throw new DeviceException(
          gpu.name
              + " has compute capability "
              + gpu.capabilityText()
              + ", and our kernels need 7.5",
          "use a GPU of the Turing generation or newer, or --device cpu",
          null);
    }
    return gpu;
  }

  /** How many there are, after the driver's start. */
  static int count() {
    int[] count = new int[1];
    CudaFailure.check(JCudaDriver.cuDeviceGetCount(count), "counting the GPUs");
    return count[0];
  }

  private static int driverVersion() {
    int[] version = new int[1];
    CudaFailure.check(JCudaDriver.cuDriverGetVersion(version), "asking the driver for its version");
    return version[0];
  }

  private static CudaGpu describe(int number, int driver) {
    CUdevice device = new CUdevice();
    CudaFailure.check(JCudaDriver.cuDeviceGet(device, number), "finding GPU " + number);
    byte[] name = new byte[NAME_BYTES];
    CudaFailure.check(
        JCudaDriver.cuDeviceGetName(name, name.length, device), "asking for the GPU's name");
    int end = 0;
    while (end < name.length && name[end] != 0) {
      end++;
    }
    long[] bytes = new long[1];
    CudaFailure.check(JCudaDriver.cuDeviceTotalMem(bytes, device), "asking for the GPU's memory");
    int capability =
        10 * attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
            + attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    return new CudaGpu(
        new String(name, 0, end, StandardCharsets.UTF_8), capability, bytes[0], driver);
  }

  /** What the driver says of a GPU, by the numbers of CUdevice_attribute. */
  static int attribute(CUdevice device, int attribute) {
    int[] value = new int[1];
    CudaFailure.check(
        JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "asking for an attribute");
    return value[0];
  }

  /** As NVIDIA writes it: 9.0. */
  String capabilityText() {
    return capability / 10 + "." + capability % 10;
  }

  /** As NVIDIA writes it: 12.6. */
  String driverText() {
    return version(driverCuda);
  }

  private static String version(int number) {
    return number / 1000 + "." + number % 1000 / 10;
  }

  /** In GiB, with one decimal. */
  String memoryText() {
    return String.format(Locale.ROOT, "%.1f GiB", memoryBytes / (double) (1 << 30));
  }
}
