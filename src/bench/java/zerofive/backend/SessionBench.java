package zerofive.backend;

import java.util.Arrays;
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
import zerofive.data.ClassFilter;
import zerofive.data.DataSet;
import zerofive.data.DataSets;
import zerofive.data.ExampleOrder;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;

/** An epoch on the digits 0 and 5, batches of 256, and a measuring. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SessionBench {
  @Param({"reference", "cpu", "cpu-stepwise"})
  public String implementation;

  @Param({"linear", "mlp:30", "mlp:512,256"})
  public String model;

  @Param({"sequential", "shuffled"})
  public String order;

  private DataSet digits;
  private TrainingSession session;
  private ExampleOrder shuffling;
  private float[] rates;
  private int epoch;

  @Setup(Level.Trial)
  public void setUp() {
    digits = DataSets.load(DataSets.MNIST, ClassFilter.parse("0,5"));
    Architecture architecture = new Architecture(784, Architecture.parseHidden(model), 1);
    TrainingPlan plan = new TrainingPlan(architecture, Loss.BCE, Optimizer.sgd(), 256);
    rates = new float[plan.stepsPerEpoch(digits.train().count())];
    Arrays.fill(rates, 0.1f);
    shuffling = order.equals("shuffled") ? ExampleOrder.SHUFFLED : ExampleOrder.SEQUENTIAL;
    TrainingState start =
        TrainingState.fresh(Initializer.PYTORCH.create(architecture, 1), plan.optimizer());
    session =
        Implementations.backend(implementation).open(plan, digits.train(), digits.valid(), start);
  }

  @TearDown(Level.Trial)
  public void tearDown() {
    session.close();
  }

  @Benchmark
  public double trainEpoch() {
    epoch++;
    int[] indices = shuffling.indices(digits.train().targets(), 1, epoch);
    return session.trainEpoch(new EpochInput(indices, rates)).trainLoss();
  }

  @Benchmark
  public double evaluate() {
    return session.evaluate().loss();
  }
}
