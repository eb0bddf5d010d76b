package zerofive.backend.cuda;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/**
 * Two pinned buffers that take turns on one stream: the host fills one while the card fetches the
 * other.
 */
final class Staging implements AutoCloseable {
  /**
   * Large enough that a copy runs at the bus's full speed, small enough to be pinned in a
   * millisecond or two.
   */
  static final int PIECE_BYTES = 4 << 20;

  /** Where bytes come from. */
  interface Source {
    /** Fills {@code target} with the bytes from {@code from} on. */
    void read(long from, ByteBuffer target);
  }

  /** Where bytes go. */
  interface Sink {
    /** Takes all of {@code bytes}, which follow {@code from} others. */
    void write(long from, ByteBuffer bytes);
  }

  private final CUstream stream;
  private final HostMemory[] memory = new HostMemory[2];
  private final CudaEvent[] sent;
  private int turn;

  Staging(CUstream stream, Resources owned) {
    this.stream = stream;
    sent = new CudaEvent[] {owned.add(new CudaEvent()), owned.add(new CudaEvent())};
    owned.add(this);
  }

  /**
   * Copies to the card, on the stream; returns when the last byte was read from {@code source}.
   *
   * @param unit bytes that {@code source} is always asked for together, or multiples
   */
  void upload(Source source, long bytes, int unit, CUdeviceptr to) {
    int piece = Math.max(unit, PIECE_BYTES / unit * unit);
    for (long from = 0; from < bytes; from += piece) {
      int count = (int) Math.min(piece, bytes - from);
      HostMemory host = next(count);
      source.read(from, host.bytes().slice(0, count).order(ByteOrder.nativeOrder()));
      CudaFailure.check(
          JCudaDriver.cuMemcpyHtoDAsync(to.withByteOffset(from), host.pointer(), count, stream),
          "copying to the card");
      sent[turn].record(stream);
    }
  }

  /** Copies from the card when all that the stream was given is done, and waits for it. */
  void download(CUdeviceptr from, long bytes, Sink sink) {
    for (long at = 0; at < bytes; at += PIECE_BYTES) {
      int count = (int) Math.min(PIECE_BYTES, bytes - at);
      HostMemory host = next(count);
      CudaFailure.check(
          JCudaDriver.cuMemcpyDtoHAsync(host.pointer(), from.withByteOffset(at), count, stream),
          "copying from the card");
      CudaFailure.check(JCudaDriver.cuStreamSynchronize(stream), "waiting for the card");
      sink.write(at, host.bytes().slice(0, count).order(ByteOrder.nativeOrder()));
    }
  }

  /** The other buffer, as soon as the card has fetched what it held. */
  private HostMemory next(int bytes) {
    turn = 1 - turn;
    sent[turn].await();
    if (memory[turn] == null || memory[turn].bytes().capacity() < bytes) {
      if (memory[turn] != null) {
        memory[turn].close();
        memory[turn] = null;
      }
      memory[turn] = new HostMemory(bytes);
    }
    return memory[turn];
  }

  @Override
  public void close() {
    for (HostMemory host : memory) {
      if (host != null) {
        host.close();
      }
    }
  }
}
