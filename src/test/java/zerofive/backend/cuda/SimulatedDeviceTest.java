package zerofive.backend.cuda;

import static jcuda.driver.JCudaDriver.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import jcuda.Pointer;
import jcuda.Sizeof;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JITOptions;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcublas.cublasOperation;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import zerofive.backend.JniCheck;

/** The simulated device itself, through JCuda: what it computes, and what it must catch. */
@Tag("jni")
@ExtendWith({FreshDevice.class, JniCheck.class})
final class SimulatedDeviceTest {
  private static final int ELEMENTS = 1000;
  private static final long BYTES = (long) ELEMENTS * Sizeof.FLOAT;
  private static final int SEEDS = 20;

  private final CUdevice device = new CUdevice();
  private final CUcontext context = new CUcontext();

  @Test
  void runsAKernelOfThePtx() {
    CUmodule module = new CUmodule();
    CUfunction function = biasActivation(module);
    CUdeviceptr z = uploaded(filled(-3));
    CUdeviceptr bias = uploaded(filled(5));
    activate(function, bias, z, null);
    assertArrayEquals(filled(2), downloaded(z));
    ok(cuModuleUnload(module));
    ok(cuMemFree(z));
    ok(cuMemFree(bias));
    ok(cuDevicePrimaryCtxRelease(device));
    assertEquals(List.of(), SimulatedDevice.liveObjects());
    assertEquals(List.of(), SimulatedDevice.violations());
  }

  @Test
  void multipliesByJcublasAndTellsTf32() {
    SimulatedDevice.cublas(12).load();
    cublasHandle handle = new cublasHandle();
    ok(JCublas2.cublasCreate(handle));
    // Column-major 2 x 3 times 3 x 2.
    float finer = 1 + 1f / 4096;
    CUdeviceptr a = uploaded(new float[] {1, 2, 3, 4, 5, 6});
    CUdeviceptr b = uploaded(new float[] {1, 0, finer, 0, 1, 0});
    CUdeviceptr c = uploaded(new float[4]);
    multiply(handle, a, b, c);
    assertArrayEquals(new float[] {1 + 5 * finer, 2 + 6 * finer, 3, 4}, downloaded(c, 4));
    ok(JCublas2.cublasSetMathMode(handle, cublasMath.CUBLAS_TF32_TENSOR_OP_MATH));
    multiply(handle, a, b, c);
    assertArrayEquals(new float[] {6, 8, 3, 4}, downloaded(c, 4));
    assertEquals(2, SimulatedDevice.calls("cublasSgemm"));

    CUstream stream = stream();
    ok(JCublas2.cublasSetStream(handle, new cudaStream_t(stream)));
    ok(cuStreamBeginCapture(stream, 1));
    assertEquals(13, sgemm(handle, a, b, c), "a captured product wants a workspace");
    assertEquals(1, SimulatedDevice.violations().size());
    CUdeviceptr workspace = new CUdeviceptr();
    ok(cuStreamEndCapture(stream, new CUgraph()));
    ok(cuMemAlloc(workspace, BYTES));
    ok(JCublas2.cublasSetWorkspace(handle, workspace, BYTES));
    ok(cuStreamBeginCapture(stream, 1));
    ok(sgemm(handle, a, b, c));
    assertEquals(13, sgemm(handle, 1, a, b, c), "a new shape loads a kernel");
    assertEquals(2, SimulatedDevice.violations().size());
    ok(JCublas2.cublasDestroy(handle));
  }

  @Test
  void lazyStreamsRunNothingBeforeSomebodyWaits() {
    SimulatedDevice.configure("schedule=lazy");
    CUstream stream = stream();
    CUdeviceptr memory = uploaded(filled(1));
    // A copy from pageable memory returns before the GPU has it, and this stream waits for none.
    ok(cuCtxSynchronize());
    Pinned pinned = new Pinned();
    ok(cuMemcpyDtoHAsync(pinned.pointer, memory, BYTES, stream));
    assertTrue(Float.isNaN(pinned.floats.get(0)));
    assertEquals(CUresult.CUDA_ERROR_NOT_READY, cuStreamQuery(stream));
    ok(cuStreamSynchronize(stream));
    ok(cuStreamQuery(stream));
    assertEquals(1, pinned.floats.get(ELEMENTS - 1));
  }

  @Test
  void aMissingEventWaitShowsUnderSomeScheduleAndAPresentOneUnderNone() {
    assertTrue(IntStream.range(0, SEEDS).anyMatch(seed -> copiedBetweenStreams(seed, false) != 1));
    assertTrue(IntStream.range(0, SEEDS).allMatch(seed -> copiedBetweenStreams(seed, true) == 1));
  }

  @Test
  void aCapturedForkNeedsItsEdges() {
    assertTrue(IntStream.range(0, SEEDS).anyMatch(seed -> replayedFork(seed, false) != 2));
    assertTrue(IntStream.range(0, SEEDS).allMatch(seed -> replayedFork(seed, true) == 2));
  }

  @Test
  void anAsynchronousCopyOfPageableMemoryIsRefused() {
    CUdeviceptr memory = uploaded(filled(1));
    assertEquals(
        CUresult.CUDA_ERROR_INVALID_VALUE,
        cuMemcpyHtoDAsync(memory, Pointer.to(floats(ELEMENTS)), BYTES, stream()));
    assertEquals(1, SimulatedDevice.violations().size());
  }

  @Test
  void whatACaptureForbidsInvalidatesIt() {
    CUstream stream = stream();
    ok(cuStreamBeginCapture(stream, 1));
    assertEquals(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuStreamSynchronize(stream));
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));
    ok(cuStreamBeginCapture(stream, 1));
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, cuMemAlloc(new CUdeviceptr(), BYTES));
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, new CUgraph()));
  }

  @Test
  void memoryEnds() {
    SimulatedDevice.configure("memory=1M");
    CUdeviceptr first = new CUdeviceptr();
    ok(cuMemAlloc(first, 1 << 19));
    assertEquals(CUresult.CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc(new CUdeviceptr(), (1 << 19) + 1L));
    long[] free = new long[1];
    long[] total = new long[1];
    ok(cuMemGetInfo(free, total));
    assertEquals(1 << 19, free[0]);
    assertEquals((1 << 20) + (32 << 20), total[0], "with what the context takes");
    ok(cuMemFree(first));
  }

  @Test
  void aLostContextStaysLost() {
    CUdeviceptr memory = uploaded(filled(1));
    SimulatedDevice.fail("cuStreamSynchronize", 2, CUresult.CUDA_ERROR_LAUNCH_FAILED);
    CUstream stream = stream();
    ok(cuStreamSynchronize(stream));
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, cuStreamSynchronize(stream));
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, cuMemAlloc(new CUdeviceptr(), BYTES));
    assertEquals(CUresult.CUDA_ERROR_LAUNCH_FAILED, cuMemFree(memory));
    assertEquals(2, SimulatedDevice.liveObjects().size(), "context and stream");
  }

  @Test
  void leaksAreTold() {
    CUdeviceptr memory = new CUdeviceptr();
    ok(cuMemAlloc(memory, 123));
    stream();
    assertEquals(
        List.of("context of device 0", "device memory 123 bytes"),
        SimulatedDevice.liveObjects().subList(0, 2));
    assertTrue(SimulatedDevice.liveObjects().get(2).startsWith("stream "));
  }

  @Test
  void aWritePastAnAllocationIsTold() {
    CUfunction function = biasActivation(new CUmodule());
    CUdeviceptr bias = uploaded(filled(5));
    CUdeviceptr tooShort = uploaded(new float[ELEMENTS - 1]);
    SimulatedDevice.configure("schedule=lazy");
    activate(function, bias, tooShort, null);
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
    List<String> violations = SimulatedDevice.violations();
    assertEquals(1, violations.size());
    assertTrue(
        violations.get(0).contains("block (3, 0, 0), warp 7, lane 7: ld.global.f32"),
        violations.get(0));
    assertTrue(
        violations.get(0).endsWith("past a device allocation of 3996 bytes, at offset 3996"),
        violations.get(0));
  }

  @Test
  void anOldDriverRefusesNewPtxAndEveryDriverCorruptPtx() {
    String ptx = Kernels.ptx();
    SimulatedDevice.configure("driver=11080");
    assertEquals(CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load(ptx));
    SimulatedDevice.configure("driver=12000");
    ok(load(ptx));
    assertEquals(CUresult.CUDA_ERROR_INVALID_PTX, load(ptx.substring(0, ptx.length() / 2)));
    assertEquals(CUresult.CUDA_ERROR_INVALID_PTX, load("no ptx"));
    assertEquals(List.of(), SimulatedDevice.violations());
    assertEquals(
        CUresult.CUDA_ERROR_INVALID_PTX,
        load(
            ptx.replace(
                ".param .u64 bias_activation_param_3", ".param .u32 bias_activation_param_3")));
  }

  @Test
  void theReasonOfARefusedPtxIsInTheLog() {
    SimulatedDevice.configure("driver=12000");
    JITOptions options = log(1000);
    assertEquals(
        CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
        cuModuleLoadDataJIT(new CUmodule(), image(".version 9.0\n.target sm_75\n"), options));
    assertEquals(
        "ptxas fatal : unsupported .version 9.0",
        options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER));
  }

  /** An interpreter that skipped one would pass tests for no reason. */
  @Test
  void anInstructionThatIsNotKnownIsNamedWithItsLine() {
    JITOptions options = log(1000);
    String ptx =
        """
        .version 8.0
        .target sm_75
        .visible .entry f()
        {
          .reg .f32 %f<2>;
          ex2.approx.f32 %f1, 0f3F800000;
          ret;
        }
        """;
    assertEquals(
        CUresult.CUDA_ERROR_INVALID_PTX, cuModuleLoadDataJIT(new CUmodule(), image(ptx), options));
    assertEquals(
        "ptxas application ptx input, line 6; error : an instruction that the simulated device does"
            + " not know: ex2.approx.f32 %f1, 0f3F800000",
        options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER));
  }

  private static Pointer image(String text) {
    byte[] bytes = (text + "\0").getBytes(StandardCharsets.US_ASCII);
    return Pointer.to(ByteBuffer.allocateDirect(bytes.length).put(bytes));
  }

  /** JCuda holds a Java array during the call, and calls Java in it: what JniCheck is there for. */
  @Test
  void anArrayOfPtxIsFoundByTheCheckOfJni() throws IOException {
    assumeTrue(JniCheck.isOn(), "skipped: this JVM does not run with -Xcheck:jni and a log");
    assertEquals(List.of(), JniCheck.findings());
    byte[] ptx = "no ptx\0".getBytes(StandardCharsets.US_ASCII);
    cuModuleLoadDataJIT(new CUmodule(), Pointer.to(ptx), log(1000));
    assertEquals(1, JniCheck.findings().size());
  }

  @Test
  void aForkThatIsNotJoinedEndsInNoGraph() {
    CUdeviceptr memory = uploaded(filled(0));
    CUstream main = stream();
    CUstream branch = stream();
    CUevent forked = new CUevent();
    ok(cuEventCreate(forked, 2));
    ok(cuStreamBeginCapture(main, 1));
    ok(cuEventRecord(forked, main));
    ok(cuStreamWaitEvent(branch, forked, 0));
    ok(cuMemsetD32Async(memory, 0, ELEMENTS, branch));
    assertEquals(
        CUresult.CUDA_ERROR_STREAM_CAPTURE_UNJOINED, cuStreamEndCapture(main, new CUgraph()));
  }

  @Test
  void aGraphThatOutlivesItsMemoryLosesTheContext() {
    CUdeviceptr memory = uploaded(filled(0));
    CUstream stream = stream();
    ok(cuStreamBeginCapture(stream, 1));
    ok(cuMemsetD32Async(memory, 0, ELEMENTS, stream));
    CUgraph graph = new CUgraph();
    ok(cuStreamEndCapture(stream, graph));
    CUgraphExec exec = new CUgraphExec();
    ok(cuGraphInstantiate(exec, graph, 0));
    ok(cuMemFree(memory));
    cuGraphLaunch(exec, stream);
    assertEquals(CUresult.CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(stream));
  }

  @Test
  void pollingAnEventGetsThereInTheEnd() {
    SimulatedDevice.configure("schedule=lazy");
    CUdeviceptr memory = uploaded(filled(0));
    CUstream stream = stream();
    CUevent start = new CUevent();
    CUevent end = new CUevent();
    ok(cuEventCreate(start, 0));
    ok(cuEventCreate(end, 0));
    ok(cuEventRecord(start, stream));
    ok(cuMemsetD32Async(memory, 0, ELEMENTS, stream));
    ok(cuEventRecord(end, stream));
    int polls = 0;
    while (cuEventQuery(end) == CUresult.CUDA_ERROR_NOT_READY) {
      polls++;
    }
    assertEquals(3, polls, "one for each operation");
    float[] milliseconds = new float[1];
    ok(cuEventElapsedTime(milliseconds, start, end));
    assertTrue(milliseconds[0] >= 0);
  }

  @Test
  void aChildProcessHasADeviceOfItsOwn() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "zerofive.Main",
                "devices")
            .redirectErrorStream(true);
    builder.environment().putAll(SimulatedDevice.variables("memory=3G,cc=9.0,driver=13000"));
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertTrue(output.contains("Simulated CUDA device 0, 3.0 GiB, CUDA 13.0"), output);
  }

  /** 1 when the second stream copied what the first had written. */
  private float copiedBetweenStreams(int seed, boolean waiting) {
    SimulatedDevice.reset();
    open();
    SimulatedDevice.configure("schedule=random:" + seed);
    CUdeviceptr memory = uploaded(filled(0));
    ok(cuCtxSynchronize());
    CUstream first = stream();
    CUstream second = stream();
    Pinned pinned = new Pinned();
    CUevent written = new CUevent();
    ok(cuEventCreate(written, 2));
    ok(cuMemsetD32Async(memory, Float.floatToRawIntBits(1), ELEMENTS, first));
    ok(cuEventRecord(written, first));
    if (waiting) {
      ok(cuStreamWaitEvent(second, written, 0));
    }
    ok(cuMemcpyDtoHAsync(pinned.pointer, memory, BYTES, second));
    ok(cuStreamSynchronize(second));
    return pinned.floats.get(0);
  }

  /** What the last node of a graph of two branches leaves: 2 when it ran after both. */
  private float replayedFork(int seed, boolean waiting) {
    SimulatedDevice.reset();
    open();
    SimulatedDevice.configure("schedule=random:" + seed);
    CUdeviceptr memory = uploaded(filled(0));
    ok(cuCtxSynchronize());
    CUstream main = stream();
    CUstream branch = stream();
    CUevent forked = new CUevent();
    CUevent branched = new CUevent();
    ok(cuEventCreate(forked, 2));
    ok(cuEventCreate(branched, 2));
    ok(cuStreamBeginCapture(main, 1));
    ok(cuEventRecord(forked, main));
    ok(cuStreamWaitEvent(branch, forked, 0));
    ok(cuMemsetD32Async(memory, Float.floatToRawIntBits(1), ELEMENTS, branch));
    ok(cuEventRecord(branched, branch));
    if (waiting) {
      ok(cuStreamWaitEvent(main, branched, 0));
    }
    ok(cuMemsetD32Async(memory, Float.floatToRawIntBits(2), ELEMENTS, main));
    if (!waiting) {
      ok(cuStreamWaitEvent(main, branched, 0));
    }
    CUgraph graph = new CUgraph();
    ok(cuStreamEndCapture(main, graph));
    CUgraphExec exec = new CUgraphExec();
    ok(cuGraphInstantiate(exec, graph, 0));
    ok(cuGraphLaunch(exec, main));
    ok(cuStreamSynchronize(main));
    return downloaded(memory)[0];
  }

  @BeforeEach
  void open() {
    ok(cuInit(0));
    ok(cuDeviceGet(device, 0));
    ok(cuDevicePrimaryCtxRetain(context, device));
    ok(cuCtxSetCurrent(context));
  }

  private static CUfunction biasActivation(CUmodule module) {
    CUfunction function = new CUfunction();
    ok(cuModuleLoadData(module, Kernels.ptx()));
    ok(cuModuleGetFunction(function, module, "bias_activation"));
    return function;
  }

  private static JITOptions log(int bytes) {
    JITOptions options = new JITOptions();
    options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, bytes);
    options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[bytes]);
    return options;
  }

  private static int load(String ptx) {
    return cuModuleLoadData(new CUmodule(), ptx);
  }

  private static void activate(
      CUfunction function, CUdeviceptr bias, CUdeviceptr z, CUstream stream) {
    Pointer parameters =
        Pointer.to(
            integer(1), integer(ELEMENTS), integer(ELEMENTS), Pointer.to(bias), Pointer.to(z));
    ok(
        cuLaunchKernel(
            function, (ELEMENTS + 255) / 256, 1, 1, 256, 1, 1, 0, stream, parameters, null));
  }

  private static void multiply(cublasHandle handle, CUdeviceptr a, CUdeviceptr b, CUdeviceptr c) {
    ok(sgemm(handle, a, b, c));
  }

  private static int sgemm(cublasHandle handle, CUdeviceptr a, CUdeviceptr b, CUdeviceptr c) {
    return sgemm(handle, 3, a, b, c);
  }

  private static int sgemm(
      cublasHandle handle, int k, CUdeviceptr a, CUdeviceptr b, CUdeviceptr c) {
    int plain = cublasOperation.CUBLAS_OP_N;
    Pointer one = Pointer.to(floats(1).put(0, 1));
    Pointer zero = Pointer.to(floats(1));
    return JCublas2.cublasSgemm(handle, plain, plain, 2, 2, k, one, a, 2, b, 3, zero, c, 2);
  }

  /** Outside Java's heap, since JCuda calls Java while it holds an array. */
  private static FloatBuffer floats(int count) {
    return ByteBuffer.allocateDirect(count * Sizeof.FLOAT)
        .order(ByteOrder.nativeOrder())
        .asFloatBuffer();
  }

  private static Pointer integer(int value) {
    return Pointer.to(
        ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder()).putInt(0, value));
  }

  private static CUstream stream() {
    CUstream stream = new CUstream();
    ok(cuStreamCreate(stream, 1));
    return stream;
  }

  private static CUdeviceptr uploaded(float[] values) {
    CUdeviceptr memory = new CUdeviceptr();
    ok(cuMemAlloc(memory, (long) values.length * Sizeof.FLOAT));
    Pointer from = Pointer.to(floats(values.length).put(0, values));
    ok(cuMemcpyHtoD(memory, from, (long) values.length * Sizeof.FLOAT));
    return memory;
  }

  private static float[] downloaded(CUdeviceptr memory) {
    return downloaded(memory, ELEMENTS);
  }

  private static float[] downloaded(CUdeviceptr memory, int elements) {
    FloatBuffer to = floats(elements);
    ok(cuMemcpyDtoH(Pointer.to(to), memory, (long) elements * Sizeof.FLOAT));
    float[] values = new float[elements];
    to.get(values);
    return values;
  }

  private static float[] filled(float value) {
    float[] values = new float[ELEMENTS];
    Arrays.fill(values, value);
    return values;
  }

  private static void ok(int result) {
    assertEquals(CUresult.CUDA_SUCCESS, result, () -> CUresult.stringFor(result));
  }

  /** Pinned memory of ELEMENTS floats. */
  private static final class Pinned {
    final Pointer pointer = new Pointer();
    final FloatBuffer floats;

    Pinned() {
      ok(cuMemHostAlloc(pointer, BYTES, 0));
      floats = pointer.getByteBuffer(0, BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }
  }
}
