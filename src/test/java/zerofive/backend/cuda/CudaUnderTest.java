package zerofive.backend.cuda;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import zerofive.backend.cuda.CudaOptions.Engine;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.cuda.CudaOptions.SessionKind;

/**
 * The CUDA backend as the tests meet it: on the simulated device, or on a real GPU where
 * REQUIRE_GPU=1 asks for one.
 */
public final class CudaUnderTest {
  /** Whether a real GPU has to be there. */
  public static final boolean REAL = "1".equals(System.getenv("REQUIRE_GPU"));

  /** Whether it trains on all of MNIST in seconds; gpu-check's dry run says that it does not. */
  public static final boolean FAST = REAL && !Boolean.getBoolean("zerofive.simulated");

  /** The name in {@link #backends} of the exact engine, whose bits are the CPU's. */
  public static final String EXACT = "cuda-exact";

  /** The names in {@link #backends} that differ in how they compute. */
  public static final Set<String> COMPUTING = Set.of("cuda", "cuda-cublas");

  private CudaUnderTest() {}

  /** Why there is no CUDA device for the tests, in one sentence; empty where there is one. */
  public static String missing() {
    return REAL ? "" : SimulatedDevice.missing();
  }

  private static Map<String, CudaBackend> shared = Map.of();

  /**
   * The backends by the names their tests have: our own product and cuBLAS, graphs and single
   * launches, and the exact engine. They live as long as the process.
   */
  public static synchronized Map<String, CudaBackend> backends() {
    if (shared.isEmpty()) {
      shared = new LinkedHashMap<>();
      shared.put("cuda", backend(CublasLibrary.NONE, SessionKind.GRAPH));
      shared.put("cuda-cublas", backend("", SessionKind.GRAPH));
      shared.put("cuda-stepwise", backend(CublasLibrary.NONE, SessionKind.STEPWISE));
      shared.put(EXACT, exact(SessionKind.GRAPH));
    }
    return shared;
  }

  /** Changes the simulated device as {@link SimulatedDevice#configure} does; no real GPU. */
  public static void configure(String settings) {
    if (!REAL) {
      SimulatedDevice.load();
      SimulatedDevice.configure(settings);
    }
  }

  /** Makes those backends give the device up; each opens it again when it is used. */
  static synchronized void close() {
    shared.values().forEach(CudaBackend::close);
  }

  /**
   * Matrix products on the device under test.
   *
   * @param cublas {@link CublasLibrary#NONE}, or empty to take the one that is found
   */
  static CudaBackend backend(String cublas, SessionKind session) {
    Optional<String> asked = cublas.isEmpty() ? Optional.empty() : Optional.of(cublas);
    return backend(new CudaOptions(0, asked, Precision.FP32, Engine.PRODUCTS, session));
  }

  /** The exact engine on the device under test. */
  static CudaBackend exact(SessionKind session) {
    return backend(new CudaOptions(0, Optional.empty(), Precision.FP32, Engine.EXACT, session));
  }

  /** A backend on the device under test. */
  static CudaBackend backend(CudaOptions options) {
    return new CudaBackend(options, environment());
  }

  /** Where its libraries are. */
  static Environment environment() {
    Environment here = Environment.here();
    if (REAL) {
      return here;
    }
    SimulatedDevice.load();
    Map<String, String> variables = new LinkedHashMap<>(here.variables());
    variables.put("LD_LIBRARY_PATH", SimulatedDevice.folder().toString());
    return new Environment(variables, here.root(), here.system(), here.processor());
  }
}
