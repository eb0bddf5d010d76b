package zerofive.backend.cuda;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import zerofive.backend.cuda.CudaOptions.SessionKind;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Images;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;

/**
 * From Java's heap to the GPU by our pinned buffers, and an epoch of a streamed set as training
 * gathers it, each beside one plain copy of as many bytes that are pinned already, in turns.
 */
final class CopyTimings {
  private static final int WIDTH = 784;
  private static final int ROWS = 256;
  private static final int RUNS = 5;

  /** The second run of recorded calls captures them, and only the third launches graphs alone. */
  private static final int WARM_UP_RUNS = 2;

  private static final List<Integer> MEBIBYTES = List.of(8, 32, 128, 512, 1024);

  private CopyTimings() {}

  /** A line for each size, as soon as it is timed. */
  static void print(boolean dryRun) {
    for (int mebibytes : dryRun ? MEBIBYTES.subList(0, 1) : MEBIBYTES) {
      int batches = Math.min(mebibytes << 20, Integer.MAX_VALUE - 8) / (WIDTH * ROWS);
      GpuTimings.print("copies", row(batches));
    }
  }

  private static JsonObject row(int batches) {
    int images = batches * ROWS;
    byte[] source = new byte[images * WIDTH];
    new SplittableRandom(1).nextBytes(source);
    try (CudaBackend backend =
            new CudaBackend(GpuTimings.options("own", SessionKind.GRAPH, Long.MAX_VALUE));
        CudaBackend streaming = new CudaBackend(GpuTimings.options("own", SessionKind.GRAPH, 0));
        CudaOps ops = backend.newOps();
        CudaOps streamedOps = streaming.newOps();
        Plain plain = new Plain(ops, source.length)) {
      Buffer staged = ops.allocate(ElementType.U8, source.length);
      Epoch streamed = new Epoch(streamedOps, source, images);
      double[][] micros = new double[3][RUNS];
      for (int run = -WARM_UP_RUNS; run < RUNS; run++) {
        double[] now = {
          time(plain::copy),
          time(
              () -> {
                ops.upload(source, 0, staged);
                plain.await();
              }),
          time(
              () -> {
                streamed.run();
                plain.await();
              })
        };
        for (int i = 0; run >= 0 && i < now.length; i++) {
          micros[i][run] = now[i];
        }
      }
      JsonObject row = new JsonObject();
      row.addProperty("bytes", source.length);
      String[] names = {"pinned", "staged", "streamed"};
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
    private final HostMemory host;
    private final CudaBuffer target;

    Plain(CudaOps ops, int bytes) {
      target = CudaBuffer.of(ops.allocate(ElementType.U8, bytes));
      host = new HostMemory(bytes);
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

  /** A set on the host, and every batch of it in a shuffled order, recorded as a session's are. */
  private static final class Epoch {
    private final Ops ops;
    private final int[] numbers;
    private final Buffer order;
    private final Runnable everyBatch;

    Epoch(Ops ops, byte[] source, int images) {
      this.ops = ops;
      numbers = IntStream.range(0, images).map(i -> (int) (i * 7919L % images)).toArray();
      Buffer labels = ops.allocate(ElementType.I32, images);
      order = ops.allocate(ElementType.I32, images);
      Matrix x = new Matrix(ops.allocate(ElementType.F32, ROWS * WIDTH), ROWS, WIDTH);
      Buffer targets = ops.allocate(ElementType.I32, ROWS);
      Buffer pixels = ops.allocate(ElementType.U8, source.length);
      ops.upload(source, 0, pixels);
      Images set = new Images(pixels, labels, 1, WIDTH);
      everyBatch =
          ops.recorded(
              () -> {
                for (int first = 0; first < images; first += ROWS) {
                  ops.gather(set, new Batch(order, first, ROWS), x, targets);
                }
              });
    }

    /** The new order makes the chunks that are on the GPU already useless. */
    void run() {
      ops.upload(numbers, order);
      everyBatch.run();
    }
  }
}
