package zerofive.backend.cuda;

import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/**
 * Calls on one stream, recorded as CUDA graphs. A graph is captured from the very calls that would
 * else be launched one by one.
 */
final class CudaGraphRecorder implements AutoCloseable {
  /** Launches in one graph; an epoch of more becomes several. */
  private static final int LAUNCHES = 4096;

  private final CUstream stream;
  private final List<CUgraphExec> graphs = new ArrayList<>();
  private boolean capturing;
  private int launches;

  /** Nothing recorded yet. */
  CudaGraphRecorder(CUstream stream) {
    this.stream = stream;
  }

  /**
   * To be called before each launch that belongs to the recording. The capture is a relaxed one:
   * cuBLAS and the driver may load a kernel at its first launch, which the other modes forbid.
   */
  void beforeLaunch() {
    if (capturing && launches == LAUNCHES) {
      end();
    }
    if (!capturing) {
      CudaFailure.check(
          JCudaDriver.cuStreamBeginCapture(
              stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED),
          "recording a graph");
      capturing = true;
      launches = 0;
    }
    launches++;
  }

  /** Ends the graph under way; what comes after it belongs to another. */
  void end() {
    if (!capturing) {
      return;
    }
    CUgraph graph = new CUgraph();
    CudaFailure.check(JCudaDriver.cuStreamEndCapture(stream, graph), "recording a graph");
    capturing = false;
    try {
      CUgraphExec executable = new CUgraphExec();
      CudaFailure.check(
          JCudaDriver.cuGraphInstantiate(executable, graph, 0), "making a graph of an epoch");
      graphs.add(executable);
    } finally {
      JCudaDriver.cuGraphDestroy(graph);
    }
  }

  /** Launches all of it, in order. */
  void run() {
    for (CUgraphExec graph : graphs) {
      CudaFailure.check(JCudaDriver.cuGraphLaunch(graph, stream), "launching a graph");
    }
  }

  /** Whether nothing was recorded yet. */
  boolean isEmpty() {
    return graphs.isEmpty();
  }

  /** Frees the graphs and ends a capture that failed half-way. */
  @Override
  public void close() {
    if (capturing) {
      capturing = false;
      CUgraph graph = new CUgraph();
      if (JCudaDriver.cuStreamEndCapture(stream, graph) == CUresult.CUDA_SUCCESS) {
        JCudaDriver.cuGraphDestroy(graph);
      }
    }
    graphs.forEach(JCudaDriver::cuGraphExecDestroy);
    graphs.clear();
  }
}
