package zerofive.backend.cuda;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import zerofive.backend.Arithmetic;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.Peaks;
import zerofive.backend.Predictor;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.cuda.CudaOptions.Engine;
import zerofive.backend.cuda.CudaOptions.Precision;
import zerofive.backend.ops.Ops;
import zerofive.backend.ops.StepwisePredictor;
import zerofive.backend.ops.StepwiseSession;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.ModelSpec;
import zerofive.model.Parameters;

/**
 * An NVIDIA GPU. The driver is looked for at the probe; it and cuBLAS are loaded then, only where
 * there is one, for the life of the process. The GPU is opened when the first session needs it and
 * stays so until {@link #close}.
 */
public final class CudaBackend implements Backend, AutoCloseable {
  /** In the first line of /proc/driver/nvidia/version. */
  private static final Pattern DRIVER_VERSION =
      Pattern.compile("Module\\s+(?:for \\S+\\s+)?(\\d[\\d.]*)");

  private final CudaOptions options;
  private final Environment environment;
  private CudaGpu gpu;
  private CublasLibrary.Result cublas;
  private CudaContext context;

  /** A GPU of this machine. */
  public CudaBackend(CudaOptions options) {
    this(options, Environment.here());
  }

  /** A GPU whose libraries are looked for in {@code environment}. */
  CudaBackend(CudaOptions options, Environment environment) {
    this.options = options;
    this.environment = environment;
  }

  /**
   * Puts JCuda's native libraries into {@code folder}, where {@link
   * zerofive.backend.natives.PackedLibrary#UNPACKED} can name it.
   *
   * @throws IOException where JCuda's jars are missing
   * @throws zerofive.files.OutputException where they cannot be written
   */
  public static void unpack(Path folder) throws IOException {
    for (JcudaLibrary library : JcudaLibrary.values()) {
      library.packed().unpack(folder);
    }
  }

  @Override
  public String name() {
    return "cuda";
  }

  @Override
  public Availability probe() {
    try {
      find();
      return Availability.usable(describe(), notes());
    } catch (DeviceException e) {
      return e.availability();
    }
  }

  private synchronized void find() {
    if (gpu != null) {
      return;
    }
    DriverLibrary.find(environment).load();
    CudaGpu found = CudaGpu.find(options.gpu());
    cublas =
        options.engine() == Engine.EXACT
            ? new CublasLibrary.Result(Optional.empty(), List.of(), false)
            : loaded(CublasLibrary.find(options.cublas(), environment, found.driverCuda()));
    if (options.precision() == Precision.TF32 && cublas.library().isEmpty()) {
      throw new DeviceException(
          "--precision tf32 needs cuBLAS, and "
              + (options.engine() == Engine.EXACT
                  ? "--exact computes without it"
                  : "what computes is " + cublas.describe()),
          "leave it at fp32",
          null);
    }
    gpu = found;
  }

  /** One that was merely found and cannot be loaded is refused; we do without then. */
  private CublasLibrary.Result loaded(CublasLibrary.Result found) {
    try {
      found.library().ifPresent(CublasLibrary::load);
      return found;
    } catch (DeviceException e) {
      if (options.cublas().isPresent()) {
        throw e;
      }
      List<String> refused = new ArrayList<>(found.refused());
      refused.add(e.availability().detail());
      return new CublasLibrary.Result(Optional.empty(), refused, true);
    }
  }

  private String describe() {
    return String.join(
        ", ",
        gpu.name(),
        gpu.memoryText(),
        "CUDA " + gpu.driverText(),
        isExact() ? "exact" : cublas.library().map(this::describe).orElse("own matrix product"));
  }

  private String describe(CublasLibrary library) {
    return "cuBLAS "
        + library.major()
        + (options.precision() == Precision.TF32 ? " in " + Precision.TF32 : "");
  }

  /** Names a missing cuBLAS where nobody asked to do without. */
  private List<String> notes() {
    return cublas.library().isPresent() || !cublas.wanted()
        ? List.of()
        : List.of(cublas.describe());
  }

  /** Opens the GPU. */
  @Override
  public Map<String, String> details() {
    CudaContext opened = context();
    Map<String, String> details = new LinkedHashMap<>();
    details.put("GPU", gpu.name());
    details.put("compute capability", gpu.capabilityText());
    details.put("memory", gpu.memoryText());
    details.put("driver", driverVersion() + "CUDA " + gpu.driverText());
    details.put(
        "matrix products",
        isExact()
            ? "none: every sum as arithmetic " + Arithmetic.NUMBER + " has it"
            : cublas.describe());
    details.put("precision", options.precision().toString());
    details.put(
        "kernels",
        String.format(
            Locale.ROOT,
            "PTX for compute 7.5, JIT-compiled or taken from the driver's cache in %.0f ms",
            opened.loadSeconds() * 1e3));
    details.put("kernels' SHA-256", Kernels.sha256());
    return details;
  }

  /** The kernel module's version and a comma; nothing where it does not tell. */
  private String driverVersion() {
    try {
      Path file = environment.at("/proc/driver/nvidia/version").orElseThrow();
      Matcher version = DRIVER_VERSION.matcher(Files.readString(file));
      return version.find() ? version.group(1) + ", " : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** The GPU's context, opened at the first call. */
  private synchronized CudaContext context() {
    if (context == null) {
      find();
      context = new CudaContext(gpu, options.gpu());
    }
    return context;
  }

  /** How many GPUs the driver counts; after a probe that found one. */
  public int gpus() {
    return CudaGpu.count();
  }

  /** Of the GPU, which is opened. */
  int multiprocessors() {
    return context().multiprocessors();
  }

  /** New operations, to be closed by the caller. */
  public CudaOps newOps() {
    return new CudaOps(context(), options, cublas.library().isPresent());
  }

  /** Whether the exact engine computes: without cuBLAS it is the default. Known after the probe. */
  private boolean isExact() {
    return switch (options.engine()) {
      case EXACT -> true;
      case AUTOMATIC -> cublas.library().isEmpty();
      case PRODUCTS -> false;
    };
  }

  /** With the exact engine that of the CPU. Whether cuBLAS is found decides where none is named. */
  @Override
  public synchronized OptionalInt arithmetic() {
    if (options.engine() == Engine.AUTOMATIC) {
      find();
    }
    return isExact() ? OptionalInt.of(Arithmetic.NUMBER) : OptionalInt.empty();
  }

  @Override
  public TrainingSession open(
      TrainingPlan plan, ImageSet train, ImageSet valid, TrainingState start) {
    if (isExactConvolutional(plan.architecture())) {
      Ops ops = new ExactOps(context(), options, plan.architecture(), plan.rows(0, train.count()));
      return StepwiseSession.open(ops, plan, train, valid, start);
    }
    CudaOps ops = newOps();
    return isExact()
        ? ExactSession.open(ops, plan, train, valid, start)
        : StepwiseSession.open(ops, plan, train, valid, start);
  }

  /** The exact engine's two kernels do, which have no convolutions. */
  @Override
  public boolean sweeps(ModelSpec model) {
    return isExact() && model.convolutions().isEmpty();
  }

  @Override
  public Sweep openSweep(TrainingPlan plan) {
    return ExactSweep.open(newOps(), plan, ExactSweep.Limits.of(context()));
  }

  @Override
  public Predictor openPredictor(Parameters model) {
    if (isExactConvolutional(model.architecture())) {
      return StepwisePredictor.open(
          new ExactOps(context(), options, model.architecture(), 0), model);
    }
    context();
    return isExact()
        ? new ExactPredictor(this::newOps, model)
        : StepwisePredictor.open(newOps(), model);
  }

  private boolean isExactConvolutional(Architecture architecture) {
    context();
    return isExact() && architecture.convolutions() > 0;
  }

  @Override
  public Optional<Peaks> peaks() {
    return Optional.of(CudaPeaks.measure(context()));
  }

  /** Gives the GPU back; sessions have to be closed before. */
  @Override
  public synchronized void close() {
    if (context != null) {
      context.close();
      context = null;
    }
    gpu = null;
  }
}
