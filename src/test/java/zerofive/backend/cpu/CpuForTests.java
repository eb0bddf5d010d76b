package zerofive.backend.cpu;

import zerofive.backend.Backend;
import zerofive.backend.ops.Ops;

/** Opens the native backend's parts to the tests of other packages. */
public final class CpuForTests {
  /**
   * More than one, so that every test is one of the sharing out as well; three is nobody's core.
   */
  private static final int THREADS = 3;

  private CpuForTests() {}

  /** Whether there is a native library here. */
  public static boolean isUsable() {
    return NativeLibrary.load().usable();
  }

  /** New native operations. */
  public static Ops ops() {
    return new NativeOps(THREADS);
  }

  /** The backend as the program makes it. */
  public static Backend backend() {
    return new CpuBackend(THREADS);
  }
}
