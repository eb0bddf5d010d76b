package zerofive.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The generator's numbers are pinned: saved seeds must mean the same on every Java, for ever. */
class SplitMix64Test {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  /** Computed apart, in Python's integers of any length. */
  @Test
  void theFirstLongsArePinned() {
    assertArrayEquals(
        new long[] {
          0xda9e4b397e1a2212L, 0xdb99b5fe5d9cfdccL, 0x7368c7de63a8c1ddL, 0x9e21b67cb998cdecL
        },
        longs(new SplitMix64(42, 1), 4));
    assertArrayEquals(
        new long[] {0x346dbc0b5711d830L, 0x6b182a52253dda4aL, 0x6e2758640b1bd75bL},
        longs(new SplitMix64(0, 0), 3));
    assertArrayEquals(
        new long[] {0x82c7bdf9ff532792L, 0x6bdecb942d42b22bL, 0x350f295738f6e99bL},
        longs(new SplitMix64(-1, 7), 3));
  }

  @Test
  void theFirstBoundedIntsAndDoublesArePinned() {
    SplitMix64 ints = new SplitMix64(42, 1);
    assertArrayEquals(
        new int[] {853, 857, 450, 617, 758, 435, 399, 896},
        IntStream.generate(() -> ints.nextInt(1000)).limit(8).toArray());
    SplitMix64 doubles = new SplitMix64(42, 1);
    assertArrayEquals(
        new double[] {0x1.b53c9672fc344p-1, 0x1.b7336bfcbb39fp-1, 0x1.cda31f798ea30p-2},
        DoubleStream.generate(doubles::nextDouble).limit(3).toArray());
  }

  /** Java's own generator of the same paper, started at the same state, is the oracle. */
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "42, 0",
    "42, 1",
    "-1, 40",
    "9223372036854775807, 3",
    "-9223372036854775808, -1"
  })
  void theSequenceIsThatOfJavasSplittableRandom(long seed, long stream) {
    long state = mix(seed + GOLDEN_GAMMA) ^ mix(stream * GOLDEN_GAMMA + 1);
    SplittableRandom oracle = new SplittableRandom(state);
    assertArrayEquals(oracle.longs(1000).toArray(), longs(new SplitMix64(seed, stream), 1000));
  }

  @Test
  void aNumberLookedUpIsTheOneThatComes() {
    SplitMix64 random = new SplitMix64(42, 1);
    random.nextLong();
    long[] looked = LongStream.range(0, 5).map(random::at).toArray();
    assertArrayEquals(looked, longs(random, 5));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 257, 65_537, 11_344, 1 << 30, Integer.MAX_VALUE})
  void boundedIntsStayWithinTheirBound(int bound) {
    SplitMix64 random = new SplitMix64(5, bound);
    for (int i = 0; i < 20_000; i++) {
      int value = random.nextInt(bound);
      assertTrue(value >= 0 && value < bound, value + " for bound " + bound);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 31})
  void everySmallValueIsDrawn(int bound) {
    SplitMix64 random = new SplitMix64(1, 1);
    long drawn = IntStream.range(0, 100 * bound).map(i -> random.nextInt(bound)).distinct().count();
    assertEquals(bound, drawn);
  }

  /** The mean of n uniform numbers is within 5 standard errors, sqrt(1 / 12 n), of a half. */
  @Test
  void doublesLieInTheUnitIntervalAroundAHalf() {
    SplitMix64 random = new SplitMix64(42, 3);
    int n = 100_000;
    double sum = 0;
    for (int i = 0; i < n; i++) {
      double value = random.nextDouble();
      assertTrue(value >= 0 && value < 1, "value " + value);
      sum += value;
    }
    assertEquals(0.5, sum / n, 5 * Math.sqrt(1 / (12.0 * n)));
  }

  @Test
  void everySeedAndStreamHasNumbersOfItsOwn() {
    long first = new SplitMix64(42, 1).nextLong();
    assertNotEquals(first, new SplitMix64(42, 2).nextLong());
    assertNotEquals(first, new SplitMix64(43, 1).nextLong());
    assertNotEquals(first, new SplitMix64(1, 42).nextLong(), "seed and stream are not symmetric");
  }

  private static long mix(long value) {
    return new SplittableRandom(value - GOLDEN_GAMMA).nextLong();
  }

  private static long[] longs(SplitMix64 random, int count) {
    return LongStream.generate(random::nextLong).limit(count).toArray();
  }
}
