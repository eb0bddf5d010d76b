package zerofive.backend.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import zerofive.data.Sha256;
import zerofive.model.Activation;
import zerofive.model.Loss;

/** Our kernels as PTX: compiled from kernels/*.cu, committed, packed into the jar. */
final class Kernels {
  static final String ACTIVATION_GRADIENT = "activation_gradient";
  static final String BIAS_ACTIVATION = "bias_activation";
  static final String BIAS_GRADIENT = "bias_gradient";
  static final String GATHER = "gather";
  static final String GATHER_SHIFTED = "gather_shifted";
  static final String GEMM_32 = "gemm_32";
  static final String GEMM_64 = "gemm_64";
  static final String LOSS = "loss";
  static final String MULTIPLY_ADDS = "multiply_adds";
  static final String SCORE = "score";
  static final String UPDATE_ADAM = "update_adam";
  static final String UPDATE_SGD = "update_sgd";

  /** Which file has which kernels. */
  static final Map<String, List<String>> FILES = files();

  /** The oldest driver whose compiler reads ISA 8.0, by the CUDA version it reports. */
  static final int OLDEST_DRIVER = 12000;

  /** The oldest architecture the PTX is made for, ten times the compute capability. */
  static final int OLDEST_CARD = 75;

  private Kernels() {}

  private static Map<String, List<String>> files() {
    Map<String, List<String>> files = new LinkedHashMap<>();
    files.put("gather", List.of(GATHER, GATHER_SHIFTED));
    files.put("gemm", List.of(GEMM_32, GEMM_64));
    files.put("bias_activation", List.of(BIAS_ACTIVATION));
    files.put("loss", List.of(LOSS));
    files.put("score", List.of(SCORE));
    files.put("activation_gradient", List.of(ACTIVATION_GRADIENT));
    files.put("bias_gradient", List.of(BIAS_GRADIENT));
    files.put("update", List.of(UPDATE_SGD, UPDATE_ADAM));
    files.put("peak", List.of(MULTIPLY_ADDS));
    return files;
  }

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

  /** The text of one file. */
  static String ptx(String file) {
    try (InputStream in = Kernels.class.getResourceAsStream("/zerofive/kernels/" + file + ".ptx")) {
      return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** SHA-256 of all files' text, one after the other: what the receipt calls the kernels. */
  static String sha256() {
    StringBuilder all = new StringBuilder();
    FILES.keySet().forEach(file -> all.append(ptx(file)));
    return Sha256.of(all.toString().getBytes(StandardCharsets.US_ASCII));
  }
}
