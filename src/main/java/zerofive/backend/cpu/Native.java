package zerofive.backend.cpu;

import org.bytedeco.javacpp.annotation.Cast;
import org.bytedeco.javacpp.annotation.CriticalRegion;
import org.bytedeco.javacpp.annotation.Name;
import org.bytedeco.javacpp.annotation.Namespace;
import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;

/**
 * The functions of native/native.h, which documents their arguments; a long is an address. JavaCPP
 * makes the C++ side of this class when the program is built. Only numbers and arrays cross it, so
 * nothing of JavaCPP is needed when the program runs: its own start would cost 40 ms. {@link
 * NativeLibrary} loads it.
 */
@Platform(include = "native.h")
@Namespace("zerofive")
@NoException
final class Native {
  private Native() {}

  /** How element_math.h and native.h number an activation, a loss or an optimiser: in our order. */
  @SuppressWarnings("EnumOrdinal")
  static int number(Enum<?> choice) {
    return choice.ordinal();
  }

  @Name("choose_kernels")
  static native int chooseKernels(int maxSet);

  static native @Cast("int64_t") long allocate(@Cast("int64_t") long size);

  static native void release(@Cast("void*") long memory);

  static native void clear(@Cast("void*") long memory, @Cast("int64_t") long size);

  @Name("copy_in")
  @CriticalRegion
  static native void copyIn(@Cast("void*") long to, byte[] from, int offset, long size);

  @Name("copy_in")
  @CriticalRegion
  static native void copyIn(@Cast("void*") long to, int[] from, int offset, long size);

  @Name("copy_in")
  @CriticalRegion
  static native void copyIn(@Cast("void*") long to, float[] from, int offset, long size);

  @Name("copy_out")
  @CriticalRegion
  static native void copyOut(@Cast("void*") long from, float[] to, long size);

  @Name("copy_out")
  @CriticalRegion
  static native void copyOut(@Cast("void*") long from, double[] to, long size);

  @Name("create_team")
  static native @Cast("int64_t") long createTeam(int threads);

  static native void serve(@Cast("zerofive::Team*") long team, int member);

  @Name("wait_ready")
  static native void waitReady(@Cast("zerofive::Team*") long team);

  static native void stop(@Cast("zerofive::Team*") long team);

  @Name("kernels->gather")
  static native void gather(
      @Cast("zerofive::Team*") long team,
      @Cast("uint8_t*") long pixels,
      @Cast("int32_t*") long labels,
      @Cast("int32_t*") long order,
      int first,
      int rows,
      int width,
      @Cast("float*") long x,
      @Cast("int32_t*") long targets);

  @Name("kernels->gather_shifted")
  static native void gatherShifted(
      @Cast("zerofive::Team*") long team,
      @Cast("uint8_t*") long pixels,
      @Cast("int32_t*") long labels,
      @Cast("int32_t*") long order,
      @Cast("int32_t*") long shifts,
      int first,
      int rows,
      int height,
      int width,
      @Cast("float*") long x,
      @Cast("int32_t*") long targets);

  @Name("kernels->gemm")
  static native void gemm(
      @Cast("zerofive::Team*") long team,
      int m,
      int n,
      int k,
      @Cast("float*") long a,
      long aRow,
      long aColumn,
      @Cast("float*") long b,
      long bRow,
      long bColumn,
      @Cast("float*") long c,
      @Cast("float*") long scratch);

  @Name("kernels->bias_activation")
  static native void biasActivation(
      @Cast("zerofive::Team*") long team,
      int activation,
      int rows,
      int width,
      @Cast("float*") long bias,
      @Cast("float*") long z);

  @Name("kernels->loss")
  static native void loss(
      @Cast("zerofive::Team*") long team,
      int loss,
      int rows,
      int outputs,
      @Cast("float*") long logits,
      @Cast("int32_t*") long targets,
      @Cast("float*") long dLogits,
      @Cast("double*") long lossSum);

  @Name("kernels->evaluate")
  static native void evaluate(
      @Cast("zerofive::Team*") long team,
      int loss,
      int rows,
      int outputs,
      @Cast("float*") long logits,
      @Cast("int32_t*") long targets,
      @Cast("double*") long metrics);

  @Name("kernels->activation_gradient")
  static native void activationGradient(
      @Cast("zerofive::Team*") long team,
      int activation,
      long elements,
      @Cast("float*") long values,
      @Cast("float*") long delta);

  @Name("kernels->bias_gradient")
  static native void biasGradient(
      @Cast("zerofive::Team*") long team,
      int rows,
      int width,
      @Cast("float*") long delta,
      @Cast("float*") long gradient);

  @Name("kernels->unfold")
  static native void unfold(
      @Cast("zerofive::Team*") long team,
      int rows,
      int height,
      int width,
      int channels,
      int kernel,
      int stride,
      int border,
      @Cast("float*") long images,
      @Cast("float*") long patches);

  @Name("kernels->fold")
  static native void fold(
      @Cast("zerofive::Team*") long team,
      int rows,
      int height,
      int width,
      int channels,
      int kernel,
      int stride,
      int border,
      @Cast("float*") long patches,
      @Cast("float*") long images);

  @Name("kernels->update")
  static native void update(
      @Cast("zerofive::Team*") long team,
      int kind,
      float momentum,
      float decay,
      long n,
      @Cast("float*") long w,
      @Cast("float*") long g,
      @Cast("float*") long moments,
      @Cast("float*") long stepParameters,
      int step);

  @Name("kernels->create_session")
  @CriticalRegion
  static native @Cast("int64_t") long createSession(
      @Cast("zerofive::Team*") long team,
      int[] windows,
      int layers,
      int loss,
      int kind,
      float momentum,
      float decay,
      long batch);

  @Name("kernels->set_train")
  @CriticalRegion
  static native @Cast("bool") boolean setTrain(
      @Cast("zerofive::Session*") long session,
      @Cast("const uint8_t*") byte[] pixels,
      int[] targets,
      long count,
      int form);

  @Name("kernels->set_valid")
  @CriticalRegion
  static native @Cast("bool") boolean setValid(
      @Cast("zerofive::Session*") long session,
      @Cast("const uint8_t*") byte[] pixels,
      int[] targets,
      long first,
      long count);

  @Name("kernels->set_values")
  @CriticalRegion
  static native void setValues(
      @Cast("zerofive::Session*") long session, int kind, float[] values, long offset);

  @Name("kernels->get_values")
  @CriticalRegion
  static native void getValues(
      @Cast("zerofive::Session*") long session, int kind, float[] values, long offset);

  @Name("kernels->set_shifts")
  static native @Cast("bool") boolean setShifts(
      @Cast("zerofive::Session*") long session,
      @Cast("int32_t*") long shifts,
      int height,
      int width);

  @Name("kernels->train_epoch")
  static native void trainEpoch(
      @Cast("zerofive::Session*") long session,
      @Cast("int32_t*") long order,
      @Cast("float*") long stepParameters,
      @Cast("double*") long lossSums);

  @Name("kernels->evaluate_valid")
  static native void evaluateValid(
      @Cast("zerofive::Session*") long session, @Cast("double*") long metrics);

  @Name("kernels->get_logits")
  @CriticalRegion
  static native void getLogits(
      @Cast("zerofive::Session*") long session, float[] logits, long offset);

  @Name("kernels->destroy_session")
  static native void destroySession(@Cast("zerofive::Session*") long session);

  @Name("last_cache")
  static native @Cast("int64_t") long lastCache();

  @Name("kernels->multiply_adds")
  static native @Cast("int64_t") long multiplyAdds(
      @Cast("zerofive::Team*") long team, long steps, float a, float b, @Cast("float*") long sums);

  @Name("kernels->copy_memory")
  static native @Cast("int64_t") long copyMemory(
      @Cast("zerofive::Team*") long team,
      long times,
      @Cast("const void*") long from,
      @Cast("void*") long to,
      long bytes);
}
