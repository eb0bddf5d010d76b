package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.DeviceException;
import zerofive.backend.JniCheck;
import zerofive.backend.ops.Batch;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Images;

/** Uploads and downloads through pinned buffers, on the simulated device. */
@ExtendWith({FreshDevice.class, JniCheck.class})
final class StagingTest {
  private static final int PIECE = Staging.PIECE_BYTES;

  private final CUstream stream = new CUstream();
  private Resources owned;
  private CudaContext context;
  private Staging staging;

  @BeforeEach
  void open() {
    owned = new Resources();
    context = owned.add(new CudaContext(CudaGpu.find(0), 0));
    CudaFailure.check(
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "a stream");
    owned.add(() -> JCudaDriver.cuStreamDestroy(stream));
    staging = new Staging(context, owned);
  }

  @AfterEach
  void nothingIsLeft() {
    JCudaDriver.cuStreamSynchronize(stream);
    owned.close();
    assertEquals(List.of(), SimulatedDevice.liveObjects());
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  private DevicePointer allocate(int bytes) {
    DevicePointer pointer = new DevicePointer();
    CudaFailure.check(JCudaDriver.cuMemAlloc(pointer, Math.max(1, bytes)), "allocating");
    owned.add(() -> JCudaDriver.cuMemFree(pointer));
    return pointer;
  }

  private static byte[] random(int bytes) {
    byte[] source = new byte[bytes];
    new SplittableRandom(bytes).nextBytes(source);
    return source;
  }

  private static Staging.Source of(byte[] source) {
    return (from, target) -> target.put(0, source, (int) from, target.capacity());
  }

  private byte[] downloaded(DevicePointer from, int bytes) {
    byte[] all = new byte[bytes];
    staging.download(from, bytes, stream, (at, some) -> some.get(all, (int) at, some.capacity()));
    return all;
  }

  @ParameterizedTest
  @ValueSource(strings = {"schedule=eager", "schedule=lazy", "schedule=random:1"})
  void everyByteArrives(String schedule) {
    SimulatedDevice.configure(schedule);
    for (int bytes : new int[] {0, 1, PIECE - 1, PIECE, PIECE + 1, 9 * PIECE + 4321}) {
      byte[] source = random(bytes);
      DevicePointer to = allocate(bytes);
      staging.upload(of(source), bytes, 1, to, stream);
      assertArrayEquals(source, downloaded(to, bytes), bytes + " bytes");
    }
  }

  /** A piece is cut between units, be they larger than a piece. */
  @ParameterizedTest
  @ValueSource(ints = {784, 700_000, PIECE + 16})
  void aUnitIsNeverDivided(int unit) {
    byte[] source = random(5 * unit);
    DevicePointer to = allocate(source.length);
    Staging.Source whole =
        (from, target) -> {
          assertEquals(0, from % unit);
          assertEquals(0, target.capacity() % unit);
          of(source).read(from, target);
        };
    staging.start(whole, source.length, unit, to, stream).await();
    assertArrayEquals(source, downloaded(to, source.length));
  }

  /** No piece is ready before four are begun, and none before the caller has gone on. */
  @Test
  void fourPiecesAreFilledAtOnceWhileTheCallerGoesOn() {
    CyclicBarrier all = new CyclicBarrier(5);
    Staging.Source meeting = (from, target) -> meet(all);
    Staging.Upload upload = staging.start(meeting, 4L * PIECE, 1, allocate(4 * PIECE), stream);
    meet(all);
    upload.await();
  }

  private static void meet(CyclicBarrier all) {
    try {
      all.await(20, TimeUnit.SECONDS);
    } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  /** After it nobody reads the source or writes to the destination. */
  @ParameterizedTest
  @ValueSource(strings = {"cuMemcpyHtoDAsync", "cuMemHostAlloc", "cuEventRecord"})
  void aFailureReachesTheCallerWhenNoPieceIsUnderWay(String function) {
    DevicePointer to = allocate(8 * PIECE);
    byte[] source = random(8 * PIECE);
    AtomicInteger pieces = new AtomicInteger();
    Staging.Source counting =
        (from, target) -> {
          of(source).read(from, target);
          pieces.incrementAndGet();
        };
    SimulatedDevice.fail(function, 1, CUresult.CUDA_ERROR_OUT_OF_MEMORY);
    DeviceException e =
        assertThrows(
            DeviceException.class, () -> staging.upload(counting, source.length, 1, to, stream));
    assertTrue(e.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY"), e.getMessage());
    assertEquals(function.equals("cuMemHostAlloc") ? 7 : 8, pieces.get());
    staging.upload(of(source), source.length, 1, to, stream);
    assertArrayEquals(source, downloaded(to, source.length));
  }

  @Test
  void whatTheSourceThrowsReachesTheCallerAsItIs() {
    Error thrown = new OutOfMemoryError("of the test");
    Staging.Source failing =
        (from, target) -> {
          throw thrown;
        };
    Staging.Upload upload = staging.start(failing, 2L * PIECE, 1, allocate(2 * PIECE), stream);
    assertSame(thrown, assertThrows(OutOfMemoryError.class, upload::await));
    upload.settle();
  }

  /** What a chunk is gathered from, and where it goes, belongs to it until it is there. */
  @ParameterizedTest
  @ValueSource(strings = {"forget", "makeRoomFor", "close"})
  void aStreamedSetWaitsForTheChunkOnItsWay(String call) throws InterruptedException {
    // Three chunks of one batch, each of its images the same.
    int[] order = new int[24];
    StreamedPixels pixels = new StreamedPixels(stream, staging, PIECE, owned);
    CudaMemory set = new CudaMemory(ElementType.U8, 0, null, null, pixels);
    CudaMemory numbers = new CudaMemory(ElementType.I32, 0, null, null, null);
    Images images = new Images(new CudaBuffer(set, 0, PIECE), null, 1, PIECE);
    Batch batch = new Batch(new CudaBuffer(numbers, 0, order.length), 0, 8);
    StreamedPixels.Chunk first = pixels.plan(order, images, batch);
    pixels.makeRoomFor(first);
    pixels.stage(first);
    CountDownLatch released = new CountDownLatch(1);
    Staging.Source waiting = (from, target) -> await(released);
    Staging.Upload before = staging.start(waiting, 4L * PIECE, 1, allocate(4 * PIECE), stream);
    // The second is there or ahead of what waits; the third is behind it.
    pixels.stage(first.next());
    CompletableFuture<Void> called =
        CompletableFuture.runAsync(
            () -> {
              context.makeCurrent();
              switch (call) {
                case "forget" -> pixels.forget();
                case "makeRoomFor" -> pixels.makeRoomFor(first);
                default -> pixels.close();
              }
            });
    TimeUnit.MILLISECONDS.sleep(50);
    assertFalse(called.isDone());
    released.countDown();
    called.join();
    before.await();
  }

  private static void await(CountDownLatch released) {
    try {
      assertTrue(released.await(20, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aSmallUploadPinsLittleAndStartsNoThread() {
    Set<Thread> before = fillers();
    staging.upload(of(random(45_000)), 45_000, 1, allocate(45_000), stream);
    List<String> pinned =
        SimulatedDevice.liveObjects().stream().filter(each -> each.contains("pinned")).toList();
    assertEquals(List.of("pinned memory 65536 bytes"), pinned);
    assertEquals(before, fillers());
  }

  @Test
  void theThreadsEndWithTheStagingAndKeepNoProcessAlive() throws InterruptedException {
    Set<Thread> before = fillers();
    staging.upload(of(random(8 * PIECE)), 8L * PIECE, 1, allocate(8 * PIECE), stream);
    Set<Thread> ours = fillers();
    ours.removeAll(before);
    assertEquals(4, ours.size());
    assertTrue(ours.stream().allMatch(Thread::isDaemon));
    JCudaDriver.cuStreamSynchronize(stream);
    owned.close();
    for (Thread thread : ours) {
      thread.join(20_000);
      assertFalse(thread.isAlive());
    }
  }

  private static Set<Thread> fillers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("zerofive-upload"))
        .collect(Collectors.toSet());
  }
}
