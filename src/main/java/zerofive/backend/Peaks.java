package zerofive.backend;

import java.util.function.LongUnaryOperator;

/**
 * What a device can do at most, measured. Noise only takes away from a measurement, so the largest
 * of several is the nearest to the truth.
 *
 * @param multiplyAddsPerSecond float32 multiply-adds, each of them two floating-point operations
 * @param copyBytesPerSecond bytes read and bytes written, together, in a copy within its memory
 */
public record Peaks(double multiplyAddsPerSecond, double copyBytesPerSecond) {
  /** A run this long is timed well, and another program seldom takes part of it. */
  private static final long LONG_ENOUGH_NANOS = 10_000_000;

  private static final int RUNS = 3;

  /** Of both figures the larger. */
  public Peaks max(Peaks other) {
    return new Peaks(
        Math.max(multiplyAddsPerSecond, other.multiplyAddsPerSecond),
        Math.max(copyBytesPerSecond, other.copyBytesPerSecond));
  }

  /**
   * Units a second in the best of a few runs that are long enough to be timed.
   *
   * @param work repeats something so many times, and returns how many units that was
   */
  public static double rate(LongUnaryOperator work) {
    double best = 0;
    long times = 1;
    for (int runs = 0; runs < RUNS; ) {
      long start = System.nanoTime();
      long units = work.applyAsLong(times);
      long nanos = System.nanoTime() - start;
      if (nanos < LONG_ENOUGH_NANOS) {
        times *= 2;
      } else {
        best = Math.max(best, units * 1e9 / nanos);
        runs++;
      }
    }
    return best;
  }
}
