package zerofive.data;

/**
 * The pseudo-random generator of Steele, Lea and Flood ("Fast Splittable Pseudorandom Number
 * Generators", OOPSLA 2014), written out so that the same seed gives the same numbers on every
 * Java.
 */
public final class SplitMix64 {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  /** One stream for each pair of seed and stream number. */
  public SplitMix64(long seed, long stream) {
    state = mix(seed + GOLDEN_GAMMA) ^ mix(stream * GOLDEN_GAMMA + 1);
  }

  /** The next 64 bits. */
  public long nextLong() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /** What the {@code index}-th call from here on, counted from 0, would return; takes none. */
  public long at(long index) {
    return mix(state + (index + 1) * GOLDEN_GAMMA);
  }

  /** Uniform in [0, 1), on the grid of 2^-53. */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1.0p-53;
  }

  /** Uniform in [0, bound): the high half of a 64 x 32-bit product, its bias below 2^-32. */
  public int nextInt(int bound) {
    return (int) (((nextLong() >>> 32) * bound) >>> 32);
  }

  private static long mix(long z) {
    long a = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    long b = (a ^ (a >>> 27)) * 0x94D049BB133111EBL;
    return b ^ (b >>> 31);
  }
}
