package zerofive.backend.cuda;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/**
 * A CUDA device that is simulated on the CPU, by {@code src/test/cuda-sim}: JCuda's own classes and
 * natives run the PTX that ships on it. In this process there is one, which every test {@link
 * #reset}s; child processes have their own, by {@link #variables}.
 */
public final class SimulatedDevice {
  /** What the driver opens by name to compile PTX. */
  static final String COMPILER = "libnvidia-ptxjitcompiler.so.1";

  private static boolean loaded;

  private SimulatedDevice() {}

  /** Why there is none here, in one sentence; empty where there is one. */
  public static String missing() {
    return SimulatorBuild.missing();
  }

  /** The folder with the driver's two libraries, libcublas.so.12 and .13, and their cublasLt. */
  public static Path folder() {
    return SimulatorBuild.libraries();
  }

  /**
   * The driver, for the classes that load one. It lies outside the loader's path: that of a process
   * is fixed when the process begins.
   */
  public static DriverLibrary driver() {
    return new DriverLibrary(
        folder().resolve("libcuda.so.1"), Optional.of(folder().resolve(COMPILER)));
  }

  /**
   * A cuBLAS on it.
   *
   * @param major 12 or 13
   */
  public static CublasLibrary cublas(int major) {
    return new CublasLibrary(
        folder().resolve("libcublas.so." + major),
        folder().resolve("libcublasLt.so." + major),
        major,
        "simulated");
  }

  /**
   * What makes a child process find the simulated driver.
   *
   * @param settings as {@link #configure} takes them
   */
  public static Map<String, String> variables(String settings) {
    return Map.of("LD_LIBRARY_PATH", folder().toString(), "ZEROFIVE_SIM", settings);
  }

  /**
   * Loads it into this process with JCudaDriver, once, and resets it. Skips the test, by a
   * sentence, where it cannot be had.
   */
  public static synchronized void start() {
    Assumptions.assumeTrue(missing().isEmpty(), "skipped: " + missing());
    load();
    reset();
  }

  /** Loads it into this process with JCudaDriver, once. */
  static synchronized void load() {
    if (!loaded) {
      driver().load();
      loaded = true;
    }
  }

  /** Everything as at the beginning: nothing lives, no settings, no counts, no violations. */
  public static native void reset();

  /**
   * Changes settings, such as {@code
   * memory=64M,driver=12040,devices=2,cc=8.6,schedule=random:7,order=descending,fail=cuLaunchKernel:100:719}.
   *
   * <ul>
   *   <li>devices: none of them makes the start fail; hidden=1 lets it start and count none
   *   <li>schedule: eager; lazy, nothing runs before something waits for it; random:SEED, any order
   *       that streams, events and graphs allow
   *   <li>order of a grid's blocks and a block's warps: ascending, descending, random
   *   <li>multiprocessors: so many blocks take turns
   *   <li>fail: see {@link #fail}
   * </ul>
   */
  public static native void configure(String settings);

  /**
   * Makes a call of the driver or of cuBLAS fail.
   *
   * @param function as in C, without _v2: cuMemAlloc, cublasSgemm
   * @param call 1 is the next
   * @param result a CUresult or cublasStatus; 700 and 719 among others lose the context
   */
  public static native void fail(String function, int call, int result);

  /** How often a function was called, by its name in C, without _v2. */
  public static native long calls(String function);

  /** All that was made and not freed, each in words, in the order it was made. */
  public static List<String> liveObjects() {
    return List.of(liveObjectArray());
  }

  /**
   * What launches of a kernel have cost since the reset, as the simulation counts it.
   *
   * @param instructions of warps
   * @param sectors of 32 bytes that loads, stores and atomics touch in global memory
   * @param conflicts how often shared memory has to be asked once more for an access of a warp
   * @param barriers that blocks pass
   */
  record Cost(long launches, long instructions, long sectors, long conflicts, long barriers) {
    Cost minus(Cost before) {
      return new Cost(
          launches - before.launches,
          instructions - before.instructions,
          sectors - before.sectors,
          conflicts - before.conflicts,
          barriers - before.barriers);
    }
  }

  static Cost cost(String kernel) {
    long[] counted = costArray(kernel);
    return new Cost(counted[0], counted[1], counted[2], counted[3], counted[4]);
  }

  private static native long[] costArray(String kernel);

  /**
   * Every misuse since the reset, each in words: forbidden calls, and what launches did wrong, with
   * kernel, line of the PTX, block, warp and lane.
   */
  public static List<String> violations() {
    return List.of(violationArray());
  }

  private static native String[] liveObjectArray();

  private static native String[] violationArray();
}
