package zerofive.backend.cpu;

import java.util.Arrays;
import zerofive.backend.Peaks;

/** What so many threads can do at most, measured by native/peak.cpp. */
final class CpuPeaks {
  private static final long MIN_COPIED_BYTES = 64L << 20;
  private static final long MAX_COPIED_BYTES = 256L << 20;

  /** Floats that a thread's chains leave. */
  private static final int LANES = 16;

  /** The chains x = x / 2 + 1 come near 2 and stay there. */
  private static final float FACTOR = 0.5f;

  private static final float TERM = 1;

  private CpuPeaks() {}

  /** One measurement, of some tenths of a second. */
  static Peaks measure(int threads) {
    try (Team team = new Team(threads);
        Memory memory = new Memory()) {
      long sums = memory.allocate((long) threads * LANES * Float.BYTES);
      return new Peaks(
          Peaks.rate(steps -> Native.multiplyAdds(team.address(), steps, FACTOR, TERM, sums)),
          copied(team, memory));
    }
  }

  /**
   * Between two blocks that together are larger than the last cache, but take no more than a part
   * of the memory that this process may have, of which the Java heap is a known share.
   */
  private static double copied(Team team, Memory memory) {
    long wanted = Math.min(MAX_COPIED_BYTES, Math.max(MIN_COPIED_BYTES, Native.lastCache()));
    int bytes = (int) Math.min(wanted, Runtime.getRuntime().maxMemory() / 4);
    long from = memory.allocate(bytes);
    long to = memory.allocate(bytes);
    // Pages that were never written are all one and the same.
    touch(from, bytes);
    touch(to, bytes);
    return Peaks.rate(times -> Native.copyMemory(team.address(), times, from, to, bytes));
  }

  private static void touch(long block, int bytes) {
    byte[] ones = new byte[1 << 16];
    Arrays.fill(ones, (byte) 1);
    for (int at = 0; at < bytes; at += ones.length) {
      Native.copyIn(block + at, ones, 0, Math.min(ones.length, bytes - at));
    }
  }
}
