package zerofive.backend.cuda;

import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.Dense;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.model.Activation;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Window;

/**
 * Operations of a convolutional net with the bits of the CPU's: every sum in the order of
 * docs/determinism.md. A product is one chain an element, but for the gradient of a convolution's
 * weights, which is split by blocks of images.
 */
final class ExactOps extends CudaOps {
  /** Places of a window at least in a block of images, as docs/determinism.md has it. */
  private static final int BLOCK_PLACES = 128;

  /** Lanes that compute an element of the last layer. */
  private static final int DOT_CHAINS = 16;

  /** Chains of losses, the lanes of a warp; behind them is the number of images so far. */
  private static final int LOSS_CHAINS = 32;

  private final PtxGemm product;
  private final Buffer losses;
  private final Buffer chains;

  /**
   * Operations on a new stream of {@code context}.
   *
   * @param rows of a batch at most; 0 where no gradient is asked for
   * @throws zerofive.backend.DeviceException where the GPU's memory is too small
   */
  ExactOps(CudaContext context, CudaOptions options, Architecture architecture, int rows) {
    super(context, options, false);
    try {
      long partialSums = 1;
      long counters = 1;
      for (Window window : architecture.windows()) {
        if (!window.isDense()) {
          PtxGemm.Tiling tiling = gradientTiling(window, rows);
          partialSums = Math.max(partialSums, tiling.partialSums(window.outputs()));
          counters = Math.max(counters, tiling.tiles());
        }
      }
      product =
          newProduct(
              allocate(ElementType.F32, ForwardPass.elements(1, partialSums)),
              allocate(ElementType.I32, ForwardPass.elements(1, counters)));
      losses = allocate(ElementType.F32, Math.max(1, rows));
      chains = allocate(ElementType.F64, LOSS_CHAINS + 1);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** Blocks of images, each a split: the least power of two of them with BLOCK_PLACES places. */
  private static PtxGemm.Tiling gradientTiling(Window window, int rows) {
    int positions = window.positions();
    int images = 1;
    while ((long) images * positions < BLOCK_PLACES) {
      images *= 2;
    }
    int places = ForwardPass.elements(rows, positions);
    return PtxGemm.Tiling.split(window.outputs(), window.fanIn(), places, images * positions);
  }

  private void multiply(
      boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c, Epilogue epilogue) {
    beforeLaunch();
    int k = transposeA ? a.rows() : a.columns();
    product.multiply(
        transposeA, transposeB, a, b, c, epilogue, PtxGemm.Tiling.whole(c.rows(), c.columns(), k));
  }

  @Override
  public void gemm(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    multiply(transposeA, transposeB, a, b, c, Epilogue.NONE);
  }

  /** The last layer, whose outputs are the logits, has sixteen chains an element. */
  @Override
  public void layer(Dense layer, Matrix input, Matrix output) {
    if (layer.activation() != Activation.IDENTITY) {
      Epilogue epilogue = Epilogue.biasActivation(layer.activation(), layer.bias());
      multiply(false, true, input, layer.weight(), output, epilogue);
      return;
    }
    beginLaunch()
        .add(output.rows())
        .add(input.columns())
        .add(output.columns())
        .add(CudaBuffer.address(input.values()))
        .add(CudaBuffer.address(layer.weight().values()))
        .add(CudaBuffer.address(layer.bias()))
        .add(CudaBuffer.address(output.values()))
        .launch(
            Kernels.EXACT_LAST_LAYER,
            KernelLauncher.blocks((long) output.rows() * output.columns() * DOT_CHAINS));
  }

  @Override
  public void layerGradient(
      Matrix delta, Matrix input, Matrix weightGradient, Buffer biasGradient) {
    multiply(true, false, delta, input, weightGradient, Epilogue.rowSums(biasGradient));
  }

  @Override
  public void convolutionGradient(
      Window window, Matrix delta, Matrix patches, Matrix weightGradient, Buffer biasGradient) {
    beforeLaunch();
    product.multiply(
        true,
        false,
        delta,
        patches,
        weightGradient,
        Epilogue.rowSums(biasGradient),
        gradientTiling(window, delta.rows() / window.positions()));
  }

  @Override
  public void layerDelta(
      Activation activation, Matrix delta, Matrix weight, Matrix input, Matrix below) {
    multiply(false, false, delta, weight, below, Epilogue.activationGradient(activation, input));
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
        .add(CudaBuffer.address(losses))
        .launch(Kernels.EXACT_ROW_LOSSES, KernelLauncher.blocks(logits.rows()));
    beginLaunch()
        .add(CudaBuffer.address(losses))
        .add(0L)
        .add(logits.rows())
        .add(logits.rows())
        .add(CudaBuffer.address(lossSums.slice(step, 1)))
        .launch(Kernels.EXACT_LOSS_SUMS, 1, 1, LOSS_CHAINS);
  }

  @Override
  public void evaluate(Loss loss, Matrix logits, Buffer targets, Buffer metrics) {
    beginLaunch()
        .add(Kernels.code(loss))
        .add(logits.rows())
        .add(logits.columns())
        .add(CudaBuffer.address(logits.values()))
        .add(CudaBuffer.address(targets))
        .add(CudaBuffer.address(chains))
        .add(CudaBuffer.address(metrics))
        .launch(Kernels.EXACT_EVALUATE, 1, 1, LOSS_CHAINS);
  }

  /** An evaluation, whose chains of losses go on from batch to batch, starts with this. */
  @Override
  public void clear(Buffer buffer) {
    super.clear(buffer);
    if (buffer.type() == ElementType.F64 && buffer.length() == Ops.METRICS) {
      super.clear(chains);
    }
  }
}
