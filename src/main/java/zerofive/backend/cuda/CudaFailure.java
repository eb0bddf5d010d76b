package zerofive.backend.cuda;

import static jcuda.driver.CUresult.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE;
import static jcuda.driver.CUresult.CUDA_ERROR_DEVICE_UNAVAILABLE;
import static jcuda.driver.CUresult.CUDA_ERROR_ECC_UNCORRECTABLE;
import static jcuda.driver.CUresult.CUDA_ERROR_INVALID_DEVICE;
import static jcuda.driver.CUresult.CUDA_ERROR_INVALID_PTX;
import static jcuda.driver.CUresult.CUDA_ERROR_JIT_COMPILATION_DISABLED;
import static jcuda.driver.CUresult.CUDA_ERROR_JIT_COMPILER_NOT_FOUND;
import static jcuda.driver.CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU;
import static jcuda.driver.CUresult.CUDA_ERROR_NO_DEVICE;
import static jcuda.driver.CUresult.CUDA_ERROR_OPERATING_SYSTEM;
import static jcuda.driver.CUresult.CUDA_ERROR_OUT_OF_MEMORY;
import static jcuda.driver.CUresult.CUDA_ERROR_STUB_LIBRARY;
import static jcuda.driver.CUresult.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH;
import static jcuda.driver.CUresult.CUDA_ERROR_SYSTEM_NOT_READY;
import static jcuda.driver.CUresult.CUDA_ERROR_UNKNOWN;
import static jcuda.driver.CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION;

import jcuda.driver.CUresult;
import zerofive.backend.DeviceException;

/**
 * What the driver's error codes mean to a user; the codes are those of the CUDA driver API's {@code
 * CUresult}.
 */
final class CudaFailure {
  private CudaFailure() {}

  /**
   * Passes where {@code result} is CUDA_SUCCESS.
   *
   * @param doing what was tried: {@code "launching gather"}
   * @throws DeviceException with the code, its meaning and a remedy
   */
  static void check(int result, String doing) {
    if (result != CUresult.CUDA_SUCCESS) {
      throw of(result, doing);
    }
  }

  /** What to throw for a code that is not CUDA_SUCCESS. */
  static DeviceException of(int result, String doing) {
    Meaning meaning = meaning(result);
    return new DeviceException(
        doing + " failed with " + CUresult.stringFor(result) + ": " + meaning.cause,
        meaning.remedy,
        null);
  }

  /** Two halves of a sentence. */
  private record Meaning(String cause, String remedy) {}

  private static Meaning meaning(int result) {
    return switch (result) {
      case CUDA_ERROR_OUT_OF_MEMORY ->
          new Meaning(
              "the GPU's memory is full",
              "close other programs on it (nvidia-smi lists them), or choose a smaller --batch-size"
                  + " or --model");
      case CUDA_ERROR_NO_DEVICE ->
          new Meaning(
              "the driver sees no NVIDIA GPU",
              "check nvidia-smi and CUDA_VISIBLE_DEVICES, in a container start it with --gpus all,"
                  + " or train with --device cpu");
      case CUDA_ERROR_INVALID_DEVICE ->
          new Meaning("there is no such GPU", "nvidia-smi -L lists them");
      case CUDA_ERROR_STUB_LIBRARY ->
          new Meaning(
              "a toolkit's stub was loaded in place of the driver",
              "take its folder out of LD_LIBRARY_PATH");
      case CUDA_ERROR_DEVICE_UNAVAILABLE ->
          new Meaning(
              "another program has the GPU for itself",
              "wait for it, or name another with --device cuda:N");
      case CUDA_ERROR_SYSTEM_DRIVER_MISMATCH ->
          new Meaning(
              "libcuda.so.1 and the kernel's driver are of different versions",
              "restart the machine after a driver update, or the container after the host's");
      case CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE ->
          new Meaning(
              "a compatibility libcuda.so.1 was found that this GPU does not work with",
              "take its folder out of LD_LIBRARY_PATH");
      case CUDA_ERROR_SYSTEM_NOT_READY ->
          new Meaning(
              "the machine's NVIDIA services are not ready",
              "start nvidia-fabricmanager, or restart the machine");
      case CUDA_ERROR_OPERATING_SYSTEM ->
          new Meaning(
              "the operating system refused it",
              "see dmesg, and in a container start it with --gpus all");
      case CUDA_ERROR_UNSUPPORTED_PTX_VERSION ->
          new Meaning("the driver is too old for our kernels", "install driver 525 or newer");
      case CUDA_ERROR_INVALID_PTX,
          CUDA_ERROR_NO_BINARY_FOR_GPU,
          CUDA_ERROR_JIT_COMPILATION_DISABLED ->
          new Meaning(
              "the driver cannot compile our kernels for this GPU",
              "install driver 525 or newer, and unset CUDA_DISABLE_PTX_JIT");
      case CUDA_ERROR_JIT_COMPILER_NOT_FOUND ->
          new Meaning(
              "the driver does not find libnvidia-ptxjitcompiler.so.1, which compiles our kernels for"
                  + " this GPU",
              "install the driver's package that has it (on Debian libnvidia-ptxjitcompiler1), name"
                  + " its folder in LD_LIBRARY_PATH where it is there already, or train with"
                  + " --device cpu");
      case CUDA_ERROR_ECC_UNCORRECTABLE ->
          new Meaning(
              "the GPU's memory is damaged",
              "see nvidia-smi -q -d ECC, and name another GPU with --device cuda:N");
      case CUDA_ERROR_UNKNOWN ->
          new Meaning(
              "the driver does not say why, and most often its module nvidia-uvm is not loaded or did"
                  + " not survive the machine's sleep",
              "see dmesg, load it anew (sudo modprobe -r nvidia-uvm, then sudo modprobe nvidia-uvm) or"
                  + " restart the machine, or train with --device cpu");
      default ->
          new Meaning(
              "the GPU or its driver stopped",
              "see dmesg for NVIDIA's Xid messages, resume with --resume, and if it comes back train"
                  + " with --device cpu and report it");
    };
  }
}
