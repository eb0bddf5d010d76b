package zerofive.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import zerofive.backend.Optimizer;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Ops;
import zerofive.model.Activation;
import zerofive.model.Loss;

/**
 * Every operation of the seam on one stream of a GPU. Nothing waits for the GPU but a download.
 * Owns its stream, its memory and its graphs; the context is its backend's.
 */
public final class CudaOps implements Ops {
  /**
   * Left free at most when a set of images is put on the GPU. Sessions allocate their sets last, so
   * this is for what the driver takes by itself later on: cuBLAS's kernels at their first use,
   * graphs, a second session that evaluates. NVIDIA does not say how much that is; this is a guess
   * on the safe side.
   */
  private static final long MAX_RESERVE_BYTES = 512L << 20;

  /** The part of the memory of a small GPU that is left free. */
  private static final int RESERVE_DIVISOR = 8;

  /** Blocks of loss and evaluate at most; each leaves its sums for the last one. */
  private static final int METRIC_BLOCKS = 1024;

  /** Columns and threads of a block of bias_gradient. */
  private static final int COLUMNS = 32;

  private static final int COLUMN_THREADS = 1024;

  private final CudaContext context;
  private final CudaOptions options;
  private final CUstream stream = new CUstream();
  private final Resources owned = new Resources();
  private final List<StreamedPixels> streamedSets = new ArrayList<>();
  private final Staging staging;
  private final KernelLauncher launcher;
  private final PtxGemm ownProduct;
  private final Optional<CublasGemm> cublas;
  private final long metricPartials;
  private final long metricCounter;
  private CudaGraphRecorder recording;

  /**
   * Operations on a new stream of {@code context}.
   *
   * @param useCublas whether matrix products are cuBLAS's; it has to be loaded then
   * @throws zerofive.backend.DeviceException where the GPU's memory is too small for their
   *     workspaces
   */
  CudaOps(CudaContext context, CudaOptions options, boolean useCublas) {
    this.context = context;
    this.options = options;
    context.makeCurrent();
    CudaFailure.check(
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
        "creating a stream");
    owned.add(() -> JCudaDriver.cuStreamDestroy(stream));
    try {
      staging = new Staging(context, owned);
      launcher = new KernelLauncher(context, stream, owned);
      metricPartials = workspace(ElementType.F64, 2 * METRIC_BLOCKS);
      metricCounter = workspace(ElementType.I32, 1);
      ownProduct =
          new PtxGemm(
              launcher,
              workspace(ElementType.F32, PtxGemm.PARTIAL_SUMS),
              workspace(ElementType.I32, PtxGemm.COUNTERS));
      cublas = useCublas ? Optional.of(startCublas()) : Optional.empty();
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private CublasGemm startCublas() {
    CudaBuffer workspace =
        allocateOnGpu(ElementType.F32, CublasGemm.workspaceBytes(context.gpu()) / Float.BYTES);
    return owned.add(new CublasGemm(stream, workspace, options.precision()));
  }

  /** Where new memory is, zero. */
  private long workspace(ElementType type, int length) {
    return CudaBuffer.address(allocate(type, length));
  }

  // Memory.

  @Override
  public Buffer allocate(ElementType type, int length) {
    context.makeCurrent();
    if (type == ElementType.U8 && !belongsOnGpu(length)) {
      StreamedPixels pixels = new StreamedPixels(stream, staging, length, owned);
      streamedSets.add(pixels);
      return new CudaBuffer(new CudaMemory(type, 0, null, null, pixels), 0, length);
    }
    CudaBuffer buffer = allocateOnGpu(type, length);
    fillWithZeros(buffer);
    return buffer;
  }

  /** A set no larger than the places of a streamed one would save nothing on the host. */
  private boolean belongsOnGpu(int length) {
    if (length > options.residentBytes()) {
      return false;
    }
    long reserve = Math.min(MAX_RESERVE_BYTES, context.gpu().memoryBytes() / RESERVE_DIVISOR);
    return length <= StreamedPixels.PLACES_BYTES || length + reserve <= context.freeBytes();
  }

  /** Memory with anything in it. */
  private CudaBuffer allocateOnGpu(ElementType type, int length) {
    long bytes = Math.max(1, (long) length * CudaMemory.size(type));
    DevicePointer pointer = new DevicePointer();
    CudaFailure.check(
        JCudaDriver.cuMemAlloc(pointer, bytes), "taking " + bytes + " bytes of the GPU's memory");
    owned.add(() -> JCudaDriver.cuMemFree(pointer));
    HostMirror mirror = type == ElementType.I32 ? new HostMirror(length) : null;
    return new CudaBuffer(
        new CudaMemory(type, pointer.address(), pointer, mirror, null), 0, length);
  }

  @Override
  public void upload(byte[] source, int offset, Buffer destination) {
    context.makeCurrent();
    CudaBuffer to = CudaBuffer.of(destination);
    if (to.memory().streamed() != null) {
      to.memory().streamed().upload(source, offset, to.offset(), to.length());
      return;
    }
    staging.upload(
        (from, target) -> target.put(0, source, offset + (int) from, target.capacity()),
        to.bytes(),
        1,
        to.pointer(),
        stream);
  }

  @Override
  public void upload(int[] source, Buffer destination) {
    context.makeCurrent();
    CudaBuffer to = CudaBuffer.of(destination);
    streamedSets.forEach(StreamedPixels::forget);
    System.arraycopy(source, 0, to.memory().mirror().values(), to.offset(), source.length);
    staging.upload(
        (from, target) -> target.asIntBuffer().put(source, (int) (from / 4), target.capacity() / 4),
        to.bytes(),
        Integer.BYTES,
        to.pointer(),
        stream);
  }

  @Override
  public void upload(float[] source, Buffer destination) {
    context.makeCurrent();
    CudaBuffer to = CudaBuffer.of(destination);
    staging.upload(
        (from, target) ->
            target.asFloatBuffer().put(source, (int) (from / 4), target.capacity() / 4),
        to.bytes(),
        Float.BYTES,
        to.pointer(),
        stream);
  }

  @Override
  public void download(Buffer source, float[] destination) {
    download(
        source,
        (from, bytes) ->
            bytes.asFloatBuffer().get(destination, (int) (from / 4), bytes.capacity() / 4));
  }

  @Override
  public void download(Buffer source, double[] destination) {
    download(
        source,
        (from, bytes) ->
            bytes.asDoubleBuffer().get(destination, (int) (from / 8), bytes.capacity() / 8));
  }

  private void download(Buffer source, Staging.Sink sink) {
    context.makeCurrent();
    CudaBuffer from = CudaBuffer.of(source);
    staging.download(from.pointer(), from.bytes(), stream, sink);
  }

  @Override
  public void clear(Buffer buffer) {
    CudaBuffer to = CudaBuffer.of(buffer);
    if (to.memory().streamed() != null) {
      to.memory().streamed().clear(to.offset(), to.length());
    } else {
      fillWithZeros(to);
      markStale(to);
    }
  }

  private void fillWithZeros(CudaBuffer to) {
    if (to.length() > 0) {
      beforeLaunch();
      CudaFailure.check(
          JCudaDriver.cuMemsetD8Async(to.pointer(), (byte) 0, to.bytes(), stream),
          "clearing the GPU's memory");
    }
  }

  private static void markStale(CudaBuffer written) {
    if (written.type() == ElementType.I32) {
      written.memory().mirror().markStale();
    }
  }

  // Kernels.

  private void beforeLaunch() {
    context.makeCurrent();
    if (recording != null) {
      recording.beforeLaunch();
    }
  }

  private KernelLauncher arguments() {
    beforeLaunch();
    return launcher;
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
    Images images = images(pixels, order, first, rows, width);
    arguments()
        .add(images.address())
        .add(CudaBuffer.address(labels))
        .add(CudaBuffer.address(order))
        .add(first)
        .add(images.chunkFirst())
        .add(width)
        .add(CudaBuffer.address(x))
        .add(CudaBuffer.address(targets))
        .launch(Kernels.GATHER, rows);
    markStale(CudaBuffer.of(targets));
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
    Images images = images(pixels, order, first, rows, height * width);
    arguments()
        .add(images.address())
        .add(CudaBuffer.address(labels))
        .add(CudaBuffer.address(order))
        .add(CudaBuffer.address(shifts))
        .add(first)
        .add(images.chunkFirst())
        .add(height)
        .add(width)
        .add(CudaBuffer.address(x))
        .add(CudaBuffer.address(targets))
        .launch(Kernels.GATHER_SHIFTED, rows);
    markStale(CudaBuffer.of(targets));
  }

  /**
   * Where a batch's pixels are on the GPU.
   *
   * @param address of the whole set, or of a chunk of it
   * @param chunkFirst the chunk's first place in the order; -1 for the whole set
   */
  private record Images(long address, int chunkFirst) {}

  private Images images(Buffer pixels, Buffer order, int first, int rows, int imageSize) {
    CudaBuffer set = CudaBuffer.of(pixels);
    StreamedPixels streamed = set.memory().streamed();
    if (streamed == null) {
      return new Images(CudaBuffer.address(pixels), -1);
    }
    StreamedPixels.Chunk chunk =
        bring(streamed, CudaBuffer.of(order), first, rows, imageSize, set.offset());
    return new Images(streamed.address(chunk), chunk.first());
  }

  /** The GPU's integers, read back where a kernel wrote them. */
  private int[] hostIndices(CudaMemory memory) {
    HostMirror mirror = memory.mirror();
    if (mirror.isStale()) {
      streamedSets.forEach(StreamedPixels::forget);
      staging.download(
          memory.pointer(),
          (long) mirror.values().length * Integer.BYTES,
          stream,
          (from, bytes) ->
              bytes.asIntBuffer().get(mirror.values(), (int) (from / 4), bytes.capacity() / 4));
      mirror.refresh();
    }
    return mirror.values();
  }

  /** The chunk with a batch of a streamed set; its copy to the GPU is under way. */
  private StreamedPixels.Chunk bring(
      StreamedPixels streamed, CudaBuffer order, int first, int rows, int width, int setOffset) {
    context.makeCurrent();
    int[] indices = hostIndices(order.memory());
    int from = order.offset();
    StreamedPixels.Chunk current = streamed.current(indices, from, first, rows, width, setOffset);
    if (current != null) {
      return current;
    }
    StreamedPixels.Chunk chunk =
        streamed.plan(indices, from, order.length(), first, rows, width, setOffset);
    if (!streamed.hasRoomFor(chunk)) {
      if (recording != null) {
        recording.cut();
      }
      streamed.makeRoomFor(chunk);
    }
    if (recording == null) {
      streamed.stage(chunk);
    } else {
      recording.onHost(() -> streamed.stage(chunk));
    }
    return chunk;
  }

  @Override
  public void gemm(
      boolean transposeA, boolean transposeB, int m, int n, int k, Buffer a, Buffer b, Buffer c) {
    beforeLaunch();
    MatrixProduct product = cublas.isPresent() ? cublas.get() : ownProduct;
    product.multiply(
        transposeA,
        transposeB,
        m,
        n,
        k,
        CudaBuffer.address(a),
        CudaBuffer.address(b),
        CudaBuffer.address(c));
  }

  @Override
  public void layer(
      Activation activation,
      int rows,
      int inputs,
      int outputs,
      Buffer input,
      Buffer weight,
      Buffer bias,
      Buffer output) {
    if (cublas.isPresent()) {
      Ops.super.layer(activation, rows, inputs, outputs, input, weight, bias, output);
      return;
    }
    beforeLaunch();
    ownProduct.multiply(
        false,
        true,
        rows,
        outputs,
        inputs,
        CudaBuffer.address(input),
        CudaBuffer.address(weight),
        CudaBuffer.address(output),
        Epilogue.BIAS_ACTIVATION,
        activation,
        CudaBuffer.address(bias),
        0);
  }

  @Override
  public void layerGradient(
      int rows,
      int inputs,
      int outputs,
      Buffer delta,
      Buffer input,
      Buffer weightGradient,
      Buffer biasGradient) {
    if (cublas.isPresent()) {
      Ops.super.layerGradient(rows, inputs, outputs, delta, input, weightGradient, biasGradient);
      return;
    }
    beforeLaunch();
    ownProduct.multiply(
        true,
        false,
        outputs,
        inputs,
        rows,
        CudaBuffer.address(delta),
        CudaBuffer.address(input),
        CudaBuffer.address(weightGradient),
        Epilogue.NONE,
        Activation.IDENTITY,
        0,
        CudaBuffer.address(biasGradient));
  }

  @Override
  public void layerDelta(
      Activation activation,
      int rows,
      int inputs,
      int outputs,
      Buffer delta,
      Buffer weight,
      Buffer input,
      Buffer below) {
    if (cublas.isPresent()) {
      Ops.super.layerDelta(activation, rows, inputs, outputs, delta, weight, input, below);
      return;
    }
    beforeLaunch();
    ownProduct.multiply(
        false,
        false,
        rows,
        inputs,
        outputs,
        CudaBuffer.address(delta),
        CudaBuffer.address(weight),
        CudaBuffer.address(below),
        Epilogue.ACTIVATION_GRADIENT,
        activation,
        CudaBuffer.address(input),
        0);
  }

  @Override
  public void biasActivation(Activation activation, int rows, int width, Buffer bias, Buffer z) {
    int elements = rows * width;
    arguments()
        .add(Kernels.code(activation))
        .add(elements)
        .add(width)
        .add(CudaBuffer.address(bias))
        .add(CudaBuffer.address(z))
        .launch(Kernels.BIAS_ACTIVATION, KernelLauncher.blocks(elements));
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
    arguments()
        .add(Kernels.code(loss))
        .add(rows)
        .add(outputs)
        .add(CudaBuffer.address(logits))
        .add(CudaBuffer.address(targets))
        .add(CudaBuffer.address(dLogits))
        .add(CudaBuffer.address(metrics))
        .add(metricPartials)
        .add(metricCounter)
        .launch(Kernels.LOSS, metricBlocks(rows));
  }

  @Override
  public void evaluate(
      Loss loss, int rows, int outputs, Buffer logits, Buffer targets, Buffer metrics) {
    arguments()
        .add(Kernels.code(loss))
        .add(rows)
        .add(outputs)
        .add(CudaBuffer.address(logits))
        .add(CudaBuffer.address(targets))
        .add(CudaBuffer.address(metrics))
        .add(metricPartials)
        .add(metricCounter)
        .launch(Kernels.EVALUATE, metricBlocks(rows));
  }

  private static long metricBlocks(int rows) {
    return Math.min(METRIC_BLOCKS, KernelLauncher.blocks(rows));
  }

  @Override
  public void activationGradient(
      Activation activation, int rows, int width, Buffer activated, Buffer delta) {
    if (activation == Activation.IDENTITY) {
      return;
    }
    int elements = rows * width;
    arguments()
        .add(Kernels.code(activation))
        .add(elements)
        .add(CudaBuffer.address(activated))
        .add(CudaBuffer.address(delta))
        .launch(Kernels.ACTIVATION_GRADIENT, KernelLauncher.blocks(elements));
  }

  @Override
  public void biasGradient(int rows, int width, Buffer delta, Buffer gradient) {
    arguments()
        .add(rows)
        .add(width)
        .add(CudaBuffer.address(delta))
        .add(CudaBuffer.address(gradient))
        .launch(Kernels.BIAS_GRADIENT, (width + COLUMNS - 1L) / COLUMNS, 1, COLUMN_THREADS);
  }

  @Override
  public void update(
      Optimizer optimizer,
      Buffer parameters,
      Buffer gradient,
      Buffer moments,
      Buffer stepParameters,
      int step) {
    int n = parameters.length();
    KernelLauncher call =
        arguments()
            .add(n)
            .add(CudaBuffer.address(parameters))
            .add(CudaBuffer.address(gradient))
            .add(CudaBuffer.address(moments))
            .add(CudaBuffer.address(stepParameters))
            .add(step);
    if (optimizer.kind() == Optimizer.Kind.SGD) {
      call.add(optimizer.momentum())
          .add(optimizer.weightDecay())
          .launch(Kernels.UPDATE_SGD, KernelLauncher.blocks(n));
    } else {
      boolean decoupled = optimizer.kind() == Optimizer.Kind.ADAMW;
      call.add(optimizer.weightDecay())
          .add(decoupled ? 1 : 0)
          .launch(Kernels.UPDATE_ADAM, KernelLauncher.blocks(n));
    }
  }

  // Recording.

  /**
   * As CUDA graphs, captured at the second run; or the calls themselves, where options ask for
   * that. The first run launches one by one: whatever the driver and cuBLAS load or allocate at the
   * first use of a kernel is done with when a capture begins.
   */
  @Override
  public Runnable recorded(Runnable calls) {
    if (options.session() == SessionKind.STEPWISE) {
      return calls;
    }
    CudaGraphRecorder replay = owned.add(new CudaGraphRecorder(stream));
    return new Runnable() {
      private boolean warm;

      @Override
      public void run() {
        context.makeCurrent();
        if (!warm) {
          calls.run();
          warm = true;
          return;
        }
        if (replay.isEmpty()) {
          record(replay, calls);
        }
        replay.run();
      }
    };
  }

  private void record(CudaGraphRecorder replay, Runnable calls) {
    streamedSets.forEach(StreamedPixels::startOver);
    recording = replay;
    try {
      calls.run();
      replay.cut();
    } catch (RuntimeException | Error e) {
      replay.close();
      throw e;
    } finally {
      recording = null;
      streamedSets.forEach(StreamedPixels::startOver);
    }
  }

  @Override
  public List<String> notes() {
    return streamedSets.stream().map(this::streamingNote).toList();
  }

  private String streamingNote(StreamedPixels pixels) {
    return "a set of "
        + mebibytes(pixels.length())
        + " of pixels is streamed to the GPU in every epoch, since "
        + (pixels.length() > options.residentBytes()
            ? "--resident-mb keeps no more than " + mebibytes(options.residentBytes()) + " there"
            : "the GPU's free memory does not hold it");
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
  }

  /** Waits for the GPU, then frees everything; also where the GPU is lost. */
  @Override
  public void close() {
    if (owned.isEmpty()) {
      return;
    }
    context.makeCurrentIfPossible();
    JCudaDriver.cuStreamSynchronize(stream);
    owned.close();
  }
}
