package zerofive.backend.cuda;

import zerofive.backend.ops.Matrix;

/**
 * Matrix products by our own kernel, kernels/gemm.cu: no library is needed, and a layer's
 * element-wise part costs no launch of its own.
 */
final class PtxGemm implements MatrixProduct {
  /** Enough blocks to keep a GPU busy; a product of fewer tiles is split along k (split-k). */
  private static final int BLOCKS = 96;

  /** A split with fewer terms is not worth a block. */
  private static final int MIN_SPLIT_DEPTH = 64;

  /** Terms that a block loads at a time, as kernels/gemm.cu has it. */
  private static final int DEPTH = 32;

  /** Sides of a tile: the two instances of the kernel. */
  private static final int SMALL = 32;

  private static final int LARGE = 64;

  /**
   * A product that is split has fewer than two times BLOCKS tiles in all its splits, each of SMALL
   * * SMALL sums and SMALL sums of rows.
   */
  static final int PARTIAL_SUMS = 2 * BLOCKS * SMALL * (SMALL + 1);

  /** One for each tile of a product that is split. */
  static final int COUNTERS = BLOCKS;

  private final KernelLauncher launcher;
  private final long partials;
  private final long counters;

  /**
   * A product that uses the given memory of the GPU.
   *
   * @param partials F32 [PARTIAL_SUMS]
   * @param counters I32 [COUNTERS], zero
   */
  PtxGemm(KernelLauncher launcher, long partials, long counters) {
    this.launcher = launcher;
    this.partials = partials;
    this.counters = counters;
  }

  /**
   * How a product is divided among blocks: by its shape alone, so that the bits are the same on
   * every GPU.
   *
   * @param tile side of a block's tile
   * @param tiles of the result
   * @param splitDepth terms of k in a split
   * @param splits of k
   */
  record Tiling(int tile, long tiles, int splitDepth, int splits) {
    static Tiling of(int m, int n, int k) {
      long large = tiles(m, n, LARGE);
      if (large >= BLOCKS) {
        return new Tiling(LARGE, large, k, 1);
      }
      long small = tiles(m, n, SMALL);
      if (small >= BLOCKS) {
        return new Tiling(SMALL, small, k, 1);
      }
      int wanted =
          (int)
              Math.min((BLOCKS + small - 1) / small, (k + MIN_SPLIT_DEPTH - 1L) / MIN_SPLIT_DEPTH);
      int splitDepth = roundUp((k + wanted - 1) / wanted, DEPTH);
      return new Tiling(SMALL, small, splitDepth, (int) ((k + splitDepth - 1L) / splitDepth));
    }

    /** Without splits: each element is one chain. */
    static Tiling whole(int m, int n, int k) {
      long large = tiles(m, n, LARGE);
      return large >= BLOCKS
          ? new Tiling(LARGE, large, k, 1)
          : new Tiling(SMALL, tiles(m, n, SMALL), k, 1);
    }

    /** In splits of exactly {@code splitDepth} terms; the last may have fewer. */
    static Tiling split(int m, int n, int k, int splitDepth) {
      int splits = (int) ((k + splitDepth - 1L) / splitDepth);
      long large = tiles(m, n, LARGE);
      return large * splits >= BLOCKS
          ? new Tiling(LARGE, large, splitDepth, splits)
          : new Tiling(SMALL, tiles(m, n, SMALL), splitDepth, splits);
    }

    /** Floats that the splits leave for a tile's last block, with the sums of m rows. */
    long partialSums(int m) {
      return splits * (tiles * tile * tile + m);
    }

    private static long tiles(int m, int n, int side) {
      return (m + side - 1L) / side * ((n + side - 1L) / side);
    }

    private static int roundUp(int value, int unit) {
      return (value + unit - 1) / unit * unit;
    }
  }

  @Override
  public void multiply(boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c) {
    multiply(transposeA, transposeB, a, b, c, Epilogue.NONE);
  }

  /** The product, and what the epilogue adds to it. */
  void multiply(
      boolean transposeA, boolean transposeB, Matrix a, Matrix b, Matrix c, Epilogue epilogue) {
    int k = transposeA ? a.rows() : a.columns();
    Tiling tiling = Tiling.of(c.rows(), c.columns(), k);
    multiply(transposeA, transposeB, a, b, c, epilogue, tiling);
  }

  /** The same, divided so. */
  void multiply(
      boolean transposeA,
      boolean transposeB,
      Matrix a,
      Matrix b,
      Matrix c,
      Epilogue epilogue,
      Tiling tiling) {
    int k = transposeA ? a.rows() : a.columns();
    launcher
        .add(c.rows())
        .add(c.columns())
        .add(k)
        .add(CudaBuffer.address(a.values()))
        .add(transposeA ? 1 : a.columns())
        .add(transposeA ? a.columns() : 1)
        .add(CudaBuffer.address(b.values()))
        .add(transposeB ? 1 : b.columns())
        .add(transposeB ? b.columns() : 1)
        .add(CudaBuffer.address(c.values()))
        .add(epilogue.code())
        .add(Kernels.code(epilogue.activation()))
        .add(epilogue.other())
        .add(tiling.splitDepth())
        .add(epilogue.rowSums())
        .add(partials)
        .add(counters)
        .launch(
            tiling.tile() == LARGE ? Kernels.GEMM_64 : Kernels.GEMM_32,
            tiling.tiles(),
            tiling.splits(),
            KernelLauncher.THREADS);
  }
}
