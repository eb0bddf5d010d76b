package zerofive.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Launches kernels on one stream. Arguments are written into native memory, eight bytes each,
 * behind a table of their addresses that never changes; the driver copies them during the launch.
 * JCuda's own way, a Pointer to Pointers made for each launch, takes ten times as long.
 */
final class KernelLauncher {
  /** Threads of a block, as kernels/launch.cuh has them. */
  static final int THREADS = 256;

  private static final int MAX_ARGUMENTS = 24;

  private final CudaContext context;
  private final CUstream stream;
  private final ByteBuffer arguments;
  private final Pointer table;
  private int used;

  KernelLauncher(CudaContext context, CUstream stream, Resources owned) {
    this.context = context;
    this.stream = stream;
    PinnedMemory memory = owned.add(new PinnedMemory(2 * MAX_ARGUMENTS * Long.BYTES));
    ByteBuffer all = memory.bytes();
    long base = memory.address();
    for (int i = 0; i < MAX_ARGUMENTS; i++) {
      all.putLong(i * Long.BYTES, base + (long) (MAX_ARGUMENTS + i) * Long.BYTES);
    }
    arguments =
        all.slice(MAX_ARGUMENTS * Long.BYTES, MAX_ARGUMENTS * Long.BYTES)
            .order(ByteOrder.nativeOrder());
    table = new Address(base);
  }

  /** An argument: a pointer into the GPU's memory. */
  KernelLauncher add(long address) {
    arguments.putLong(used++ * Long.BYTES, address);
    return this;
  }

  /** An argument. */
  KernelLauncher add(int value) {
    arguments.putInt(used++ * Long.BYTES, value);
    return this;
  }

  /** An argument. */
  KernelLauncher add(float value) {
    arguments.putFloat(used++ * Long.BYTES, value);
    return this;
  }

  /** Launches blocks of {@link #THREADS} threads with the arguments added since the last launch. */
  void launch(String kernel, long blocks) {
    launch(kernel, blocks, 1, THREADS);
  }

  /** Launches a grid of {@code gridX} by {@code gridY} blocks with the arguments added. */
  void launch(String kernel, long gridX, int gridY, int blockX) {
    used = 0;
    CUfunction function = context.kernel(kernel);
    CudaFailure.check(
        JCudaDriver.cuLaunchKernel(
            function, (int) gridX, gridY, 1, blockX, 1, 1, 0, stream, table, null),
        "launching " + kernel);
  }

  /** Blocks of {@link #THREADS} threads for a thread an element. */
  static long blocks(long elements) {
    return (elements + THREADS - 1) / THREADS;
  }
}
