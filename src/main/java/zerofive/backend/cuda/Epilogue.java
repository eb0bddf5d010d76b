package zerofive.backend.cuda;

import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.Matrix;
import zerofive.model.Activation;

/**
 * What our kernel does beside a product c = op(a) op(b), with c [m, n].
 *
 * @param code of what it does to each element, as kernels/gemm.cu has it
 * @param activation that this is about
 * @param other address of what else it reads: the bias, or what was activated; or 0
 * @param rowSums address of F32 [m] for the sums of op(a)'s rows, or 0
 */
record Epilogue(int code, Activation activation, long other, long rowSums) {
  /** Nothing. */
  static final Epilogue NONE = new Epilogue(0, Activation.IDENTITY, 0, 0);

  /** Adds the column's bias, F32 [n], and applies the activation. */
  static Epilogue biasActivation(Activation activation, Buffer bias) {
    return new Epilogue(1, activation, CudaBuffer.address(bias), 0);
  }

  /** Multiplies with the gradient of the activation, from the activated values [m, n]. */
  static Epilogue activationGradient(Activation activation, Matrix activated) {
    return new Epilogue(2, activation, CudaBuffer.address(activated.values()), 0);
  }

  /** Also sums the rows of op(a), to F32 [m]. */
  static Epilogue rowSums(Buffer sums) {
    return new Epilogue(0, Activation.IDENTITY, 0, CudaBuffer.address(sums));
  }
}
