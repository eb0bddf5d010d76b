package zerofive.backend.cpu;

import zerofive.backend.Optimizer;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Ops;
import zerofive.model.Activation;
import zerofive.model.Loss;

/** Every operation of the seam in native code, on several threads; these change no bit. */
final class NativeOps implements Ops {
  /** Columns of a panel, as native/native.h has it. */
  private static final int PANEL = 32;

  private final Team team;
  private final Memory memory = new Memory();
  private long scratch;
  private long scratchSize;

  NativeOps(int threads) {
    team = new Team(threads);
  }

  /** Of what is there until this is closed; throws IllegalStateException from then on. */
  private long address(Buffer buffer) {
    team.address();
    return NativeBuffer.address(buffer);
  }

  @Override
  public Buffer allocate(ElementType type, int length) {
    long size = (long) length * NativeBuffer.size(type);
    return new NativeBuffer(type, memory.allocate(size), length);
  }

  @Override
  public void upload(byte[] source, int offset, Buffer destination) {
    Native.copyIn(address(destination), source, offset, destination.length());
  }

  @Override
  public void upload(int[] source, Buffer destination) {
    Native.copyIn(address(destination), source, 0, ((NativeBuffer) destination).size());
  }

  @Override
  public void upload(float[] source, Buffer destination) {
    Native.copyIn(address(destination), source, 0, ((NativeBuffer) destination).size());
  }

  @Override
  public void download(Buffer source, float[] destination) {
    Native.copyOut(address(source), destination, ((NativeBuffer) source).size());
  }

  @Override
  public void download(Buffer source, double[] destination) {
    Native.copyOut(address(source), destination, ((NativeBuffer) source).size());
  }

  @Override
  public void clear(Buffer buffer) {
    Native.clear(address(buffer), ((NativeBuffer) buffer).size());
  }

  @Override
  public void gather(
      Buffer pixels,
      Buffer labels,
      Buffer order,
      int first,
      int rows,
      int width,
      Buffer x,
      Buffer targets) {
    Native.gather(
        team.address(),
        address(pixels),
        address(labels),
        address(order),
        first,
        rows,
        width,
        address(x),
        address(targets));
  }

  @Override
  public void gatherShifted(
      Buffer pixels,
      Buffer labels,
      Buffer order,
      Buffer shifts,
      int first,
      int rows,
      int height,
      int width,
      Buffer x,
      Buffer targets) {
    Native.gatherShifted(
        team.address(),
        address(pixels),
        address(labels),
        address(order),
        address(shifts),
        first,
        rows,
        height,
        width,
        address(x),
        address(targets));
  }

  @Override
  public void gemm(
      boolean transposeA, boolean transposeB, int m, int n, int k, Buffer a, Buffer b, Buffer c) {
    Native.gemm(
        team.address(),
        m,
        n,
        k,
        address(a),
        transposeA ? 1 : k,
        transposeA ? m : 1,
        address(b),
        transposeB ? 1 : n,
        transposeB ? k : 1,
        address(c),
        scratch((long) (n + PANEL - 1) / PANEL * PANEL * k * Float.BYTES));
  }

  private long scratch(long size) {
    if (size > scratchSize) {
      scratch = memory.allocate(size);
      scratchSize = size;
    }
    return scratch;
  }

  @Override
  public void biasActivation(Activation activation, int rows, int width, Buffer bias, Buffer z) {
    Native.biasActivation(
        team.address(), Native.number(activation), rows, width, address(bias), address(z));
  }

  @Override
  public void loss(
      Loss loss,
      int rows,
      int outputs,
      Buffer logits,
      Buffer targets,
      Buffer dLogits,
      Buffer metrics) {
    Native.loss(
        team.address(),
        Native.number(loss),
        rows,
        outputs,
        address(logits),
        address(targets),
        address(dLogits),
        address(metrics));
  }

  @Override
  public void evaluate(
      Loss loss, int rows, int outputs, Buffer logits, Buffer targets, Buffer metrics) {
    Native.evaluate(
        team.address(),
        Native.number(loss),
        rows,
        outputs,
        address(logits),
        address(targets),
        address(metrics));
  }

  @Override
  public void activationGradient(
      Activation activation, int rows, int width, Buffer activated, Buffer delta) {
    Native.activationGradient(
        team.address(),
        Native.number(activation),
        (long) rows * width,
        address(activated),
        address(delta));
  }

  @Override
  public void biasGradient(int rows, int width, Buffer delta, Buffer gradient) {
    Native.biasGradient(team.address(), rows, width, address(delta), address(gradient));
  }

  @Override
  public void update(
      Optimizer optimizer,
      Buffer parameters,
      Buffer gradient,
      Buffer moments,
      Buffer stepParameters,
      int step) {
    Native.update(
        team.address(),
        Native.number(optimizer.kind()),
        optimizer.momentum(),
        optimizer.weightDecay(),
        parameters.length(),
        address(parameters),
        address(gradient),
        address(moments),
        address(stepParameters),
        step);
  }

  @Override
  public void close() {
    team.close();
    memory.close();
  }
}
