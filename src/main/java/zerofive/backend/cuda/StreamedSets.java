package zerofive.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import jcuda.driver.CUstream;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.Images;

/**
 * The sets of images that do not stay on the GPU: which they are, and what brings a batch's chunk
 * there, at once or when recorded calls are run again. All that operations on a stream know of
 * streaming is this class and the {@link StreamedPixels} of a set.
 */
final class StreamedSets {
  /**
   * Left free at most when a set of images is put on the GPU. Sessions allocate their sets last, so
   * this is for what the driver takes by itself later on: cuBLAS's kernels at their first use,
   * graphs, a second session that evaluates. NVIDIA does not say how much that is; this is a guess
   * on the safe side.
   */
  private static final long MAX_RESERVE_BYTES = 512L << 20;

  /** The part of the memory of a small GPU that is left free. */
  private static final int RESERVE_DIVISOR = 8;

  private final CudaContext context;
  private final CUstream stream;
  private final Staging staging;
  private final Resources owned;
  private final long residentBytes;
  private final List<StreamedPixels> sets = new ArrayList<>();

  /**
   * None yet.
   *
   * @param stream that reads the images
   * @param owned what the sets take is freed with it
   * @param residentBytes pixels of one set that may stay on the GPU
   */
  StreamedSets(
      CudaContext context, CUstream stream, Staging staging, Resources owned, long residentBytes) {
    this.context = context;
    this.stream = stream;
    this.staging = staging;
    this.owned = owned;
    this.residentBytes = residentBytes;
  }

  /**
   * Whether a set of {@code length} pixels is to stay on the GPU. One no larger than the places of
   * a streamed one would save nothing on the host.
   */
  boolean belongsOnGpu(int length) {
    if (length > residentBytes) {
      return false;
    }
    long reserve = Math.min(MAX_RESERVE_BYTES, context.gpu().memoryBytes() / RESERVE_DIVISOR);
    return length <= StreamedPixels.PLACES_BYTES || length + reserve <= context.freeBytes();
  }

  /** A new set of {@code length} pixels on the host, zero. */
  StreamedPixels add(int length) {
    StreamedPixels pixels = new StreamedPixels(stream, staging, length, owned);
    sets.add(pixels);
    return pixels;
  }

  /** To be called before an order changes. */
  void forget() {
    sets.forEach(StreamedPixels::forget);
  }

  /** To be called before and after a recording. */
  void startOver() {
    sets.forEach(StreamedPixels::startOver);
  }

  /**
   * The chunk with a batch of {@code pixels}; its copy to the GPU is under way, or will be when
   * {@code recording} is run.
   *
   * @param recording null where calls are carried out at once
   */
  StreamedPixels.Chunk bring(
      StreamedPixels pixels, Images images, Batch batch, CudaGraphRecorder recording) {
    context.makeCurrent();
    int[] numbers = numbers(CudaBuffer.of(batch.order()).memory());
    StreamedPixels.Chunk current = pixels.current(numbers, images, batch);
    if (current != null) {
      return current;
    }
    StreamedPixels.Chunk chunk = pixels.plan(numbers, images, batch);
    if (!pixels.hasRoomFor(chunk)) {
      if (recording != null) {
        recording.cut();
      }
      pixels.makeRoomFor(chunk);
    }
    if (recording == null) {
      pixels.stage(chunk);
    } else {
      recording.onHost(() -> pixels.stage(chunk));
    }
    return chunk;
  }

  /** The GPU's integers, read back where a kernel wrote them. */
  private int[] numbers(CudaMemory memory) {
    HostMirror numbers = memory.mirror();
    if (numbers.isStale()) {
      forget();
      staging.download(
          memory.pointer(),
          (long) numbers.values().length * Integer.BYTES,
          stream,
          (from, bytes) ->
              bytes.asIntBuffer().get(numbers.values(), (int) (from / 4), bytes.capacity() / 4));
      numbers.refresh();
    }
    return numbers.values();
  }

  /** One line for each set: that it is streamed, and why. */
  List<String> notes() {
    return sets.stream().map(this::note).toList();
  }

  private String note(StreamedPixels pixels) {
    return "a set of "
        + mebibytes(pixels.length())
        + " of pixels is streamed to the GPU in every epoch, since "
        + (pixels.length() > residentBytes
            ? "zerofive.cuda.resident-mb keeps no more than " + mebibytes(residentBytes) + " there"
            : "the GPU's free memory does not hold it");
  }

  private static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1 << 20));
  }
}
