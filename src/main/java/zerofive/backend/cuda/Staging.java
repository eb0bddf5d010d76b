package zerofive.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Pinned buffers through which bytes go between Java's heap and the GPU.
 *
 * <p>What one buffer holds is filled by the calling thread. What is larger goes in pieces: each of
 * several threads fills a buffer of its own and hands it to the stream, so that the host fills
 * while the bus copies. Several threads, since one core copies slower than the bus; of our own
 * rather than of the common pool, since they wait for the GPU, and a piece each rather than a share
 * of every piece, since then none waits for another.
 */
final class Staging implements AutoCloseable {
  /**
   * Large enough that a copy's start hardly counts (42 us of copying at 25 GB/s), small enough that
   * the first begins soon and that little memory is pinned.
   */
  static final int PIECE_BYTES = 1 << 20;

  /** Filling threads, each with a buffer. */
  private static final int FILLERS = 4;

  /** Buffers are at least so large: an epoch's order and step parameters seldom need more. */
  private static final int MIN_BYTES = 1 << 16;

  /** Where bytes come from. */
  interface Source {
    /** Fills {@code target} with the bytes from {@code from} on; on any thread. */
    void read(long from, ByteBuffer target);
  }

  /** Where bytes go. */
  interface Sink {
    /** Takes all of {@code bytes}, which follow {@code from} others. */
    void write(long from, ByteBuffer bytes);
  }

  /** Pinned memory, and when the GPU has fetched what it held last. */
  private static final class PinnedBuffer {
    private final CudaEvent fetched;
    private PinnedMemory memory;

    PinnedBuffer(CudaEvent fetched) {
      this.fetched = fetched;
    }

    /** The memory as soon as the GPU needs it no more, grown to {@code bytes} or more. */
    PinnedMemory await(int bytes) {
      fetched.await();
      if (memory == null || memory.bytes().capacity() < bytes) {
        free();
        memory = new PinnedMemory(Math.max(bytes, MIN_BYTES));
      }
      return memory;
    }

    void free() {
      if (memory != null) {
        memory.close();
        memory = null;
      }
    }
  }

  private final CudaContext context;
  private final PinnedBuffer callerBuffer;
  private final List<PinnedBuffer> buffers = new ArrayList<>();

  /** Never empty where a filling thread looks: there are as many as threads. */
  private final Queue<PinnedBuffer> free = new ConcurrentLinkedQueue<>();

  private final ExecutorService fillers;

  Staging(CudaContext context, Resources owned) {
    this.context = context;
    for (int i = 0; i <= FILLERS; i++) {
      buffers.add(new PinnedBuffer(owned.add(new CudaEvent())));
    }
    callerBuffer = buffers.get(0);
    free.addAll(buffers.subList(1, buffers.size()));
    // The threads begin with the first upload that needs them.
    fillers = Executors.newFixedThreadPool(FILLERS, Staging::filler);
    owned.add(this);
  }

  /** Keeps no process alive. */
  private static Thread filler(Runnable work) {
    Thread thread = new Thread(work, "zerofive-upload");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Copies to the GPU, on the stream; returns when the last byte was read from {@code source} and
   * the stream was given every copy, or when no piece is under way any more and one has failed.
   */
  void upload(Source source, long bytes, CUdeviceptr to, CUstream stream) {
    if (bytes > PIECE_BYTES) {
      uploadInPieces(source, bytes, to, stream);
    } else if (bytes > 0) {
      send(callerBuffer, source, 0, (int) bytes, to, stream);
    }
  }

  private void uploadInPieces(Source source, long bytes, CUdeviceptr to, CUstream stream) {
    List<CompletableFuture<Void>> pieces = new ArrayList<>();
    for (long at = 0; at < bytes; at += PIECE_BYTES) {
      long from = at;
      int count = (int) Math.min(PIECE_BYTES, bytes - from);
      pieces.add(CompletableFuture.runAsync(() -> fill(source, from, count, to, stream), fillers));
    }
    try {
      CompletableFuture.allOf(pieces.toArray(CompletableFuture[]::new)).join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) e.getCause();
    }
  }

  private void fill(Source source, long from, int count, CUdeviceptr to, CUstream stream) {
    PinnedBuffer buffer = free.remove();
    try {
      context.makeCurrent();
      send(buffer, source, from, count, to, stream);
    } finally {
      free.add(buffer);
    }
  }

  private static void send(
      PinnedBuffer buffer, Source source, long from, int count, CUdeviceptr to, CUstream stream) {
    PinnedMemory host = buffer.await(count);
    source.read(from, host.bytes().slice(0, count).order(ByteOrder.nativeOrder()));
    CudaFailure.check(
        JCudaDriver.cuMemcpyHtoDAsync(to.withByteOffset(from), host.pointer(), count, stream),
        "copying to the GPU");
    buffer.fetched.record(stream);
  }

  /** Copies from the GPU when all that the stream was given is done, and waits for it. */
  void download(CUdeviceptr from, long bytes, CUstream stream, Sink sink) {
    for (long at = 0; at < bytes; at += PIECE_BYTES) {
      int count = (int) Math.min(PIECE_BYTES, bytes - at);
      PinnedMemory host = callerBuffer.await(count);
      CudaFailure.check(
          JCudaDriver.cuMemcpyDtoHAsync(host.pointer(), from.withByteOffset(at), count, stream),
          "copying from the GPU");
      CudaFailure.check(JCudaDriver.cuStreamSynchronize(stream), "waiting for the GPU");
      sink.write(at, host.bytes().slice(0, count).order(ByteOrder.nativeOrder()));
    }
  }

  @Override
  public void close() {
    fillers.shutdown();
    buffers.forEach(PinnedBuffer::free);
  }
}
