package zerofive.backend.cpu;

import zerofive.backend.Optimizer;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Images;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.model.Activation;
import zerofive.model.Loss;
import zerofive.model.Window;

/**
 * {@link Ops} in native code on several threads, for the contract tests; training uses {@link
 * CpuSession}.
 */
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

  private long address(Matrix matrix) {
    return address(matrix.values());
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
  public void gather(Images images, Batch batch, Matrix x, Buffer targets) {
    if (batch.shifts() == null) {
      Native.gather(
          team.address(),
          address(images.pixels()),
          address(images.labels()),
          address(batch.order()),
          batch.first(),
          batch.rows(),
          images.imageSize(),
          address(x),
          address(targets));
    } else {
      Native.gatherShifted(
          team.address(),
          address(images.pixels()),
          address(images.labels()),
          address(batch.order()),
          address(batch.shifts()),
          batch.first(),
          batch.rows(),
          images.height(),
          images.width(),
          address(x),
          address(targets));
    }
  }

  @Override
  public void gemm(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    int n = c.columns();
    int k = transposeA ? a.rows() : a.columns();
    Native.gemm(
        team.address(),
        c.rows(),
        n,
        k,
        address(a),
        transposeA ? 1 : a.columns(),
        transposeA ? a.columns() : 1,
        address(b),
        transposeB ? 1 : b.columns(),
        transposeB ? b.columns() : 1,
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
  public void biasActivation(Activation activation, Buffer bias, Matrix z) {
    Native.biasActivation(
        team.address(),
        Native.number(activation),
        z.rows(),
        z.columns(),
        address(bias),
        address(z));
  }

  @Override
  public void loss(
      Loss loss, Matrix logits, Buffer targets, Matrix dLogits, Buffer lossSums, int step) {
    Native.loss(
        team.address(),
        Native.number(loss),
        logits.rows(),
        logits.columns(),
        address(logits),
        address(targets),
        address(dLogits),
        address(lossSums) + (long) step * Double.BYTES);
  }

  @Override
  public void evaluate(Loss loss, Matrix logits, Buffer targets, Buffer metrics) {
    Native.evaluate(
        team.address(),
        Native.number(loss),
        logits.rows(),
        logits.columns(),
        address(logits),
        address(targets),
        address(metrics));
  }

  @Override
  public void activationGradient(Activation activation, Matrix activated, Matrix delta) {
    Native.activationGradient(
        team.address(),
        Native.number(activation),
        (long) delta.rows() * delta.columns(),
        address(activated),
        address(delta));
  }

  @Override
  public void biasGradient(Matrix delta, Buffer gradient) {
    Native.biasGradient(
        team.address(), delta.rows(), delta.columns(), address(delta), address(gradient));
  }

  @Override
  public void unfold(Window window, Matrix images, Matrix patches) {
    Native.unfold(
        team.address(),
        images.rows(),
        window.height(),
        window.width(),
        window.channels(),
        window.kernel(),
        window.stride(),
        window.border(),
        address(images),
        address(patches));
  }

  @Override
  public void fold(Window window, Matrix patches, Matrix images) {
    Native.fold(
        team.address(),
        images.rows(),
        window.height(),
        window.width(),
        window.channels(),
        window.kernel(),
        window.stride(),
        window.border(),
        address(patches),
        address(images));
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
