package zerofive.backend.cuda;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import zerofive.data.EnumNames;

/**
 * What a user may choose of the CUDA backend.
 *
 * @param gpu number of the GPU, as the driver counts them
 * @param cublas a folder to take cuBLAS from and no other, or {@link CublasLibrary#NONE}; empty to
 *     look for one
 * @param precision of matrix products
 * @param session how an epoch reaches the GPU
 * @param residentBytes pixels of one set that may stay on the GPU; a larger set is streamed
 */
public record CudaOptions(
    int gpu,
    Optional<String> cublas,
    Precision precision,
    SessionKind session,
    long residentBytes) {
  /** The first GPU, cuBLAS where there is one, float32, graphs, all that fits stays on the GPU. */
  public static final CudaOptions DEFAULTS =
      new CudaOptions(0, Optional.empty(), Precision.FP32, SessionKind.GRAPH, Long.MAX_VALUE);

  /** How matrix products are rounded. */
  public enum Precision {
    /** Single precision throughout. */
    FP32,
    /** cuBLAS may round the factors to TF32, with 10 bits of fraction, on tensor cores. */
    TF32;

    /** Parses a name; throws IllegalArgumentException. */
    public static Precision parse(String name) {
      return EnumNames.parse(name, "precision", values());
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** How an epoch's operations reach the GPU. */
  public enum SessionKind {
    /** Recorded once as CUDA graphs, and launched again every epoch. */
    GRAPH,
    /** Launched one by one. */
    STEPWISE;

    /** Parses a name; throws IllegalArgumentException. */
    public static SessionKind parse(String name) {
      return EnumNames.parse(name, "CUDA session", values());
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * As asked for on the command line: {@code cublas}, {@code precision}, {@code cuda-session},
   * {@code resident-mb}, all of them optional.
   *
   * @throws IllegalArgumentException where a value is none
   */
  public static CudaOptions of(int gpu, Map<String, String> settings) {
    return new CudaOptions(
        gpu,
        Optional.ofNullable(settings.get("cublas")).map(CudaOptions::folder),
        Optional.ofNullable(settings.get("precision"))
            .map(Precision::parse)
            .orElse(DEFAULTS.precision),
        Optional.ofNullable(settings.get("cuda-session"))
            .map(SessionKind::parse)
            .orElse(DEFAULTS.session),
        Optional.ofNullable(settings.get("resident-mb"))
            .map(CudaOptions::mebibytes)
            .orElse(DEFAULTS.residentBytes));
  }

  /** Absolute, so that a run that is resumed elsewhere finds it. */
  private static String folder(String text) {
    return text.equals(CublasLibrary.NONE) ? text : Path.of(text).toAbsolutePath().toString();
  }

  private static long mebibytes(String text) {
    try {
      long number = Long.parseLong(text.strip());
      if (number >= 0) {
        return Math.min(number, Long.MAX_VALUE >> 20) << 20;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + text + "' is not an integer of MiB", e);
    }
    throw new IllegalArgumentException(text + " MiB is less than nothing");
  }
}
