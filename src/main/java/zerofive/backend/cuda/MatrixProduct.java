package zerofive.backend.cuda;

import zerofive.backend.ops.Matrix;

/** Something that multiplies row-major matrices on a stream of the GPU. */
interface MatrixProduct {
  /** {@code c = op(a) op(b)}, as {@link zerofive.backend.ops.Ops#gemm} has it. */
  void multiply(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c);
}
