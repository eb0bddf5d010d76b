package zerofive.backend.cuda;

import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasPointerMode;
import jcuda.jcublas.cublasStatus;
import jcuda.runtime.cudaStream_t;
import zerofive.backend.DeviceException;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.ops.Matrix;

/**
 * Matrix products by cuBLAS. It counts in columns, so the row-major c = op(a) op(b) is asked for as
 * its transpose, op(b)^T op(a)^T. A workspace of our own lets its calls be captured and keeps their
 * bits the same from run to run.
 */
final class CublasGemm implements MatrixProduct, AutoCloseable {
  private static final int HOPPER = 90;

  private final cublasHandle handle = new cublasHandle();
  private final Pointer one = scalar(1);
  private final Pointer zero = scalar(0);

  /** cuBLAS on a stream; {@code workspace} belongs to the caller and outlives it. */
  CublasGemm(CUstream stream, CudaBuffer workspace, Precision precision) {
    check(JCublas2.cublasCreate(handle), "starting cuBLAS");
    try {
      check(JCublas2.cublasSetStream(handle, new cudaStream_t(stream)), "setting up cuBLAS");
      check(
          JCublas2.cublasSetWorkspace(handle, workspace.pointer(), workspace.bytes()),
          "setting up cuBLAS");
      check(
          JCublas2.cublasSetPointerMode(handle, cublasPointerMode.CUBLAS_POINTER_MODE_HOST),
          "setting up cuBLAS");
      check(
          JCublas2.cublasSetMathMode(
              handle,
              precision == Precision.TF32
                  ? cublasMath.CUBLAS_TF32_TENSOR_OP_MATH
                  : cublasMath.CUBLAS_DEFAULT_MATH),
          "setting up cuBLAS");
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** Outside Java's heap: JCuda holds an array as a JNI critical section, and calls Java in it. */
  private static Pointer scalar(float value) {
    return Pointer.to(
        ByteBuffer.allocateDirect(Float.BYTES).order(ByteOrder.nativeOrder()).putFloat(0, value));
  }

  /** Bytes of the workspace that the documentation of cublasSetWorkspace recommends. */
  static int workspaceBytes(CudaGpu gpu) {
    return (gpu.capability() >= HOPPER ? 32 : 4) << 20;
  }

  @Override
  public void multiply(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    int m = c.rows();
    int n = c.columns();
    int k = transposeA ? a.rows() : a.columns();
    int status =
        JCublas2.cublasSgemm(
            handle,
            transposeB ? CUBLAS_OP_T : CUBLAS_OP_N,
            transposeA ? CUBLAS_OP_T : CUBLAS_OP_N,
            n,
            m,
            k,
            one,
            new Address(CudaBuffer.address(b.values())),
            b.columns(),
            new Address(CudaBuffer.address(a.values())),
            a.columns(),
            zero,
            new Address(CudaBuffer.address(c.values())),
            n);
    if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
      check(status, "multiplying a [" + m + ", " + k + "] by a [" + k + ", " + n + "] matrix");
    }
  }

  private static void check(int status, String doing) {
    if (status != cublasStatus.CUBLAS_STATUS_SUCCESS) {
      throw new DeviceException(
          doing
              + " failed with "
              + cublasStatus.stringFor(status)
              + "; start again with --cublas none, and if it comes back report it");
    }
  }

  /** Also where the GPU is lost: then there is nothing left to free. */
  @Override
  public void close() {
    JCublas2.cublasDestroy(handle);
  }
}
