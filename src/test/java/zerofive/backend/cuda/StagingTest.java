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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.backend.DeviceException;
import zerofive.backend.JniCheck;

/** Uploads and downloads through pinned buffers, on the simulated device. */
@Tag("jni")
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
      staging.upload(of(source), bytes, to, stream);
      assertArrayEquals(source, downloaded(to, bytes), bytes + " bytes");
    }
  }

  /** No piece is ready before four are begun. */
  @Test
  void fourPiecesAreFilledAtOnce() {
    CyclicBarrier all = new CyclicBarrier(4);
    Staging.Source meeting = (from, target) -> meet(all);
    staging.upload(meeting, 4L * PIECE, allocate(4 * PIECE), stream);
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
            DeviceException.class, () -> staging.upload(counting, source.length, to, stream));
    assertTrue(e.getMessage().contains("CUDA_ERROR_OUT_OF_MEMORY"), e.getMessage());
    assertEquals(function.equals("cuMemHostAlloc") ? 7 : 8, pieces.get());
    staging.upload(of(source), source.length, to, stream);
    assertArrayEquals(source, downloaded(to, source.length));
  }

  @Test
  void whatTheSourceThrowsReachesTheCallerAsItIs() {
    Error thrown = new OutOfMemoryError("of the test");
    Staging.Source failing =
        (from, target) -> {
          throw thrown;
        };
    DevicePointer to = allocate(2 * PIECE);
    assertSame(
        thrown,
        assertThrows(
            OutOfMemoryError.class, () -> staging.upload(failing, 2L * PIECE, to, stream)));
  }

  @Test
  void aSmallUploadPinsLittleAndStartsNoThread() {
    Set<Thread> before = fillers();
    staging.upload(of(random(45_000)), 45_000, allocate(45_000), stream);
    List<String> pinned =
        SimulatedDevice.liveObjects().stream().filter(each -> each.contains("pinned")).toList();
    assertEquals(List.of("pinned memory 65536 bytes"), pinned);
    assertEquals(before, fillers());
  }

  @Test
  void theThreadsEndWithTheStagingAndKeepNoProcessAlive() throws InterruptedException {
    Set<Thread> before = fillers();
    staging.upload(of(random(8 * PIECE)), 8L * PIECE, allocate(8 * PIECE), stream);
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
