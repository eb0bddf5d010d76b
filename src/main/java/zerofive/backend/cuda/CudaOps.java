package zerofive.backend.cuda;

import java.util.Locale;
import java.util.Optional;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import zerofive.backend.DeviceException;
import zerofive.backend.Optimizer;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.Dense;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Images;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.model.Activation;
import zerofive.model.Loss;
import zerofive.model.Window;

/**
 * {@link Ops} on one stream of a GPU. Nothing waits for the GPU but a download. Owns its stream,
 * its memory and its graphs; the context is its backend's.
 */
public class CudaOps implements Ops {
  /** Blocks of loss and evaluate at most; each leaves its sums for the last one. */
  private static final int METRIC_BLOCKS = 1024;

  /** Columns and threads of a block of bias_gradient. */
  private static final int COLUMNS = 32;

  private static final int COLUMN_THREADS = 1024;

  private final CudaContext context;
  private final CudaOptions options;
  private final CUstream stream = new CUstream();
  private final Resources owned = new Resources();
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

  /**
   * A product of our own with workspaces of its own.
   *
   * @param partials F32, for the sums of all splits
   * @param counters I32, zero, one for each tile of a product that is split
   */
  final PtxGemm newProduct(Buffer partials, Buffer counters) {
    return new PtxGemm(launcher, CudaBuffer.address(partials), CudaBuffer.address(counters));
  }

  /** Where new memory is, zero. */
  private long workspace(ElementType type, int length) {
    return CudaBuffer.address(allocate(type, length));
  }

  // Memory.

  @Override
  public Buffer allocate(ElementType type, int length) {
    context.makeCurrent();
    CudaBuffer buffer = allocateOnGpu(type, length);
    fillWithZeros(buffer);
    return buffer;
  }

  /** Memory with anything in it. */
  private CudaBuffer allocateOnGpu(ElementType type, int length) {
    long bytes = Math.max(1, CudaBuffer.bytes(type, length));
    DevicePointer pointer = new DevicePointer();
    int result = JCudaDriver.cuMemAlloc(pointer, bytes);
    if (result == CUresult.CUDA_ERROR_OUT_OF_MEMORY && type == ElementType.U8) {
      throw tooManyImages(bytes);
    }
    CudaFailure.check(result, "taking " + bytes + " bytes of the GPU's memory");
    owned.add(() -> JCudaDriver.cuMemFree(pointer));
    return new CudaBuffer(type, pointer, 0, length);
  }

  /** Sessions allocate their pixels last, so it is mostly these that do not fit. */
  private DeviceException tooManyImages(long bytes) {
    return new DeviceException(
        String.format(
            Locale.ROOT,
            "putting a set of images on the GPU failed with CUDA_ERROR_OUT_OF_MEMORY: it takes %.1f"
                + " MiB, and %.1f MiB of the GPU's memory are free",
            mebibytes(bytes),
            mebibytes(context.freeBytes())),
        "choose fewer --classes, close other programs on the GPU (nvidia-smi lists them), or train"
            + " with --device cpu",
        null);
  }

  private static double mebibytes(long bytes) {
    return bytes / (double) (1 << 20);
  }

  @Override
  public void upload(byte[] source, int offset, Buffer destination) {
    context.makeCurrent();
    CudaBuffer to = CudaBuffer.of(destination);
    staging.upload(
        (from, target) -> target.put(0, source, offset + (int) from, target.capacity()),
        to.bytes(),
        to.pointer(),
        stream);
  }

  @Override
  public void upload(int[] source, Buffer destination) {
    context.makeCurrent();
    CudaBuffer to = CudaBuffer.of(destination);
    staging.upload(
        (from, target) -> target.asIntBuffer().put(source, (int) (from / 4), target.capacity() / 4),
        to.bytes(),
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
    fillWithZeros(CudaBuffer.of(buffer));
  }

  private void fillWithZeros(CudaBuffer to) {
    if (to.length() > 0) {
      beforeLaunch();
      CudaFailure.check(
          JCudaDriver.cuMemsetD8Async(to.pointer(), (byte) 0, to.bytes(), stream),
          "clearing the GPU's memory");
    }
  }

  // Kernels.

  void beforeLaunch() {
    context.makeCurrent();
    if (recording != null) {
      recording.beforeLaunch();
    }
  }

  /** The launcher, for one launch that belongs to a recording under way. */
  KernelLauncher beginLaunch() {
    beforeLaunch();
    return launcher;
  }

  @Override
  public void gather(Images images, Batch batch, Matrix x, Buffer targets) {
    boolean shifted = batch.shifts() != null;
    KernelLauncher call =
        beginLaunch()
            .add(CudaBuffer.address(images.pixels()))
            .add(CudaBuffer.address(images.labels()))
            .add(CudaBuffer.address(batch.order()));
    if (shifted) {
      call.add(CudaBuffer.address(batch.shifts()));
    }
    call.add(batch.first());
    if (shifted) {
      call.add(images.height()).add(images.width());
    } else {
      call.add(images.imageSize());
    }
    call.add(CudaBuffer.address(x.values()))
        .add(CudaBuffer.address(targets))
        .launch(shifted ? Kernels.GATHER_SHIFTED : Kernels.GATHER, batch.rows());
  }

  @Override
  public void gemm(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    beforeLaunch();
    MatrixProduct product = cublas.isPresent() ? cublas.get() : ownProduct;
    product.multiply(transposeA, transposeB, a, b, c);
  }

  @Override
  public void layer(Dense layer, Matrix input, Matrix output) {
    if (cublas.isPresent()) {
      Ops.super.layer(layer, input, output);
      return;
    }
    beforeLaunch();
    Epilogue epilogue = Epilogue.biasActivation(layer.activation(), layer.bias());
    ownProduct.multiply(false, true, input, layer.weight(), output, epilogue);
  }

  @Override
  public void layerGradient(
      Matrix delta, Matrix input, Matrix weightGradient, Buffer biasGradient) {
    if (cublas.isPresent()) {
      Ops.super.layerGradient(delta, input, weightGradient, biasGradient);
      return;
    }
    beforeLaunch();
    ownProduct.multiply(true, false, delta, input, weightGradient, Epilogue.rowSums(biasGradient));
  }

  @Override
  public void layerDelta(
      Activation activation, Matrix delta, Matrix weight, Matrix input, Matrix below) {
    if (cublas.isPresent()) {
      Ops.super.layerDelta(activation, delta, weight, input, below);
      return;
    }
    beforeLaunch();
    ownProduct.multiply(
        false, false, delta, weight, below, Epilogue.activationGradient(activation, input));
  }

  @Override
  public void biasActivation(Activation activation, Buffer bias, Matrix z) {
    int elements = z.rows() * z.columns();
    beginLaunch()
        .add(Kernels.code(activation))
        .add(elements)
        .add(z.columns())
        .add(CudaBuffer.address(bias))
        .add(CudaBuffer.address(z.values()))
        .launch(Kernels.BIAS_ACTIVATION, KernelLauncher.blocks(elements));
  }

  @Override
  public void loss(
      Loss loss, Matrix logits, Buffer targets, Matrix dLogits, Buffer lossSums, int step) {
    beginLaunch()
        .add(Kernels.code(loss))
        .add(logits.rows())
        .add(logits.columns())
        .add(CudaBuffer.address(logits.values()))
        .add(CudaBuffer.address(targets))
        .add(CudaBuffer.address(dLogits.values()))
        .add(CudaBuffer.address(lossSums.slice(step, 1)))
        .add(metricPartials)
        .add(metricCounter)
        .launch(Kernels.LOSS, metricBlocks(logits.rows()));
  }

  @Override
  public void evaluate(Loss loss, Matrix logits, Buffer targets, Buffer metrics) {
    beginLaunch()
        .add(Kernels.code(loss))
        .add(logits.rows())
        .add(logits.columns())
        .add(CudaBuffer.address(logits.values()))
        .add(CudaBuffer.address(targets))
        .add(CudaBuffer.address(metrics))
        .add(metricPartials)
        .add(metricCounter)
        .launch(Kernels.EVALUATE, metricBlocks(logits.rows()));
  }

  private static long metricBlocks(int rows) {
    return Math.min(METRIC_BLOCKS, KernelLauncher.blocks(rows));
  }

  @Override
  public void activationGradient(Activation activation, Matrix activated, Matrix delta) {
    if (activation == Activation.IDENTITY) {
      return;
    }
    int elements = delta.rows() * delta.columns();
    beginLaunch()
        .add(Kernels.code(activation))
        .add(elements)
        .add(CudaBuffer.address(activated.values()))
        .add(CudaBuffer.address(delta.values()))
        .launch(Kernels.ACTIVATION_GRADIENT, KernelLauncher.blocks(elements));
  }

  @Override
  public void biasGradient(Matrix delta, Buffer gradient) {
    beginLaunch()
        .add(delta.rows())
        .add(delta.columns())
        .add(CudaBuffer.address(delta.values()))
        .add(CudaBuffer.address(gradient))
        .launch(
            Kernels.BIAS_GRADIENT, (delta.columns() + COLUMNS - 1L) / COLUMNS, 1, COLUMN_THREADS);
  }

  @Override
  public void unfold(Window window, Matrix images, Matrix patches) {
    launch(Kernels.UNFOLD, window, images, patches);
  }

  @Override
  public void fold(Window window, Matrix patches, Matrix images) {
    launch(Kernels.FOLD, window, patches, images);
  }

  /** A thread for each element of {@code to}. */
  private void launch(String kernel, Window window, Matrix from, Matrix to) {
    int elements = to.rows() * to.columns();
    beginLaunch()
        .add(elements)
        .add(window.height())
        .add(window.width())
        .add(window.channels())
        .add(window.kernel())
        .add(window.stride())
        .add(window.border())
        .add(window.outputHeight())
        .add(window.outputWidth())
        .add(CudaBuffer.address(from.values()))
        .add(CudaBuffer.address(to.values()))
        .launch(kernel, KernelLauncher.blocks(elements));
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
        beginLaunch()
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
    recording = replay;
    try {
      calls.run();
      replay.end();
    } catch (RuntimeException | Error e) {
      replay.close();
      throw e;
    } finally {
      recording = null;
    }
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
