package zerofive.backend.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static zerofive.backend.Closeness.assertClose;
import static zerofive.backend.Closeness.assertSameBits;
import static zerofive.backend.Closeness.tolerance;
import static zerofive.backend.Closeness.widened;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.DoubleFormulas;
import zerofive.backend.Implementations;
import zerofive.backend.JniCheck;
import zerofive.backend.Optimizer;
import zerofive.backend.Optimizer.Kind;
import zerofive.backend.ops.GuardedOps.Region;
import zerofive.data.Augmentation;
import zerofive.model.Activation;
import zerofive.model.Loss;
import zerofive.model.Window;

/**
 * What every implementation of {@link Ops} has to do, at sizes chosen to hurt: 1, primes, one under
 * and one over a tile or a vector.
 */
@Tag("jni")
@ExtendWith(JniCheck.class)
final class OpsContractTest {
  private static final int[] SIZES = {
    1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 511, 512,
    513
  };

  private static final float[] SPECIAL = {
    0f,
    -0f,
    1f,
    -1f,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN
  };

  /** A buffer may be longer than an op needs; so many elements must stay as they were. */
  private static final int TAIL = 5;

  static Stream<Arguments> lengths() {
    return Implementations.timesComputing(IntStream.of(SIZES).mapToObj(Arguments::of));
  }

  static Stream<String> implementations() {
    return Implementations.computing().stream();
  }

  static Stream<String> computing() {
    return Implementations.computing().stream();
  }

  static Stream<Arguments> shapes() {
    return Implementations.timesComputing(allShapes());
  }

  /** Where the images are kept is not a matter of arithmetic. */
  static Stream<Arguments> gathered() {
    return Implementations.timesComputing(allShapes());
  }

  /** Rows and width: each size as one of the two, and some of the tiles' edges at once. */
  private static Stream<Arguments> allShapes() {
    Stream<Arguments> thin =
        IntStream.of(SIZES)
            .boxed()
            .flatMap(s -> Stream.of(Arguments.of(s, 3), Arguments.of(3, s), Arguments.of(s, 1)));
    Stream<Arguments> thick =
        Stream.of(Arguments.of(33, 257), Arguments.of(257, 33), Arguments.of(256, 30));
    return Stream.concat(thin, thick);
  }

  static Stream<Arguments> products() {
    List<int[]> sizes = new ArrayList<>();
    for (int size : SIZES) {
      sizes.add(new int[] {size, 7, 3});
      sizes.add(new int[] {7, size, 3});
      sizes.add(new int[] {3, 7, size});
      sizes.add(new int[] {size, size, 2});
    }
    sizes.add(new int[] {1, 1, 2053});
    sizes.add(new int[] {7, 255, 511});
    sizes.add(new int[] {8, 256, 512});
    sizes.add(new int[] {9, 257, 513});
    sizes.add(new int[] {257, 31, 513});
    sizes.add(new int[] {257, 255, 127});
    sizes.add(new int[] {256, 30, 784});
    sizes.add(new int[] {30, 784, 256});
    sizes.add(new int[] {2, 1025, 9});
    return Implementations.timesComputing(
        sizes.stream()
            .flatMap(
                s ->
                    IntStream.range(0, 4)
                        .mapToObj(
                            pair -> Arguments.of(pair % 2 > 0, pair / 2 > 0, s[0], s[1], s[2]))));
  }

  static Stream<Arguments> batches() {
    List<Arguments> batches = new ArrayList<>();
    for (int rows : SIZES) {
      batches.add(Arguments.of(Loss.MNIST, rows, 1));
      batches.add(Arguments.of(Loss.BCE, rows, 1));
      batches.add(Arguments.of(Loss.CROSS_ENTROPY, rows, 3));
    }
    for (int outputs : SIZES) {
      if (outputs > 2) {
        batches.add(Arguments.of(Loss.CROSS_ENTROPY, 7, outputs));
      }
    }
    batches.add(Arguments.of(Loss.CROSS_ENTROPY, 257, 10));
    return Implementations.timesComputing(batches.stream());
  }

  static Stream<Arguments> updates() {
    return Implementations.timesComputing(
        optimizers().stream()
            .flatMap(optimizer -> IntStream.of(SIZES).mapToObj(n -> Arguments.of(optimizer, n))));
  }

  private static List<Optimizer> optimizers() {
    return List.of(
        Optimizer.sgd(),
        new Optimizer(Kind.SGD, 0.9f, 0),
        new Optimizer(Kind.SGD, 0, 0.01f),
        new Optimizer(Kind.SGD, 0.9f, 0.01f),
        new Optimizer(Kind.ADAM, 0, 0),
        new Optimizer(Kind.ADAM, 0, 0.01f),
        new Optimizer(Kind.ADAMW, 0, 0),
        new Optimizer(Kind.ADAMW, 0, Optimizer.ADAMW_WEIGHT_DECAY));
  }

  // Memory.

  @ParameterizedTest
  @MethodSource("lengths")
  void newMemoryIsZero(String implementation, int length) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      for (ElementType type : ElementType.values()) {
        Buffer buffer = guarded.ops().allocate(type, length);
        assertEquals(type, buffer.type());
        assertEquals(length, buffer.length());
        int[] bits = guarded.bits(buffer);
        assertArrayEquals(new int[bits.length], bits, type.toString());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void memoryOfNoElementsIsAllowed(String implementation) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Buffer nothing = guarded.ops().allocate(ElementType.F32, 0);
      guarded.ops().upload(new float[0], nothing);
      guarded.ops().clear(nothing);
      guarded.ops().download(nothing, new float[0]);
      assertEquals(0, nothing.length());
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void uploadedFloatsComeBackBitForBit(String implementation, int length) {
    float[] values = floats(1, length);
    for (int i = 0; i < length; i += 3) {
      values[i] = SPECIAL[i % SPECIAL.length];
    }
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region region = guarded.output(length);
      guarded.ops().upload(values, region.buffer());
      assertSameBits("downloaded", values, region.floats());
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void uploadedIntegersComeBack(String implementation, int length) {
    int[] values = ints(2, length, GuardedOps.INT_BOUND);
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region region = guarded.output(new int[length]);
      guarded.ops().upload(values, region.buffer());
      assertArrayEquals(values, region.ints());
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void bytesAreUploadedFromTheirOffset(String implementation, int length) {
    byte[] source = bytes(3, length + 11);
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region region = guarded.output(new byte[length]);
      guarded.ops().upload(source, 7, region.buffer());
      int[] expected = new int[length];
      Arrays.setAll(expected, i -> source[7 + i] & 0xff);
      assertArrayEquals(expected, guarded.bits(region.buffer()));
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void clearZeroesItsBufferAndNothingElse(String implementation, int length) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region metrics = guarded.metrics();
      guarded
          .ops()
          .evaluate(
              Loss.BCE,
              guarded.input(new float[1]).matrix(1, 1),
              guarded.input(new int[] {1}).buffer(),
              metrics.buffer());
      List<Region> regions =
          List.of(
              guarded.output(floats(4, length)),
              guarded.output(ints(5, length, GuardedOps.INT_BOUND)),
              guarded.output(bytes(6, length)),
              metrics);
      for (Region region : regions) {
        guarded.ops().clear(region.buffer());
        int[] bits = guarded.bits(region.buffer());
        assertArrayEquals(new int[bits.length], bits);
      }
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void aSliceIsAViewAndNotACopy(String implementation) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region region = guarded.output(new float[] {0, 1, 2, 3, 4, 5, 6, 7});
      Buffer part = region.buffer().slice(2, 5);
      Buffer partOfPart = part.slice(1, 2);
      assertEquals(ElementType.F32, partOfPart.type());
      assertEquals(2, partOfPart.length());
      guarded.ops().upload(new float[] {30, 40}, partOfPart);
      assertSameBits("whole", new float[] {0, 1, 2, 30, 40, 5, 6, 7}, region.floats());
      guarded.ops().clear(part);
      assertSameBits("whole", new float[] {0, 1, 0, 0, 0, 0, 0, 7}, region.floats());
      float[] seen = new float[2];
      guarded.ops().upload(new float[] {9, 8, 7, 6, 5, 4, 3, 2}, region.buffer());
      guarded.ops().download(partOfPart, seen);
      assertSameBits("part of part", new float[] {6, 5}, seen);
      guarded.assertIntact();
    }
  }

  // A batch.

  @ParameterizedTest
  @MethodSource("gathered")
  void gatherNormalisesTheImagesOfTheOrder(String implementation, int rows, int width) {
    int images = rows + 3;
    int first = 2;
    byte[] pixels = bytes(7, images * width);
    int[] labels = ints(8, images, GuardedOps.INT_BOUND);
    int[] order = ints(9, first + rows + 4, images);
    int[] oldTargets = ints(10, rows + TAIL, GuardedOps.INT_BOUND);
    float[] expected = marked(rows * width);
    int[] expectedTargets = oldTargets.clone();
    for (int r = 0; r < rows; r++) {
      int image = order[first + r];
      expectedTargets[r] = labels[image];
      for (int p = 0; p < width; p++) {
        expected[r * width + p] = FloatFormulas.normalised(pixels[image * width + p]);
      }
    }
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region x = guarded.output(rows * width + TAIL);
      Region targets = guarded.output(oldTargets);
      guarded
          .ops()
          .gather(
              new Images(guarded.input(pixels).buffer(), guarded.input(labels).buffer(), 1, width),
              new Batch(guarded.input(order).buffer(), first, rows),
              x.matrix(rows, width),
              targets.buffer());
      assertSameBits("x", expected, x.floats());
      assertArrayEquals(expectedTargets, targets.ints());
      guarded.assertIntact();
    }
  }

  /** Rows, height, width: pictures higher than wide, wider than high, and of one line. */
  static Stream<Arguments> pictures() {
    return Implementations.times(
        Stream.of(
            Arguments.of(1, 1, 1),
            Arguments.of(29, 1, 7),
            Arguments.of(29, 7, 1),
            Arguments.of(29, 5, 3),
            Arguments.of(29, 3, 17),
            Arguments.of(257, 4, 4),
            Arguments.of(29, 16, 31),
            Arguments.of(5, 28, 28),
            Arguments.of(3, 33, 65)));
  }

  /** By a little, by a side and one more or less, and by as much as a shift can hold. */
  @ParameterizedTest
  @MethodSource("pictures")
  void gatherMovesEachImageByItsShift(String implementation, int rows, int height, int width) {
    int size = height * width;
    int images = rows + 3;
    int first = 2;
    byte[] pixels = bytes(15, images * size);
    int[] labels = ints(16, images, GuardedOps.INT_BOUND);
    int[] order = ints(17, first + rows + 4, images);
    int[] oldTargets = ints(18, rows + TAIL, GuardedOps.INT_BOUND);
    int[] acrosses = {0, 1, -1, 2, -2, width - 1, 1 - width, width, -width, 127, -128};
    int[] downs = {0, 1, -1, 2, -2, height - 1, 1 - height, height, -height, 127, -128};
    Random random = new Random(19);
    int[] shifts =
        random
            .ints(images, 0, acrosses.length * downs.length)
            .map(pick -> Augmentation.pack(acrosses[pick % 11], downs[pick / 11]))
            .toArray();
    float[] expected = marked(rows * size);
    int[] expectedTargets = oldTargets.clone();
    for (int r = 0; r < rows; r++) {
      int image = order[first + r];
      expectedTargets[r] = labels[image];
      Arrays.fill(expected, r * size, (r + 1) * size, 0f);
      for (int p = 0; p < size; p++) {
        int v = p / width + Augmentation.dy(shifts[image]);
        int u = p % width + Augmentation.dx(shifts[image]);
        if (v >= 0 && v < height && u >= 0 && u < width) {
          expected[r * size + v * width + u] = FloatFormulas.normalised(pixels[image * size + p]);
        }
      }
    }
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region x = guarded.output(rows * size + TAIL);
      Region targets = guarded.output(oldTargets);
      Buffer moves = guarded.ops().allocate(ElementType.I32, images);
      guarded.ops().upload(shifts, moves);
      guarded
          .ops()
          .gather(
              new Images(
                  guarded.input(pixels).buffer(), guarded.input(labels).buffer(), height, width),
              new Batch(guarded.input(order).buffer(), moves, first, rows),
              x.matrix(rows, size),
              targets.buffer());
      assertSameBits("x", expected, x.floats());
      assertArrayEquals(expectedTargets, targets.ints());
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void everyShadeIsTheByteOver255(String implementation) {
    byte[] shades = new byte[256];
    float[] expected = new float[256];
    for (int shade = 0; shade < 256; shade++) {
      shades[shade] = (byte) shade;
      expected[shade] = shade / 255f;
    }
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region x = guarded.output(256);
      guarded
          .ops()
          .gather(
              new Images(
                  guarded.input(shades).buffer(), guarded.input(new int[1]).buffer(), 16, 16),
              new Batch(guarded.input(new int[1]).buffer(), 0, 1),
              x.matrix(1, 256),
              guarded.output(new int[1]).buffer());
      assertSameBits("x", expected, x.floats());
    }
  }

  // Matrix products.

  @ParameterizedTest
  @MethodSource("products")
  void gemmIsTheMatrixProduct(
      String implementation, boolean transposeA, boolean transposeB, int m, int n, int k) {
    float[] a = floats(11, m * k);
    float[] b = floats(12, k * n);
    assertProduct(implementation, transposeA, transposeB, m, n, k, a, b);
  }

  @ParameterizedTest
  @MethodSource("computing")
  void notANumberAndInfinityPassThroughGemm(String implementation) {
    int m = 9;
    int n = 11;
    int k = 13;
    float[] a = floats(13, m * k);
    float[] b = floats(14, k * n);
    a[17] = Float.NaN;
    a[40] = Float.POSITIVE_INFINITY;
    a[70] = Float.NEGATIVE_INFINITY;
    a[71] = Float.POSITIVE_INFINITY;
    b[5] = 0;
    b[60] = Float.NaN;
    b[80] = Float.NEGATIVE_INFINITY;
    for (int pair = 0; pair < 4; pair++) {
      assertProduct(implementation, pair % 2 > 0, pair / 2 > 0, m, n, k, a, b);
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void gemmOfZerosOverwritesWhatWasThere(String implementation) {
    assertProduct(implementation, false, true, 9, 5, 3, new float[27], new float[15]);
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void anEarlierProductLeavesNothingInTheNext(String implementation) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region c = guarded.output(33 * 29);
      float[] bad = new float[33 * 29];
      Arrays.fill(bad, Float.NaN);
      Region nan = guarded.input(bad);
      guarded.ops().gemm(false, false, nan.matrix(29, 33), nan.matrix(33, 29), c.matrix(29, 29));
      float[] a = floats(15, 3 * 5);
      float[] b = floats(16, 5 * 2);
      Region product = guarded.output(6);
      guarded
          .ops()
          .gemm(
              false,
              false,
              guarded.input(a).matrix(3, 5),
              guarded.input(b).matrix(5, 2),
              product.matrix(3, 2));
      double[] expected = DoubleFormulas.gemm(false, false, 3, 2, 5, widened(a), widened(b));
      assertClose("c", expected, product.floats(), i -> tolerance(2, 5, 4));
      guarded.assertIntact();
    }
  }

  private static void assertProduct(
      String implementation,
      boolean transposeA,
      boolean transposeB,
      int m,
      int n,
      int k,
      float[] a,
      float[] b) {
    float[] c =
        twice(
            () -> {
              try (GuardedOps guarded = new GuardedOps(implementation)) {
                Region result = guarded.output(m * n + TAIL);
                guarded
                    .ops()
                    .gemm(
                        transposeA,
                        transposeB,
                        stored(guarded.input(a), transposeA, m, k),
                        stored(guarded.input(b), transposeB, k, n),
                        result.matrix(m, n));
                guarded.assertIntact();
                return result.floats();
              }
            });
    double[] wideA = widened(a);
    double[] wideB = widened(b);
    double[] expected = marked(DoubleFormulas.gemm(transposeA, transposeB, m, n, k, wideA, wideB));
    double[] largest =
        DoubleFormulas.gemmLargestTerms(transposeA, transposeB, m, n, k, wideA, wideB);
    assertClose("c", expected, c, i -> tolerance(2, k, largest[i]));
  }

  /** What op(matrix) [rows, columns] is stored as. */
  private static Matrix stored(Region region, boolean transposed, int rows, int columns) {
    return transposed ? region.matrix(columns, rows) : region.matrix(rows, columns);
  }

  // Activations.

  @ParameterizedTest
  @MethodSource("shapes")
  void biasActivationIsExact(String implementation, int rows, int width) {
    float[] bias = floats(17, width);
    float[] z = floats(18, rows * width + TAIL);
    for (Activation activation : Activation.values()) {
      assertBiasActivation(implementation, activation, rows, width, bias, z);
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void biasActivationKeepsNotANumberAndInfinity(String implementation) {
    int width = SPECIAL.length;
    float[] z = filled(width * width + TAIL, i -> SPECIAL[i / width % width]);
    for (Activation activation : Activation.values()) {
      assertBiasActivation(implementation, activation, width, width, SPECIAL, z);
    }
  }

  private static void assertBiasActivation(
      String implementation, Activation activation, int rows, int width, float[] bias, float[] z) {
    float[] expected = z.clone();
    for (int i = 0; i < rows * width; i++) {
      expected[i] = FloatFormulas.activated(activation, z[i], bias[i % width]);
    }
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region inOut = guarded.output(z);
      guarded
          .ops()
          .biasActivation(activation, guarded.input(bias).buffer(), inOut.matrix(rows, width));
      assertSameBits(activation + " of z", expected, inOut.floats());
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void activationGradientIsExact(String implementation, int rows, int width) {
    float[] activated = floats(19, rows * width);
    for (int i = 0; i < activated.length; i += 3) {
      activated[i] = 0;
    }
    float[] delta = floats(20, rows * width + TAIL);
    for (Activation activation : Activation.values()) {
      assertActivationGradient(implementation, activation, rows, width, activated, delta);
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void activationGradientKeepsNotANumberAndInfinity(String implementation) {
    int width = SPECIAL.length;
    float[] activated = filled(width * width, i -> SPECIAL[i / width]);
    float[] delta = filled(width * width + TAIL, i -> SPECIAL[i % width]);
    for (Activation activation : Activation.values()) {
      assertActivationGradient(implementation, activation, width, width, activated, delta);
    }
  }

  private static void assertActivationGradient(
      String implementation,
      Activation activation,
      int rows,
      int width,
      float[] activated,
      float[] delta) {
    float[] expected = delta.clone();
    for (int i = 0; i < rows * width; i++) {
      expected[i] = FloatFormulas.activationGradient(activation, activated[i], delta[i]);
    }
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region inOut = guarded.output(delta);
      guarded
          .ops()
          .activationGradient(
              activation, guarded.input(activated).matrix(rows, width), inOut.matrix(rows, width));
      assertSameBits(activation + "'s delta", expected, inOut.floats());
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void biasGradientIsTheColumnSums(String implementation, int rows, int width) {
    assertBiasGradient(implementation, rows, width, floats(21, rows * width));
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void notANumberAndInfinityStayInTheirColumn(String implementation) {
    int width = SPECIAL.length;
    float[] delta = floats(22, 3 * width);
    System.arraycopy(SPECIAL, 0, delta, width, width);
    // Beside the largest floats only zeros: the sum has to stay finite in float32 as well.
    delta[7] = 0;
    delta[2 * width + 7] = 0;
    delta[8] = 0;
    delta[2 * width + 8] = 0;
    assertBiasGradient(implementation, 3, width, delta);
  }

  private static void assertBiasGradient(
      String implementation, int rows, int width, float[] delta) {
    float[] gradient =
        twice(
            () -> {
              try (GuardedOps guarded = new GuardedOps(implementation)) {
                Region sums = guarded.output(width + TAIL);
                guarded.ops().biasGradient(guarded.input(delta).matrix(rows, width), sums.buffer());
                guarded.assertIntact();
                return sums.floats();
              }
            });
    double[] largest = new double[width];
    for (int i = 0; i < delta.length; i++) {
      largest[i % width] = Math.max(largest[i % width], Math.abs((double) delta[i]));
    }
    assertClose(
        "gradient",
        marked(DoubleFormulas.columnSums(rows, width, widened(delta))),
        gradient,
        j -> tolerance(2, rows, largest[j]));
  }

  /** Strides that leave pixels out, borders wider than the image, one place, many channels. */
  static Stream<Arguments> windows() {
    return Implementations.timesComputing(
        Stream.of(
            Arguments.of(1, new Window(1, 1, 1, 4, 3, 2, 2)),
            Arguments.of(2, new Window(3, 3, 5, 4, 3, 1, 0)),
            Arguments.of(3, new Window(7, 4, 3, 4, 3, 2, 0)),
            Arguments.of(2, new Window(5, 6, 2, 4, 3, 1, 2)),
            Arguments.of(2, new Window(6, 9, 17, 4, 4, 3, 1)),
            Arguments.of(5, new Window(28, 28, 1, 4, 3, 2, 2)),
            Arguments.of(3, new Window(9, 2, 1, 4, 2, 1, 1))));
  }

  @ParameterizedTest
  @MethodSource("windows")
  void unfoldCopiesWhatEachWindowCovers(String implementation, int rows, Window window) {
    float[] images = floats(21, rows * window.inputSize());
    double[] expected = DoubleFormulas.unfold(window, rows, widened(images));
    float[] patches = floats(22, expected.length + TAIL);
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region out = guarded.output(patches);
      guarded
          .ops()
          .unfold(
              window,
              guarded.input(images).matrix(rows, window.inputSize()),
              out.matrix(rows * window.positions(), window.fanIn()));
      for (int i = 0; i < expected.length; i++) {
        patches[i] = (float) expected[i];
      }
      assertSameBits("patches", patches, out.floats());
      guarded.assertIntact();
    }
  }

  @ParameterizedTest
  @MethodSource("windows")
  void foldAddsWhatEachWindowCoversTapAfterTap(String implementation, int rows, Window window) {
    int count = rows * window.positions() * window.fanIn();
    float[] patches = floats(23, count);
    float[] images = floats(24, rows * window.inputSize() + TAIL);
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region out = guarded.output(images);
      guarded
          .ops()
          .fold(
              window,
              guarded.input(patches).matrix(rows * window.positions(), window.fanIn()),
              out.matrix(rows, window.inputSize()));
      System.arraycopy(
          FloatFormulas.fold(window, rows, patches), 0, images, 0, images.length - TAIL);
      assertSameBits("images", images, out.floats());
      guarded.assertIntact();
    }
  }

  // Whole layers.

  /**
   * Rows, inputs, outputs: the notebook's layers, tiles' edges, and sums so long that they may be
   * split.
   */
  static Stream<Arguments> layers() {
    return Implementations.timesComputing(
        Stream.of(
            Arguments.of(1, 1, 1),
            Arguments.of(2, 3, 5),
            Arguments.of(31, 33, 7),
            Arguments.of(65, 127, 129),
            Arguments.of(256, 784, 30),
            Arguments.of(80, 784, 1),
            Arguments.of(513, 30, 10),
            Arguments.of(7, 2053, 33),
            Arguments.of(1031, 3, 2)));
  }

  /**
   * What one call leaves in its outputs, which is what the two calls it stands for leave, bit for
   * bit.
   */
  @ParameterizedTest
  @MethodSource("layers")
  void aWholeLayerIsItsProductAndItsElements(
      String implementation, int rows, int inputs, int outputs) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Ops ops = guarded.ops();
      Matrix input = guarded.input(floats(31, rows * inputs)).matrix(rows, inputs);
      Matrix weight = guarded.input(floats(32, outputs * inputs)).matrix(outputs, inputs);
      Buffer bias = guarded.input(floats(33, outputs)).buffer();
      Matrix delta = guarded.input(floats(34, rows * outputs)).matrix(rows, outputs);
      for (Activation activation : Activation.values()) {
        Region together = guarded.output(rows * outputs + TAIL);
        Region apart = guarded.output(rows * outputs + TAIL);
        Dense layer = new Dense(activation, weight, bias);
        ops.layer(layer, input, together.matrix(rows, outputs));
        ops.gemm(false, true, input, weight, apart.matrix(rows, outputs));
        ops.biasActivation(activation, bias, apart.matrix(rows, outputs));
        assertSameBits("layer with " + activation, apart.floats(), together.floats());

        Region below = guarded.output(rows * inputs + TAIL);
        Region product = guarded.output(rows * inputs + TAIL);
        ops.layerDelta(activation, delta, weight, input, below.matrix(rows, inputs));
        ops.gemm(false, false, delta, weight, product.matrix(rows, inputs));
        ops.activationGradient(activation, input, product.matrix(rows, inputs));
        assertSameBits("delta below " + activation, product.floats(), below.floats());
      }
      Region weightGradient = guarded.output(outputs * inputs + TAIL);
      Region biasGradient = guarded.output(outputs + TAIL);
      ops.layerGradient(
          delta, input, weightGradient.matrix(outputs, inputs), biasGradient.buffer());
      Region product = guarded.output(outputs * inputs + TAIL);
      Region sums = guarded.output(outputs + TAIL);
      ops.gemm(true, false, delta, input, product.matrix(outputs, inputs));
      ops.biasGradient(delta, sums.buffer());
      assertSameBits("weights' gradient", product.floats(), weightGradient.floats());
      assertClose(
          "biases' gradient",
          widened(sums.floats()),
          biasGradient.floats(),
          i -> tolerance(4, rows, 2));
      guarded.assertIntact();
    }
  }

  /** The record of some calls, run three times, reads what its buffers hold at each run. */
  @ParameterizedTest
  @MethodSource("implementations")
  void recordedCallsDoTheSameAtEveryRun(String implementation) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Ops ops = guarded.ops();
      Region weights = guarded.output(floats(35, 40));
      Region gradients = guarded.output(floats(36, 40));
      Region stepParameters = guarded.output(new float[2 * Ops.STEP_PARAMETERS]);
      Region sums = guarded.output(8);
      Buffer none = ops.allocate(ElementType.F32, 0);
      Runnable recorded =
          ops.recorded(
              () -> {
                ops.clear(sums.buffer());
                for (int step = 0; step < 2; step++) {
                  ops.update(
                      Optimizer.sgd(),
                      weights.buffer(),
                      gradients.buffer(),
                      none,
                      stepParameters.buffer(),
                      step);
                }
                ops.biasGradient(weights.matrix(5, 8), sums.buffer());
              });
      float[] expected = floats(35, 40);
      for (int run = 0; run < 3; run++) {
        float[] g = floats(40 + run, 40);
        ops.upload(g, gradients.buffer());
        ops.upload(new float[] {0.5f + run, 0, 0, 0, -0.25f, 0, 0, 0}, stepParameters.buffer());
        recorded.run();
        for (int i = 0; i < 40; i++) {
          expected[i] = expected[i] - (0.5f + run) * g[i];
          expected[i] = expected[i] - -0.25f * g[i];
        }
        assertSameBits("w after run " + run, expected, weights.floats());
        assertClose(
            "sums after run " + run,
            DoubleFormulas.columnSums(5, 8, widened(expected)),
            sums.floats(),
            i -> tolerance(2, 5, 16));
      }
      guarded.assertIntact();
    }
  }

  // Losses.

  /** What loss and evaluate gave. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Measured(float[] dLogits, double[] afterLoss, double[] afterEvaluate) {}

  /** The step of {@link #STEPS} whose sum of losses is asked for. */
  private static final int STEP = 1;

  private static final int STEPS = 3;

  /** Both ops run twice on one buffer of sums each: they have to add, and to repeat themselves. */
  private static Measured measure(
      String implementation, Loss loss, int rows, int outputs, float[] logits, int[] targets) {
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Matrix z = guarded.input(logits).matrix(rows, outputs);
      Buffer classes = guarded.input(targets).buffer();
      Region lossSums = guarded.doubles(STEPS);
      Region evaluateMetrics = guarded.metrics();
      float[] dLogits =
          twice(
              () -> {
                Region written = guarded.output(rows * outputs + TAIL);
                guarded
                    .ops()
                    .loss(loss, z, classes, written.matrix(rows, outputs), lossSums.buffer(), STEP);
                guarded.ops().evaluate(loss, z, classes, evaluateMetrics.buffer());
                return written.floats();
              });
      guarded.assertIntact();
      return new Measured(dLogits, lossSums.doubles(), evaluateMetrics.doubles());
    }
  }

  private static void assertLosses(
      String implementation, Loss loss, int rows, int outputs, float[] logits, int[] targets) {
    Measured measured = measure(implementation, loss, rows, outputs, logits, targets);
    double[] dLogits = new double[rows * outputs];
    double sum = 0;
    double largest = 0;
    int correct = 0;
    for (int r = 0; r < rows; r++) {
      double[] z = widened(Arrays.copyOfRange(logits, r * outputs, (r + 1) * outputs));
      sum += DoubleFormulas.loss(loss, z, targets[r]);
      largest = Math.max(largest, DoubleFormulas.lossLargestTerm(loss, z, targets[r]));
      correct += DoubleFormulas.isRight(z, targets[r]) ? 1 : 0;
      for (int j = 0; j < outputs; j++) {
        dLogits[r * outputs + j] = DoubleFormulas.dLogit(loss, z, targets[r], j) / rows;
      }
    }
    assertClose(
        loss + "'s gradients",
        marked(dLogits),
        measured.dLogits(),
        i -> tolerance(4, outputs, 1.0 / rows));
    double terms = 2 * (rows + outputs) * largest;
    assertClose(
        loss + "'s sums, step by step",
        new double[] {0, 2 * sum, 0},
        measured.afterLoss(),
        i -> i == STEP ? tolerance(4, 1, terms) : 0);
    assertClose(
        loss + "'s metrics after evaluate",
        new double[] {2 * sum, 2 * correct},
        measured.afterEvaluate(),
        i -> i == Ops.CORRECT ? 0 : tolerance(4, 1, terms));
  }

  @ParameterizedTest
  @MethodSource("batches")
  void lossAndEvaluateMeasureTheBatchAndNoMore(
      String implementation, Loss loss, int rows, int outputs) {
    float[] logits = floats(23, (rows + 2) * outputs);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = i < rows * outputs ? 4 * logits[i] : Float.NaN;
    }
    int[] targets = ints(24, rows + 2, Math.max(2, outputs));
    assertLosses(implementation, loss, rows, outputs, logits, targets);
  }

  @ParameterizedTest
  @MethodSource("computing")
  void oneExtremeLogitOverflowsNowhere(String implementation) {
    float[] extremes = {
      0f,
      -0f,
      1e-30f,
      20f,
      -20f,
      87f,
      -87f,
      89f,
      -89f,
      104f,
      -104f,
      1e4f,
      -1e4f,
      Float.MAX_VALUE,
      -Float.MAX_VALUE,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.NaN
    };
    for (float z : extremes) {
      for (int target = 0; target < 2; target++) {
        assertLosses(implementation, Loss.MNIST, 1, 1, new float[] {z}, new int[] {target});
        assertLosses(implementation, Loss.BCE, 1, 1, new float[] {z}, new int[] {target});
      }
    }
  }

  @ParameterizedTest
  @MethodSource("computing")
  void extremeLogitsAmongSeveralOverflowNowhere(String implementation) {
    float[][] rows = {
      {1e4f, -1e4f, 0},
      {1e4f, 1e4f, 1e4f},
      {-1e4f, -1e4f, -1e4f},
      {104, -104, 0},
      {Float.NEGATIVE_INFINITY, 0, 1},
      {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY, -1e4f},
      {Float.NaN, 0, 1},
      {0, 1, Float.NaN}
    };
    for (float[] z : rows) {
      for (int target = 0; target < 3; target++) {
        assertLosses(implementation, Loss.CROSS_ENTROPY, 1, 3, z, new int[] {target});
      }
    }
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void evaluateTakesTheFirstOfEqualLogitsAndNoneBesideNotANumber(String implementation) {
    float[] steps = {-1, 0, 1, Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY};
    int n = steps.length;
    float[] logits = new float[3 * n * n * n];
    for (int i = 0; i < logits.length; i++) {
      int row = i / 3;
      logits[i] = steps[(i % 3 == 0 ? row : i % 3 == 1 ? row / n : row / n / n) % n];
    }
    int rows = n * n * n;
    for (int target = 0; target < 3; target++) {
      int[] targets = new int[rows];
      Arrays.fill(targets, target);
      int correct = 0;
      for (int r = 0; r < rows; r++) {
        double[] z = widened(Arrays.copyOfRange(logits, 3 * r, 3 * r + 3));
        correct += DoubleFormulas.isRight(z, target) ? 1 : 0;
      }
      Measured measured = measure(implementation, Loss.CROSS_ENTROPY, rows, 3, logits, targets);
      assertEquals(2.0 * correct, measured.afterEvaluate()[Ops.CORRECT]);
    }
  }

  // Steps.

  @ParameterizedTest
  @MethodSource("updates")
  void updateIsExactOverSeveralSteps(String implementation, Optimizer optimizer, int n) {
    int steps = 5;
    float[] start = floats(25, n);
    float[] gradients = floats(26, n * steps);
    float[] result = updated(implementation, optimizer, steps, start, gradients);

    double[] w = widened(start);
    double[] moments = new double[optimizer.momentCount() * n];
    double reach = 2;
    for (int step = 0; step < steps; step++) {
      double[] g = widened(Arrays.copyOfRange(gradients, step * n, (step + 1) * n));
      DoubleFormulas.update(optimizer, rate(step), step + 1, w, g, moments);
      reach = Math.max(reach, Arrays.stream(w).map(Math::abs).max().getAsDouble());
    }
    double largest = reach;
    assertClose("w", w, Arrays.copyOf(result, n), i -> tolerance(8, steps, largest));
  }

  @ParameterizedTest
  @MethodSource("implementations")
  void updateIsExactAtTinyAndAtInfiniteGradients(String implementation) {
    float[] gradient = {
      0,
      Float.NaN,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      1e-18f,
      1e-20f,
      -1e-21f,
      1e-30f,
      Float.MIN_VALUE,
      0x1p60f,
      Float.MAX_VALUE
    };
    int steps = 3;
    float[] gradients = filled(steps * gradient.length, i -> gradient[i % gradient.length]);
    for (Optimizer optimizer : optimizers()) {
      updated(implementation, optimizer, steps, floats(27, gradient.length), gradients);
    }
  }

  /** Learning stepParameters that differ from step to step. */
  private static float rate(int step) {
    return 0.1f / (1 + step);
  }

  /** Takes the steps, checks the bits after each, and returns w and the moments. */
  private static float[] updated(
      String implementation, Optimizer optimizer, int steps, float[] start, float[] gradients) {
    int n = start.length;
    float[] table = new float[(steps + 1) * Ops.STEP_PARAMETERS];
    for (int step = 0; step < steps; step++) {
      float[] row = FloatFormulas.stepParameters(optimizer, rate(step), step + 1);
      System.arraycopy(row, 0, table, step * Ops.STEP_PARAMETERS, Ops.STEP_PARAMETERS);
    }
    float[] w = start.clone();
    float[] moments = new float[optimizer.momentCount() * n];
    try (GuardedOps guarded = new GuardedOps(implementation)) {
      Region parameters = guarded.output(w);
      Region kept = guarded.output(moments);
      Region stepParameters = guarded.input(table);
      for (int step = 0; step < steps; step++) {
        float[] gradient = Arrays.copyOfRange(gradients, step * n, (step + 1) * n);
        guarded
            .ops()
            .update(
                optimizer,
                parameters.buffer(),
                guarded.input(gradient).buffer(),
                kept.buffer(),
                stepParameters.buffer(),
                step);
        float[] row =
            Arrays.copyOfRange(table, step * Ops.STEP_PARAMETERS, (step + 1) * Ops.STEP_PARAMETERS);
        FloatFormulas.update(optimizer, w, gradient, moments, row);
        assertSameBits(optimizer + " step " + step + ": w", w, parameters.floats());
        assertSameBits(optimizer + " step " + step + ": moments", moments, kept.floats());
      }
      guarded.assertIntact();
      return parameters.floats();
    }
  }

  // Numbers to work on, the same in every run.

  private static float[] floats(long seed, int length) {
    Random random = new Random(seed);
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = 4 * random.nextFloat() - 2;
    }
    return values;
  }

  private static float[] filled(int length, IntFunction<Float> value) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = value.apply(i);
    }
    return values;
  }

  private static int[] ints(long seed, int length, int bound) {
    return new Random(seed).ints(length, 0, bound).toArray();
  }

  private static byte[] bytes(long seed, int length) {
    byte[] values = new byte[length];
    new Random(seed).nextBytes(values);
    return values;
  }

  /** Room for {@code length} results and the tail that has to stay NaN. */
  private static float[] marked(int length) {
    float[] values = new float[length + TAIL];
    Arrays.fill(values, Float.NaN);
    return values;
  }

  /** The results and the tail that has to stay NaN. */
  private static double[] marked(double[] results) {
    double[] values = Arrays.copyOf(results, results.length + TAIL);
    Arrays.fill(values, results.length, values.length, Double.NaN);
    return values;
  }

  /** Computes it twice, which has to give the same bits. */
  private static float[] twice(Supplier<float[]> computation) {
    float[] once = computation.get();
    assertSameBits("the same computation's result", once, computation.get());
    return once;
  }
}
