package zerofive.backend.cuda;

import java.nio.ByteBuffer;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Images;

/**
 * Images that stay on the host. They reach the GPU in the order of the batches, a chunk of several
 * batches at a time: while the GPU trains on one chunk, threads gather the next and a stream of its
 * own copies it into the other of two places. Whether a chunk begins is planned apart from its
 * staging, so that calls can be recorded.
 */
final class StreamedPixels implements AutoCloseable {
  /** What a chunk holds at most, where one batch alone does not hold more. */
  private static final int CHUNK_BYTES = 8 << 20;

  /** Of the GPU's memory, for the places of two chunks of usual batches. */
  static final int PLACES_BYTES = 2 * CHUNK_BYTES;

  /**
   * A stretch of the order, on the GPU.
   *
   * @param order image indices
   * @param from where in {@code order} its buffer begins
   * @param length of that buffer
   * @param first the chunk's first image, counted from there
   * @param rows images in the chunk
   * @param width pixels of an image
   * @param setOffset first byte of image 0 in the set
   * @param slot which of the two places holds it
   */
  @SuppressWarnings("ArrayRecordComponent")
  record Chunk(
      int[] order, int from, int length, int first, int rows, int width, int setOffset, int slot) {
    boolean holds(int[] indices, Images images, Batch batch) {
      return order == indices
          && from == CudaBuffer.of(batch.order()).offset()
          && width == images.imageSize()
          && setOffset == CudaBuffer.of(images.pixels()).offset()
          && batch.first() >= first
          && batch.first() + batch.rows() <= first + rows;
    }

    /** The chunk after it, in the other place; null after the last. */
    Chunk next() {
      int start = first + rows;
      return start >= length
          ? null
          : new Chunk(
              order,
              from,
              length,
              start,
              Math.min(rows, length - start),
              width,
              setOffset,
              1 - slot);
    }
  }

  private final CUstream compute;
  private final CUstream copies = new CUstream();
  private final HostMemory pixels;
  private final Staging staging;
  private final DevicePointer[] places = new DevicePointer[2];
  private final CudaEvent copied;
  private final CudaEvent issued;

  /** What each place holds, or will when its upload is done. */
  private final Chunk[] staged = new Chunk[2];

  /** Of each place, until the compute stream has to wait for it. */
  private final Staging.Upload[] uploads = new Staging.Upload[2];

  private Chunk planned;
  private long room;

  /** Room for {@code length} pixels on the host, zero; all of it belongs to {@code owned}. */
  StreamedPixels(CUstream compute, Staging staging, int length, Resources owned) {
    this.compute = compute;
    this.staging = staging;
    CudaFailure.check(
        JCudaDriver.cuStreamCreate(copies, CUstream_flags.CU_STREAM_NON_BLOCKING),
        "creating a stream");
    owned.add(() -> JCudaDriver.cuStreamDestroy(copies));
    copied = owned.add(new CudaEvent());
    issued = owned.add(new CudaEvent());
    pixels = owned.add(new HostMemory(length));
    owned.add(this);
    clear(0, length);
  }

  int length() {
    return pixels.bytes().capacity();
  }

  void upload(byte[] source, int offset, int to, int length) {
    forget();
    pixels.bytes().put(to, source, offset, length);
  }

  void clear(int from, int length) {
    forget();
    byte[] zeros = new byte[Math.min(length, CHUNK_BYTES)];
    for (int at = 0; at < length; at += zeros.length) {
      pixels.bytes().put(from + at, zeros, 0, Math.min(zeros.length, length - at));
    }
  }

  /**
   * To be called before pixels or an order change: nobody reads them any more, and nothing that was
   * staged is of use.
   */
  void forget() {
    for (int slot = 0; slot < 2; slot++) {
      vacate(slot);
    }
    planned = null;
  }

  /**
   * To be called before and after a recording, whose chunks have to setOffset anew at every run.
   */
  void startOver() {
    planned = null;
  }

  /**
   * The chunk planned last, where it holds the batch; else null.
   *
   * @param indices what the memory of the batch's order holds
   * @param images a part of this set
   */
  Chunk current(int[] indices, Images images, Batch batch) {
    return planned != null && planned.holds(indices, images, batch) ? planned : null;
  }

  /**
   * A new chunk of whole batches that begins with this one; it has to be staged before a batch is
   * gathered.
   *
   * @param indices what the memory of the batch's order holds
   * @param images a part of this set
   */
  Chunk plan(int[] indices, Images images, Batch batch) {
    CudaBuffer order = CudaBuffer.of(batch.order());
    int width = images.imageSize();
    int setOffset = CudaBuffer.of(images.pixels()).offset();
    int batches = Math.max(1, CHUNK_BYTES / Math.max(1, batch.rows() * width));
    int left = order.length() - batch.first();
    int count = (int) Math.min((long) batches * batch.rows(), left);
    int slot = planned == null ? 0 : 1 - planned.slot();
    planned =
        new Chunk(
            indices, order.offset(), order.length(), batch.first(), count, width, setOffset, slot);
    return planned;
  }

  /** Whether both places are large enough for the chunk. */
  boolean hasRoomFor(Chunk chunk) {
    return room >= (long) chunk.rows() * chunk.width();
  }

  /** Makes both places large enough; not while calls are captured. */
  void makeRoomFor(Chunk chunk) {
    freePlaces();
    long bytes = (long) chunk.rows() * chunk.width();
    for (int slot = 0; slot < 2; slot++) {
      DevicePointer place = new DevicePointer();
      CudaFailure.check(
          JCudaDriver.cuMemAlloc(place, bytes), "taking " + bytes + " bytes of the GPU's memory");
      places[slot] = place;
    }
    room = bytes;
  }

  private void freePlaces() {
    room = 0;
    for (int slot = 0; slot < 2; slot++) {
      vacate(slot);
      if (places[slot] != null) {
        JCudaDriver.cuMemFree(places[slot]);
        places[slot] = null;
      }
    }
  }

  /** Where the chunk's pixels are, [rows, width]. */
  long address(Chunk chunk) {
    return places[chunk.slot()].address();
  }

  /**
   * Lets the compute stream wait until the chunk is in its place, and has the next one follow. The
   * host waits as long as the chunk is still being gathered.
   */
  void stage(Chunk chunk) {
    send(chunk);
    int slot = chunk.slot();
    if (uploads[slot] != null) {
      staged[slot] = null;
      uploads[slot].await();
      copied.record(copies);
      copied.holdBack(compute);
      uploads[slot] = null;
      staged[slot] = chunk;
    }
    Chunk next = chunk.next();
    if (next != null) {
      send(next);
    }
  }

  /**
   * Sends the chunk to its place, unless it is there or on its way. What the compute stream was
   * given so far may still read the place.
   */
  private void send(Chunk chunk) {
    int slot = chunk.slot();
    if (chunk.equals(staged[slot])) {
      return;
    }
    vacate(slot);
    issued.record(compute);
    issued.holdBack(copies);
    uploads[slot] =
        staging.start(
            (from, target) -> gather(chunk, (int) (from / chunk.width()), target),
            (long) chunk.rows() * chunk.width(),
            chunk.width(),
            places[slot],
            copies);
    staged[slot] = chunk;
  }

  /**
   * Nothing is sent to the place any more. A failure of that shows at the next call that counts.
   */
  private void vacate(int slot) {
    staged[slot] = null;
    if (uploads[slot] != null) {
      uploads[slot].settle();
      uploads[slot] = null;
    }
  }

  private void gather(Chunk chunk, int row, ByteBuffer target) {
    int width = chunk.width();
    int start = chunk.from() + chunk.first() + row;
    for (int r = 0; r < target.capacity() / width; r++) {
      int image = chunk.order()[start + r];
      target.put(r * width, pixels.bytes(), chunk.setOffset() + image * width, width);
    }
  }

  @Override
  public void close() {
    forget();
    JCudaDriver.cuStreamSynchronize(copies);
    freePlaces();
  }
}
