package zerofive.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import zerofive.backend.Optimizer;
import zerofive.files.Sha256;
import zerofive.model.Activation;
import zerofive.model.Loss;

/** Our kernels as PTX: one module, compiled from kernels/all.cu, committed, packed into the jar. */
final class Kernels {
  static final String ACTIVATION_GRADIENT = "activation_gradient";
  static final String BIAS_ACTIVATION = "bias_activation";
  static final String BIAS_GRADIENT = "bias_gradient";
  static final String EVALUATE = "evaluate";
  static final String EXACT_EVALUATE = "exact_evaluate";
  static final String EXACT_FORWARD_BACKWARD = "exact_forward_backward";
  static final String EXACT_LAST_LAYER = "exact_last_layer";
  static final String EXACT_LINEAR_FORWARD_BACKWARD = "exact_linear_forward_backward";
  static final String EXACT_LINEAR_SWEEP = "exact_linear_sweep";
  static final String EXACT_LINEAR_SWEEP_MEASURE = "exact_linear_sweep_measure";
  static final String EXACT_LINEAR_UPDATE = "exact_linear_update";
  static final String EXACT_LOSS_SUMS = "exact_loss_sums";
  static final String EXACT_ROW_LOSSES = "exact_row_losses";
  static final String EXACT_SWEEP = "exact_sweep";
  static final String EXACT_SWEEP_MEASURE = "exact_sweep_measure";
  static final String EXACT_UPDATE = "exact_update";
  static final String FOLD = "fold";
  static final String GATHER = "gather";
  static final String GATHER_SHIFTED = "gather_shifted";
  static final String GEMM_32 = "gemm_32";
  static final String GEMM_64 = "gemm_64";
  static final String LOSS = "loss";
  static final String MULTIPLY_ADDS = "multiply_adds";
  static final String UNFOLD = "unfold";
  static final String UPDATE_ADAM = "update_adam";
  static final String UPDATE_SGD = "update_sgd";

  /** All of them. */
  static final List<String> NAMES =
      List.of(
          ACTIVATION_GRADIENT,
          BIAS_ACTIVATION,
          BIAS_GRADIENT,
          EVALUATE,
          EXACT_EVALUATE,
          EXACT_FORWARD_BACKWARD,
          EXACT_LAST_LAYER,
          EXACT_LINEAR_FORWARD_BACKWARD,
          EXACT_LINEAR_SWEEP,
          EXACT_LINEAR_SWEEP_MEASURE,
          EXACT_LINEAR_UPDATE,
          EXACT_LOSS_SUMS,
          EXACT_ROW_LOSSES,
          EXACT_SWEEP,
          EXACT_SWEEP_MEASURE,
          EXACT_UPDATE,
          FOLD,
          GATHER,
          GATHER_SHIFTED,
          GEMM_32,
          GEMM_64,
          LOSS,
          MULTIPLY_ADDS,
          UNFOLD,
          UPDATE_ADAM,
          UPDATE_SGD);

  /** The oldest driver whose compiler reads ISA 8.0, by the CUDA version it reports. */
  static final int OLDEST_DRIVER = 12000;

  /** The oldest architecture the PTX is made for, ten times the compute capability. */
  static final int OLDEST_CAPABILITY = 75;

  private Kernels() {}

  /** As kernels/element_math.h has it. */
  static int code(Activation activation) {
    return switch (activation) {
      case IDENTITY -> 0;
      case RELU -> 1;
    };
  }

  /** As kernels/element_math.h has it. */
  static int code(Loss loss) {
    return switch (loss) {
      case MNIST -> 0;
      case BCE -> 1;
      case CROSS_ENTROPY -> 2;
    };
  }

  /** As kernels/exact.cuh has it. */
  static int code(Optimizer.Kind kind) {
    return switch (kind) {
      case SGD -> 0;
      case ADAM -> 1;
      case ADAMW -> 2;
    };
  }

  /** The module's text. */
  static String ptx() {
    try (InputStream in = Kernels.class.getResourceAsStream("/zerofive/kernels/all.ptx")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The text's SHA-256: what the receipt calls the kernels. */
  static String sha256() {
    return Sha256.of(ptx().getBytes(StandardCharsets.US_ASCII));
  }
}
