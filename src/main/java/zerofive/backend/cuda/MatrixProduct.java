package zerofive.backend.cuda;

/** Something that multiplies row-major matrices on a stream of the GPU. */
interface MatrixProduct {
  /**
   * {@code c = op(a) op(b)}, as {@link zerofive.backend.ops.Ops#gemm} has it; addresses on the GPU.
   */
  void multiply(
      boolean transposeA, boolean transposeB, int m, int n, int k, long a, long b, long c);
}
