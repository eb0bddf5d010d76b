package zerofive.backend.cuda;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.SplittableRandom;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;

/**
 * From Java's heap to the GPU by our pinned buffers, beside one plain copy of as many bytes that
 * are pinned already, in turns.
 */
final class CopyTimings {
  private static final int RUNS = 5;
  private static final int WARM_UP_RUNS = 2;

  private static final List<Integer> MEBIBYTES = List.of(8, 32, 128, 512, 1024);

  private CopyTimings() {}

  /** A line for each size, as soon as it is timed. */
  static void print(boolean dryRun) {
    for (int mebibytes : dryRun ? MEBIBYTES.subList(0, 1) : MEBIBYTES) {
      GpuTimings.print("copies", row(mebibytes << 20));
    }
  }

  private static JsonObject row(int bytes) {
    byte[] source = new byte[bytes];
    new SplittableRandom(1).nextBytes(source);
    try (CudaBackend backend = new CudaBackend(GpuTimings.options("own", SessionKind.GRAPH));
        CudaOps ops = backend.newOps();
        Plain plain = new Plain(ops, source.length)) {
      Buffer staged = ops.allocate(ElementType.U8, source.length);
      double[][] micros = new double[2][RUNS];
      for (int run = -WARM_UP_RUNS; run < RUNS; run++) {
        double[] now = {
          time(plain::copy),
          time(
              () -> {
                ops.upload(source, 0, staged);
                plain.await();
              })
        };
        for (int i = 0; run >= 0 && i < now.length; i++) {
          micros[i][run] = now[i];
        }
      }
      JsonObject row = new JsonObject();
      row.addProperty("bytes", source.length);
      String[] names = {"pinned", "staged"};
      for (int i = 0; i < names.length; i++) {
        Timing timing = new Timing(micros[i]);
        JsonObject json = timing.json();
        json.addProperty("gb_per_s", source.length / timing.median() / 1e3);
        row.add(names[i], json);
      }
      return row;
    }
  }

  private static double time(Runnable action) {
    long begin = System.nanoTime();
    action.run();
    return (System.nanoTime() - begin) / 1e3;
  }

  /** One cuMemcpyHtoDAsync of pinned bytes. */
  private static final class Plain implements AutoCloseable {
    private final CUstream stream = new CUstream();
    private final PinnedMemory host;
    private final CudaBuffer target;

    Plain(CudaOps ops, int bytes) {
      target = CudaBuffer.of(ops.allocate(ElementType.U8, bytes));
      host = new PinnedMemory(bytes);
      CudaFailure.check(
          JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING),
          "creating a stream");
    }

    void copy() {
      CudaFailure.check(
          JCudaDriver.cuMemcpyHtoDAsync(target.pointer(), host.pointer(), target.bytes(), stream),
          "copying to the GPU");
      await();
    }

    /** Until the GPU is done with everything, of every stream. */
    void await() {
      CudaFailure.check(JCudaDriver.cuCtxSynchronize(), "waiting for the GPU");
    }

    @Override
    public void close() {
      JCudaDriver.cuStreamDestroy(stream);
      host.close();
    }
  }
}
