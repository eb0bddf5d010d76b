package zerofive.backend.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opentest4j.AssertionFailedError;

/** How lanes, warps and blocks of the simulated device meet: in each order, the same results. */
@ExtendWith(FreshDevice.class)
final class PtxWarpsTest {
  private static final int THREADS = 256;

  private static final String HEAD =
      """
      .version 8.0
      .target sm_75
      .address_size 64
      .extern .shared .align 16 .b8 added[];
      """;

  /**
   * A sum by shuffles, the odd threads by ballot, the warps' sums by an atomic in shared memory.
   */
  private static final String SUMS =
      """
      .visible .entry sums(.param .u64 from, .param .u64 to)
      {
      .reg .pred %p<8>;
      .reg .b32 %r<24>;
      .reg .b64 %rd<6>;
      .shared .align 4 .u32 total;
      ld.param.u64 %rd1, [to];
      mov.u32 %r1, %tid.x;
      setp.ne.s32 %p1, %r1, 0;
      @%p1 bra BEGUN;
      st.shared.u32 [total], 0;
      BEGUN:
      bar.sync 0;
      shfl.sync.bfly.b32 %r2|%p2, %r1, 16, 31, -1;
      add.s32 %r3, %r1, %r2;
      shfl.sync.bfly.b32 %r4|%p2, %r3, 8, 31, -1;
      add.s32 %r5, %r3, %r4;
      shfl.sync.down.b32 %r6|%p2, %r5, 4, 31, -1;
      add.s32 %r7, %r5, %r6;
      shfl.sync.down.b32 %r8|%p2, %r7, 2, 31, -1;
      add.s32 %r9, %r7, %r8;
      shfl.sync.down.b32 %r10|%p2, %r9, 1, 31, -1;
      add.s32 %r11, %r9, %r10;
      mov.u32 %r12, %laneid;
      setp.ne.s32 %p3, %r12, 0;
      @%p3 bra ADDED;
      red.shared.add.u32 [total], %r11;
      ADDED:
      bar.warp.sync -1;
      and.b32 %r13, %r1, 1;
      setp.eq.s32 %p4, %r13, 1;
      vote.sync.ballot.b32 %r14, %p4, -1;
      mov.u32 %r15, %lanemask_lt;
      and.b32 %r16, %r14, %r15;
      popc.b32 %r17, %r16;
      bar.sync 0;
      ld.shared.u32 %r18, [total];
      cvt.u64.u32 %rd2, %r18;
      mad.wide.u32 %rd3, %r17, 65536, %rd2;
      mad.wide.u32 %rd4, %r1, 8, %rd1;
      st.global.u64 [%rd4], %rd3;
      ret;
      }
      """;

  /** The threads' numbers, backwards by the memory that the launch adds. */
  private static final String BACKWARDS =
      """
      .visible .entry backwards(.param .u64 from, .param .u64 to)
      {
      .reg .b32 %r<8>;
      .reg .b64 %rd<6>;
      ld.param.u64 %rd1, [to];
      mov.u32 %r1, %tid.x;
      mov.u32 %r2, added;
      mad.lo.s32 %r3, %r1, 4, %r2;
      st.shared.u32 [%r3], %r1;
      bar.sync 0;
      mad.lo.s32 %r4, %r1, -4, %r2;
      ld.shared.u32 %r5, [%r4+1020];
      cvt.u64.u32 %rd2, %r5;
      mad.wide.u32 %rd3, %r1, 8, %rd1;
      st.global.u64 [%rd3], %rd2;
      ret;
      }
      """;

  /** Each lane of a warp writes to the same bank. */
  private static final String CONFLICTING =
      """
      .visible .entry conflicting(.param .u64 from, .param .u64 to)
      {
      .reg .b32 %r<4>;
      mov.u32 %r1, %tid.x;
      mov.u32 %r2, added;
      mad.lo.s32 %r3, %r1, 128, %r2;
      st.shared.u32 [%r3], %r1;
      ret;
      }
      """;

  /** The second block waits for what the first writes. */
  private static final String HANDED =
      """
      .visible .entry handed(.param .u64 from, .param .u64 to)
      {
      .reg .pred %p<3>;
      .reg .b32 %r<3>;
      .reg .b64 %rd<5>;
      ld.param.u64 %rd1, [to];
      mov.u32 %r1, %ctaid.x;
      setp.ne.s32 %p1, %r1, 0;
      @%p1 bra READ;
      mov.u64 %rd2, 42;
      st.global.u64 [%rd1+8], %rd2;
      st.release.gpu.global.u32 [%rd1], 1;
      ret;
      READ:
      ld.acquire.gpu.global.u32 %r2, [%rd1];
      setp.eq.s32 %p2, %r2, 0;
      @%p2 bra READ;
      ld.global.u64 %rd3, [%rd1+8];
      add.s64 %rd4, %rd3, 1;
      st.global.u64 [%rd1+16], %rd4;
      ret;
      }
      """;

  /** Every eighth lane keeps what it has while the others compute with wider numbers. */
  private static final String PARTED =
      """
      .visible .entry parted(.param .u64 from, .param .u64 to)
      {
      .reg .pred %p<3>;
      .reg .b16 %rs<3>;
      .reg .b32 %r<6>;
      .reg .b64 %rd<7>;
      ld.param.u64 %rd1, [to];
      mov.u32 %r1, %tid.x;
      mul.wide.u32 %rd2, %r1, 8;
      add.s64 %rd3, %rd1, %rd2;
      and.b32 %r2, %r1, 7;
      setp.eq.s32 %p1, %r2, 0;
      mov.u16 %rs1, 5;
      @%p1 bra KEPT;
      mad.lo.s32 %r3, %r1, 65537, -1;
      cvt.s64.s32 %rd4, %r3;
      add.s64 %rd5, %rd4, 1;
      cvt.u16.u64 %rs1, %rd5;
      KEPT:
      cvt.u64.u16 %rd6, %rs1;
      st.global.u64 [%rd3], %rd6;
      ret;
      }
      """;

  @ParameterizedTest
  @ValueSource(strings = {"order=ascending", "order=descending", "order=random,schedule=random:3"})
  void lanesWarpsAndBlocksMeet(String order) {
    PtxRunner runner = new PtxRunner(HEAD + SUMS + BACKWARDS + PARTED + HANDED);
    SimulatedDevice.configure(order);
    long total = THREADS * (THREADS - 1) / 2;
    assertArrayEquals(
        LongStream.range(0, THREADS).map(t -> t % 32 / 2 * 65536 + total).toArray(),
        runner.run("sums", 1, THREADS, new long[1], THREADS));
    assertArrayEquals(
        LongStream.range(0, THREADS).map(t -> THREADS - 1 - t).toArray(),
        runner.run("backwards", 1, THREADS, 4 * THREADS, new long[1], THREADS));
    assertArrayEquals(
        LongStream.range(0, THREADS).map(t -> t % 8 == 0 ? 5 : t).toArray(),
        runner.run("parted", 1, THREADS, new long[1], THREADS));
    assertArrayEquals(new long[] {1, 42, 43}, runner.run("handed", 2, 1, new long[1], 3));
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  @Test
  void costsAreCounted() {
    PtxRunner runner = new PtxRunner(HEAD + CONFLICTING + BACKWARDS);
    runner.run("conflicting", 1, 32, 4096, new long[1], 1);
    assertEquals(new SimulatedDevice.Cost(1, 5, 0, 31, 0), SimulatedDevice.cost("conflicting"));
    runner.run("backwards", 1, THREADS, 4 * THREADS, new long[1], THREADS);
    assertEquals(
        new SimulatedDevice.Cost(1, 12 * THREADS / 32, 8 * THREADS / 32, 0, 1),
        SimulatedDevice.cost("backwards"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"st.release.gpu", "ld.acquire.gpu"})
  void whatIsHandedOnWithoutOrderIsFound(String ordered) {
    String relaxed = HANDED.replace(ordered, ordered.substring(0, 3) + "relaxed.gpu");
    PtxRunner runner = new PtxRunner(HEAD + relaxed);
    assertThrows(AssertionFailedError.class, () -> runner.run("handed", 2, 1, new long[1], 3));
    String found = SimulatedDevice.violations().get(0);
    assertTrue(
        found.contains(
            "ld.global.u64 %rd3, [%rd1+8]: reads what block (0, 0, 0) has written, with no fence"),
        found);
  }
}
