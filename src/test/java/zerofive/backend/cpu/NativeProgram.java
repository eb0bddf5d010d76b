package zerofive.backend.cpu;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.EpochInput;
import zerofive.backend.EpochResult;
import zerofive.backend.Evaluation;
import zerofive.backend.Optimizer;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.Ops;
import zerofive.backend.ops.StepParameters;
import zerofive.data.ImageSet;
import zerofive.model.Parameters;

/**
 * The native session as a program of its own (src/test/native/session.cpp), which another compiler
 * made, for this machine or for another that an emulator stands for.
 *
 * @param name for messages
 * @param command what starts it, without its two arguments
 * @param set its instruction set, by number
 * @param threads it computes with
 */
record NativeProgram(String name, List<String> command, int set, int threads) implements Backend {
  @Override
  public Availability probe() {
    return Availability.usable(String.join(" ", command));
  }

  @Override
  public TrainingSession open(
      TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    try {
      return new Session(plan, train, valid, start);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Predictor openPredictor(Parameters model) {
    throw new UnsupportedOperationException("the program has trainings alone");
  }

  private final class Session implements TrainingSession {
    private final TrainingPlan plan;
    private final int trainCount;
    private final int validCount;
    private final int stepCount;
    private final Process process;
    private final OutputStream requests;
    private final DataInputStream answers;
    private long steps;

    Session(TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start)
        throws IOException {
      this.plan = plan;
      trainCount = train.count();
      validCount = valid.count();
      stepCount = plan.stepsPerEpoch(trainCount);
      steps = start.steps();
      List<String> line =
          Stream.concat(command.stream(), Stream.of("" + set, "" + threads)).toList();
      process = new ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start();
      requests = process.getOutputStream();
      answers = new DataInputStream(process.getInputStream());
      Optimizer optimizer = plan.optimizer();
      send(bytes(plan.architecture().windows().size()));
      send(bytes(NativeSession.windows(plan.architecture())));
      send(bytes(Native.number(plan.loss()), Native.number(optimizer.kind())));
      send(bytes(optimizer.momentum(), optimizer.weightDecay()));
      send(bytes(plan.batchSize(), train.height()));
      for (ImageSet images : List.of(train, valid)) {
        send(bytes(images.count()), images.pixels(), bytes(images.targets()));
      }
      put(0, start.parameters().values());
      int parameters = plan.architecture().parameterCount();
      for (int kind = 1; kind <= optimizer.momentCount(); kind++) {
        put(kind, Arrays.copyOfRange(start.moments(), (kind - 1) * parameters, kind * parameters));
      }
    }

    private void put(int kind, float[] values) {
      send(request('p'), bytes(kind), bytes(values));
    }

    @Override
    public EpochResult trainEpoch(EpochInput input) {
      long start = System.nanoTime();
      int[] shifts = input.shifts() == null ? new int[0] : input.shifts();
      send(request('t'), bytes(input.order()));
      send(bytes(StepParameters.table(plan.optimizer(), input.learningRates(), steps)));
      send(bytes(shifts.length), bytes(shifts));
      steps += stepCount;
      double[] sums = new double[stepCount];
      answer(stepCount * Double.BYTES).asDoubleBuffer().get(sums);
      return EpochResult.of(sums, plan, trainCount, System.nanoTime() - start);
    }

    /** The sums of {@link Ops#evaluate}, and the logits after them. */
    private ByteBuffer measured() {
      send(request('e'));
      int logits = validCount * plan.architecture().outputs();
      return answer(Ops.METRICS * Double.BYTES + logits * Float.BYTES);
    }

    @Override
    public Evaluation evaluate() {
      long start = System.nanoTime();
      ByteBuffer sums = measured();
      return new Evaluation(
          sums.getDouble(Ops.LOSS_SUM * Double.BYTES) / validCount,
          (int) sums.getDouble(Ops.CORRECT * Double.BYTES),
          validCount,
          System.nanoTime() - start);
    }

    @Override
    public float[] logits() {
      float[] logits = new float[validCount * plan.architecture().outputs()];
      measured().position(Ops.METRICS * Double.BYTES).asFloatBuffer().get(logits);
      return logits;
    }

    @Override
    public void setParameters(Parameters model) {
      put(0, model.values());
    }

    @Override
    public TrainingState state() {
      int parameters = plan.architecture().parameterCount();
      float[] values = new float[parameters];
      float[] moments = new float[plan.optimizer().momentCount() * parameters];
      for (int kind = 0; kind <= plan.optimizer().momentCount(); kind++) {
        send(request('g'), bytes(kind));
        answer(parameters * Float.BYTES)
            .asFloatBuffer()
            .get(kind == 0 ? values : moments, kind == 0 ? 0 : (kind - 1) * parameters, parameters);
      }
      return new TrainingState(new Parameters(plan.architecture(), values), moments, steps);
    }

    private void send(byte[]... parts) {
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      for (byte[] part : parts) {
        all.writeBytes(part);
      }
      try {
        requests.write(all.toByteArray());
        requests.flush();
      } catch (IOException e) {
        throw new UncheckedIOException(name + " has ended", e);
      }
    }

    private ByteBuffer answer(int size) {
      byte[] bytes = new byte[size];
      try {
        answers.readFully(bytes);
      } catch (IOException e) {
        throw new UncheckedIOException(name + " has ended", e);
      }
      return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
      process.destroy();
    }
  }

  private static byte[] request(char kind) {
    return new byte[] {(byte) kind};
  }

  private static byte[] bytes(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Integer.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(values);
    return bytes.array();
  }

  private static byte[] bytes(float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * Float.BYTES);
    bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
    return bytes.array();
  }
}
