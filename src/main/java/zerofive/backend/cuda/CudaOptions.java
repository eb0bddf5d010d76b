package zerofive.backend.cuda;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import zerofive.files.EnumNames;

/**
 * What may be chosen of the CUDA backend: by a user all but how an epoch reaches the GPU, by tests
 * and gpu-check that too, which changes no bit of a result.
 *
 * @param gpu number of the GPU, as the driver counts them
 * @param cublas a folder to take cuBLAS from and no other, or {@link CublasLibrary#NONE}; empty to
 *     look for one
 * @param precision of matrix products
 * @param engine what computes
 * @param session how an epoch reaches the GPU
 */
public record CudaOptions(
    int gpu, Optional<String> cublas, Precision precision, Engine engine, SessionKind session) {
  private static final String SESSION = "zerofive.cuda.session";

  /** The first GPU, cuBLAS where there is one, else the exact engine, float32, graphs. */
  public static final CudaOptions DEFAULTS =
      new CudaOptions(0, Optional.empty(), Precision.FP32, SessionKind.GRAPH);

  /** Options that leave the engine to what is found. */
  public CudaOptions(int gpu, Optional<String> cublas, Precision precision, SessionKind session) {
    this(gpu, cublas, precision, Engine.AUTOMATIC, session);
  }

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

  /** What computes. */
  public enum Engine {
    /** Matrix products where there is cuBLAS, else the exact engine. */
    AUTOMATIC,
    /** The exact engine: every sum is that of docs/determinism.md. */
    EXACT,
    /** Matrix products, our own without cuBLAS: the form that tests compare others with. */
    PRODUCTS
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
   * As asked for on the command line: {@code cublas}, {@code precision} and {@code exact}, all of
   * them optional.
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
        Boolean.parseBoolean(settings.get("exact")) ? Engine.EXACT : Engine.AUTOMATIC,
        DEFAULTS.session);
  }

  /**
   * The same with the session that the system property {@code zerofive.cuda.session} names, where
   * it is set.
   *
   * @throws IllegalArgumentException where its value is none
   */
  public CudaOptions withProperties() {
    String text = System.getProperty(SESSION);
    if (text == null) {
      return this;
    }
    try {
      return new CudaOptions(gpu, cublas, precision, engine, SessionKind.parse(text));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "the system property " + SESSION + ": " + e.getMessage(), e);
    }
  }

  /** Absolute, so that a run that is resumed elsewhere finds it. */
  private static String folder(String text) {
    return text.equals(CublasLibrary.NONE) ? text : Path.of(text).toAbsolutePath().toString();
  }
}
