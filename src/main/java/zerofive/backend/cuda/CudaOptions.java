package zerofive.backend.cuda;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import zerofive.data.EnumNames;

/**
 * What may be chosen of the CUDA backend: by a user the first three, by tests and gpu-check the
 * rest too, which change no bit of a result.
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
  private static final String SESSION = "zerofive.cuda.session";
  private static final String RESIDENT_MB = "zerofive.cuda.resident-mb";

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
   * As asked for on the command line: {@code cublas}, {@code precision}, both of them optional.
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
        DEFAULTS.session,
        DEFAULTS.residentBytes);
  }

  /**
   * The same with the rest as system properties have it: {@code zerofive.cuda.session}, a {@link
   * SessionKind}, and {@code zerofive.cuda.resident-mb}, in MiB.
   *
   * @throws IllegalArgumentException where a value is none
   */
  public CudaOptions withProperties() {
    return new CudaOptions(
        gpu,
        cublas,
        precision,
        property(SESSION, SessionKind::parse, session),
        property(RESIDENT_MB, CudaOptions::mebibytes, residentBytes));
  }

  private static <T> T property(String name, Function<String, T> parser, T otherwise) {
    String text = System.getProperty(name);
    try {
      return text == null ? otherwise : parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the system property " + name + ": " + e.getMessage(), e);
    }
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
