package zerofive.cli.device;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Stream;
import zerofive.backend.Arithmetic;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.cpu.CpuBackend;
import zerofive.backend.cuda.CudaBackend;
import zerofive.backend.cuda.CudaOptions;
import zerofive.backend.reference.ReferenceBackend;
import zerofive.model.ModelSpec;
import zerofive.report.console.Terminal;

/**
 * The only class that names the implementations: what there is, what works here, which is taken. A
 * backend is made and probed when it is asked for, not before.
 */
public final class Backends {
  private static final String CUDA = "cuda";
  private static final String CPU = "cpu";
  private static final String REFERENCE = "reference";

  /** How each is made, fastest first; a GPU's number and the threads go to the constructor. */
  private static final List<Factory> FACTORIES =
      List.of(
          new Factory(CUDA, Backends::cuda),
          new Factory(CPU, request -> new CpuBackend(request.threads())),
          new Factory(REFERENCE, request -> new ReferenceBackend()));

  private Backends() {}

  private static Backend cuda(DeviceRequest request) {
    CudaOptions asked = CudaOptions.of(request.gpu(), request.settings());
    try {
      return new CudaBackend(asked.withProperties());
    } catch (IllegalArgumentException e) {
      throw new DeviceException(e.getMessage());
    }
  }

  private record Factory(String name, Function<DeviceRequest, Backend> make) {}

  /**
   * A backend of this machine and whether it can be used.
   *
   * @param details of one that can be used; it was opened for them
   */
  public record Candidate(Backend backend, Availability availability, Map<String, String> details) {
    /** It is taken; what it does without is noted. */
    public Choice choice() {
      return new Choice(backend, availability.detail(), details, availability.notes());
    }
  }

  /**
   * What was taken.
   *
   * @param backend that computes
   * @param device in words
   * @param details what else is worth knowing of it
   * @param notes one line for each better device that was not taken, and for what this one does
   *     without: why, and the remedy
   * @param others the machine's other GPUs that compute too
   */
  public record Choice(
      Backend backend,
      String device,
      Map<String, String> details,
      List<String> notes,
      List<Backend> others) {
    /** A single device. */
    public Choice(Backend backend, String device, Map<String, String> details, List<String> notes) {
      this(backend, device, details, notes, List.of());
    }

    /** All that compute. */
    public List<Backend> backends() {
      return Stream.concat(Stream.of(backend), others.stream()).toList();
    }

    /** The same beside others of its kind, which are numbered from 1 on. */
    public Choice with(List<Candidate> others) {
      StringBuilder all = new StringBuilder(device);
      others.forEach(other -> all.append("; ").append(other.availability().detail()));
      return new Choice(
          backend,
          all.toString(),
          details,
          notes,
          others.stream().map(Candidate::backend).toList());
    }

    /** The number of the {@link zerofive.backend.Arithmetic} that it computes, if any. */
    public Optional<Integer> arithmetic() {
      OptionalInt number = backend.arithmetic();
      return number.isPresent() ? Optional.of(number.getAsInt()) : Optional.empty();
    }

    /** As one line: {@code cpu (native code, AVX2, 4 threads)}. */
    public String describe() {
      return backend.name() + " (" + device + ")";
    }

    /** Says what was taken for {@code request}, and why nothing better. */
    public void print(DeviceRequest request, Terminal terminal) {
      terminal.info("device   ", describe());
      notes.forEach(note -> terminal.info("         ", note));
      if (request.threads() > 1 && backend.name().equals(REFERENCE)) {
        terminal.info(
            "         ",
            "--threads " + request.threads() + ": the reference computes on one thread");
      }
    }
  }

  /**
   * A GPU's setting as a run keeps it: a folder with its absolute path, all else as it is. Throws
   * IllegalArgumentException where it is none.
   */
  public static String setting(String name, String value) {
    return CudaOptions.of(0, Map.of(name, value)).cublas().orElse(value);
  }

  /**
   * One of several that are measured side by side.
   *
   * @param name of the row
   * @param candidate that trains
   * @param limits whose peaks it is measured by
   */
  public record BenchTarget(String name, Candidate candidate, Backend limits) {}

  /**
   * What is asked for beside the reference, which comes first and is measured by the peaks of the
   * CPU on one thread; the CPU comes with one thread and with all.
   *
   * @throws DeviceException where a GPU is asked for and cannot be used
   */
  public static List<BenchTarget> benchTargets(DeviceRequest request) {
    Candidate single = probe(factory(CPU), request.withThreads(1));
    List<BenchTarget> benchTargets = new ArrayList<>();
    benchTargets.add(
        new BenchTarget(REFERENCE, probe(factory(REFERENCE), request), single.backend()));
    if (isAsked(CPU, request)) {
      benchTargets.add(new BenchTarget(CPU + ", 1 thread", single, single.backend()));
      int threads =
          request.threads() > 0 ? request.threads() : Runtime.getRuntime().availableProcessors();
      if (threads > 1) {
        Candidate all = probe(factory(CPU), request.withThreads(threads));
        benchTargets.add(new BenchTarget(CPU + ", " + threads + " threads", all, all.backend()));
      }
    }
    if (isAsked(CUDA, request)) {
      Candidate gpu = probe(factory(CUDA), request);
      if (request.kind().equals(CUDA) && !gpu.availability().usable()) {
        throw unusable(request.name(CUDA), gpu.availability());
      }
      benchTargets.add(new BenchTarget(request.name(CUDA), gpu, gpu.backend()));
    }
    return benchTargets;
  }

  private static Factory factory(String name) {
    return FACTORIES.stream()
        .filter(factory -> factory.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static DeviceException unusable(String name, Availability availability) {
    return new DeviceException(
        "device " + name + ": " + availability.detail() + "; " + availability.remedy());
  }

  /** All known devices, fastest first, probed. */
  public static List<Candidate> probeAll(DeviceRequest request) {
    return FACTORIES.stream().map(factory -> probe(factory, request)).toList();
  }

  /**
   * The device asked for; an explicit one never falls back.
   *
   * @throws DeviceException where it cannot be used
   */
  public static Choice choose(DeviceRequest request) {
    List<String> notes = new ArrayList<>();
    for (Factory factory : FACTORIES) {
      if (!isAsked(factory.name(), request)) {
        continue;
      }
      Candidate candidate = probe(factory, request);
      Availability availability = candidate.availability();
      if (availability.usable()) {
        Choice choice = candidate.choice();
        notes.addAll(choice.notes());
        return new Choice(choice.backend(), choice.device(), choice.details(), notes);
      }
      String name = request.name(factory.name());
      if (request.kind().equals(CUDA)) {
        throw unusable(name, availability);
      }
      notes.add("not " + name + ": " + availability.detail() + "; " + availability.remedy());
    }
    throw new IllegalStateException("the CPU is usable everywhere");
  }

  /** What a device computes wherever it is; it is not looked for here. */
  public static Optional<Integer> arithmetic(DeviceRequest request) {
    Backend backend = factory(request.kind()).make().apply(request);
    return new Choice(backend, "", Map.of(), List.of()).arithmetic();
  }

  /**
   * The device that another process decided on, for all that work together: this machine has it and
   * computes the same bits, or computes nothing.
   *
   * @param decided names a device, not auto
   * @param arithmetic what it computes, as {@link #arithmetic} gave it there
   * @throws DeviceException where it cannot be used here, or computes other bits
   */
  public static Choice obey(DeviceRequest decided, Optional<Integer> arithmetic) {
    if (decided.kind().equals(DeviceRequest.AUTO)) {
      throw new IllegalArgumentException("auto is not a decision");
    }
    Choice choice = choose(decided);
    if (!choice.arithmetic().equals(arithmetic)) {
      throw new DeviceException(
          "device "
              + decided.device()
              + " computes "
              + Arithmetic.describe(choice.arithmetic())
              + " here, but "
              + Arithmetic.describe(arithmetic)
              + " was decided on",
          "run one version of zerofive everywhere",
          null);
    }
    return choice;
  }

  /**
   * The machine's other GPUs that can be used, where one was taken that trains many such models at
   * once and none was named.
   */
  public static List<Candidate> otherGpus(DeviceRequest request, Choice taken, ModelSpec model) {
    if (!taken.backend().sweeps(model) || request.hasNumber()) {
      return List.of();
    }
    List<Candidate> others = new ArrayList<>();
    for (int number = 1; number < ((CudaBackend) taken.backend()).gpus(); number++) {
      Candidate other = probe(factory(CUDA), request.withDevice(CUDA + ":" + number));
      if (other.availability().usable()) {
        others.add(other);
      }
    }
    return others;
  }

  /**
   * Puts the native libraries into {@code folder}; zerofive.natives names it to later starts.
   *
   * @return what is left out, and why
   * @throws zerofive.files.OutputException where they cannot be written
   */
  public static List<String> unpack(Path folder) {
    List<String> missing = new ArrayList<>();
    try {
      if (!CpuBackend.unpack(folder)) {
        missing.add("cpu: the program was built without native code");
      }
    } catch (IOException e) {
      missing.add("cpu: " + e.getMessage());
    }
    try {
      CudaBackend.unpack(folder);
    } catch (IOException e) {
      missing.add("cuda: " + e.getMessage());
    }
    return missing;
  }

  /**
   * The same request, where auto stands for the CPU, which computes {@link
   * zerofive.backend.Arithmetic} on every machine, and a GPU is asked to compute it.
   *
   * @throws DeviceException where the CPU is to compute with instructions that it does not have
   */
  public static DeviceRequest exact(DeviceRequest request) {
    DeviceRequest exact =
        request.kind().equals(DeviceRequest.AUTO) ? request.withDevice(CPU) : request;
    if (exact.kind().equals(CUDA)) {
      exact = exact.withExact();
    }
    String instructions = System.getProperty(CpuBackend.INSTRUCTIONS, "");
    if (exact.kind().equals(CPU) && !instructions.isEmpty()) {
      CpuBackend.exactly(instructions, exact.threads());
    }
    return exact;
  }

  private static boolean isAsked(String name, DeviceRequest request) {
    return request.kind().equals(DeviceRequest.AUTO) || request.kind().equals(name);
  }

  /**
   * A GPU may be there and yet refuse to be opened: that too has to be known before it is taken.
   */
  private static Candidate probe(Factory factory, DeviceRequest request) {
    Backend backend = factory.make().apply(request);
    Availability availability = backend.probe();
    if (!availability.usable()) {
      return new Candidate(backend, availability, Map.of());
    }
    try {
      return new Candidate(backend, availability, backend.details());
    } catch (DeviceException e) {
      return new Candidate(backend, e.availability(), Map.of());
    }
  }
}
