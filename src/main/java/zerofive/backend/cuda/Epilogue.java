package zerofive.backend.cuda;

/** What our kernel does to each element of a product. */
enum Epilogue {
  /** Nothing. */
  NONE(0),
  /** Adds the column's bias and applies the activation. */
  BIAS_ACTIVATION(1),
  /** Multiplies with the gradient of the activation, computed from the activated values. */
  ACTIVATION_GRADIENT(2);

  private final int code;

  Epilogue(int code) {
    this.code = code;
  }

  /** As kernels/gemm.cu has it. */
  int code() {
    return code;
  }
}
