package zerofive.backend.cpu;

import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import zerofive.backend.DeviceException;
import zerofive.backend.Evaluation;
import zerofive.backend.Optimizer;
import zerofive.backend.ops.Ops;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** A model in native memory with the threads that work on it; for training and evaluation. */
final class NativeSession implements AutoCloseable {
  private final Team team;
  private final Memory memory = new Memory();
  private final long address;
  private final long metrics;
  private boolean closed;

  private NativeSession(Team team, long address) {
    this.team = team;
    this.address = address;
    metrics = memory.allocate((long) Ops.METRICS * Double.BYTES);
  }

  /**
   * A model without values yet.
   *
   * @param batch rows a step takes at most; 0 where it is not to be trained
   */
  static NativeSession create(
      int threads, Architecture architecture, Loss loss, Optimizer optimizer, long batch) {
    Team team = new Team(threads);
    try {
      int[] windows = windows(architecture);
      long address =
          enough(
              () ->
                  Native.createSession(
                      team.address(),
                      windows,
                      architecture.windows().size(),
                      Native.number(loss),
                      Native.number(optimizer.kind()),
                      optimizer.momentum(),
                      optimizer.weightDecay(),
                      batch));
      return new NativeSession(team, address);
    } catch (RuntimeException | Error e) {
      team.close();
      throw e;
    }
  }

  /** The layers as native/native.h describes them. */
  static int[] windows(Architecture architecture) {
    return architecture.windows().stream()
        .flatMapToInt(
            window ->
                IntStream.of(
                    window.height(),
                    window.width(),
                    window.channels(),
                    window.outputs(),
                    window.kernel(),
                    window.stride(),
                    window.border()))
        .toArray();
  }

  /** What a native function that needs memory returns; 0 says that there was not enough. */
  private static long enough(LongSupplier call) {
    long result = call.getAsLong();
    if (result == 0) {
      throw new DeviceException(
          "the memory is too small for this training; choose a smaller --model, --batch-size or"
              + " fewer --classes");
    }
    return result;
  }

  /** Throws IllegalStateException where it is closed. */
  long address() {
    return requireOpen(address);
  }

  /** What an address names is freed when this is closed. */
  private long requireOpen(long address) {
    if (closed) {
      throw new IllegalStateException("the session is closed");
    }
    return address;
  }

  Memory memory() {
    return memory;
  }

  void setParameters(Parameters parameters) {
    Native.setValues(address(), 0, parameters.values(), 0);
  }

  void setTrain(ImageSet images, Form form) {
    enough(
        () ->
            Native.setTrain(
                    address(),
                    images.pixels(),
                    images.targets(),
                    images.count(),
                    Native.number(form))
                ? 1
                : 0);
  }

  /** The images to measure: {@code count} from number {@code first} on. */
  void setValid(ImageSet images, int first, int count) {
    enough(
        () -> Native.setValid(address(), images.pixels(), images.targets(), first, count) ? 1 : 0);
  }

  /** How far the next epoch's images are moved: the address of their shifts; 0 for not at all. */
  void setShifts(long shifts, int height, int width) {
    enough(() -> Native.setShifts(address(), shifts, height, width) ? 1 : 0);
  }

  /** Forgets what was measured before. */
  void clearMetrics() {
    Native.clear(requireOpen(metrics), (long) Ops.METRICS * Double.BYTES);
  }

  /** Adds the measure of the present images. */
  void measure() {
    Native.evaluateValid(address(), requireOpen(metrics));
  }

  /** All that was measured, {@code count} images since {@code start}. */
  Evaluation measured(int count, long start) {
    double[] sums = new double[Ops.METRICS];
    Native.copyOut(requireOpen(metrics), sums, (long) Ops.METRICS * Double.BYTES);
    return new Evaluation(
        sums[Ops.LOSS_SUM] / count, (int) sums[Ops.CORRECT], count, System.nanoTime() - start);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Native.destroySession(address);
      memory.close();
      team.close();
    }
  }
}
