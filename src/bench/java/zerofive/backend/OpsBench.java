package zerofive.backend;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Ops;
import zerofive.model.Activation;
import zerofive.model.Loss;

/** Every op at the sizes of a batch of mlp:512 on MNIST, 256 rows. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class OpsBench {
  private static final int ROWS = 256;
  private static final int INPUTS = 784;
  private static final int OUTPUTS = 512;

  @Param({"reference", "cpu"})
  public String implementation;

  private Ops ops;
  private Buffer pixels;
  private Buffer labels;
  private Buffer order;
  private Buffer x;
  private Buffer targets;
  private Buffer weight;
  private Buffer gradient;
  private Buffer bias;
  private Buffer z;
  private Buffer delta;
  private Buffer moments;
  private Buffer rates;
  private Buffer metrics;

  @Setup(Level.Trial)
  public void setUp() {
    ops = Implementations.ops(implementation);
    Random random = new Random(1);
    byte[] bytes = new byte[ROWS * INPUTS];
    random.nextBytes(bytes);
    pixels = ops.allocate(ElementType.U8, bytes.length);
    ops.upload(bytes, 0, pixels);
    labels = ops.allocate(ElementType.I32, ROWS);
    order = ops.allocate(ElementType.I32, ROWS);
    ops.upload(random.ints(ROWS, 0, ROWS).toArray(), order);
    targets = ops.allocate(ElementType.I32, ROWS);
    x = floats(random, ROWS * INPUTS);
    weight = floats(random, OUTPUTS * INPUTS);
    gradient = floats(random, OUTPUTS * INPUTS);
    moments = floats(random, 2 * OUTPUTS * INPUTS);
    bias = floats(random, OUTPUTS);
    z = floats(random, ROWS * OUTPUTS);
    delta = floats(random, ROWS * OUTPUTS);
    rates = floats(random, Ops.RATES);
    metrics = ops.allocate(ElementType.F64, Ops.METRICS);
  }

  private Buffer floats(Random random, int length) {
    float[] values = new float[length];
    for (int i = 0; i < length; i++) {
      values[i] = random.nextFloat();
    }
    Buffer buffer = ops.allocate(ElementType.F32, length);
    ops.upload(values, buffer);
    return buffer;
  }

  @TearDown(Level.Trial)
  public void tearDown() {
    ops.close();
  }

  @Benchmark
  public void gather() {
    ops.gather(pixels, labels, order, 0, ROWS, INPUTS, x, targets);
  }

  @Benchmark
  public void gemmForward() {
    ops.gemm(false, true, ROWS, OUTPUTS, INPUTS, x, weight, z);
  }

  @Benchmark
  public void gemmWeightGradient() {
    ops.gemm(true, false, OUTPUTS, INPUTS, ROWS, delta, x, gradient);
  }

  @Benchmark
  public void gemmDelta() {
    ops.gemm(false, false, ROWS, INPUTS, OUTPUTS, delta, weight, x);
  }

  @Benchmark
  public void biasActivation() {
    ops.biasActivation(Activation.RELU, ROWS, OUTPUTS, bias, z);
  }

  @Benchmark
  public void activationGradient() {
    ops.activationGradient(Activation.RELU, ROWS, OUTPUTS, z, delta);
  }

  @Benchmark
  public void biasGradient() {
    ops.biasGradient(ROWS, OUTPUTS, delta, bias);
  }

  @Benchmark
  public void loss() {
    ops.loss(Loss.CROSS_ENTROPY, ROWS, 10, z, targets, delta, metrics);
  }

  @Benchmark
  public void score() {
    ops.score(Loss.CROSS_ENTROPY, ROWS, 10, z, targets, metrics);
  }

  @Benchmark
  public void updateAdam() {
    ops.update(new Optimizer(Optimizer.Kind.ADAM, 0, 0), weight, gradient, moments, rates, 0);
  }
}
