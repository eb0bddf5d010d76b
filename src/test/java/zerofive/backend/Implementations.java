package zerofive.backend;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import zerofive.backend.cpu.CpuBackend;
import zerofive.backend.cpu.CpuForTests;
import zerofive.backend.cuda.CudaUnderTest;
import zerofive.backend.ops.Ops;
import zerofive.backend.reference.ReferenceBackend;
import zerofive.backend.reference.ReferenceOps;

/**
 * The one place that names implementations for tests. A new one adds a line to {@link #ALL}, and
 * has to pass every test that asks here.
 */
public final class Implementations {
  /**
   * @param computes whether its operations are its own, and with them its arithmetic
   * @param fast whether it trains on all of MNIST in seconds
   */
  private record Implementation(
      Supplier<Ops> ops, Backend backend, boolean computes, boolean fast) {}

  private static final Map<String, Implementation> ALL = new LinkedHashMap<>();

  static {
    ALL.put("reference", new Implementation(ReferenceOps::new, new ReferenceBackend(), true, true));
    if (CpuForTests.isUsable()) {
      ALL.put("cpu", new Implementation(CpuForTests::ops, CpuForTests.backend(), true, true));
      for (Backend variant : CpuForTests.variants()) {
        ALL.put(variant.name(), new Implementation(CpuForTests::ops, variant, false, true));
      }
    }
    ALL.put(
        "cpu-java",
        new Implementation(ReferenceOps::new, CpuBackend.exactly("java", 3), false, true));
    if (CudaUnderTest.missing().isEmpty()) {
      CudaUnderTest.backends()
          .forEach(
              (name, backend) ->
                  ALL.put(
                      name,
                      new Implementation(
                          backend::newOps,
                          backend,
                          CudaUnderTest.COMPUTING.contains(name),
                          CudaUnderTest.FAST)));
    }
    // gpu-check asks for "cuda": a GPU's time is not spent on what needs none.
    String prefix = System.getProperty("zerofive.implementations", "");
    ALL.keySet().removeIf(name -> !name.startsWith(prefix));
  }

  private Implementations() {}

  /** The names, to be given to {@link #ops} and {@link #backend}. */
  public static List<String> names() {
    return List.copyOf(ALL.keySet());
  }

  /** The names without those whose operations are another's. */
  public static List<String> computing() {
    return ALL.keySet().stream().filter(name -> ALL.get(name).computes()).toList();
  }

  /** New operations of the implementation {@code name}; the caller closes them. */
  public static Ops ops(String name) {
    return ALL.get(name).ops().get();
  }

  /** The implementation {@code name} as the trainer sees it. */
  public static Backend backend(String name) {
    return ALL.get(name).backend();
  }

  /** Every implementation's name in front of every one of {@code cases}, for MethodSource. */
  public static Stream<Arguments> times(Stream<Arguments> cases) {
    return times(names(), cases);
  }

  /** The name of every implementation that {@link #computing} has in front of every case. */
  public static Stream<Arguments> timesComputing(Stream<Arguments> cases) {
    return times(computing(), cases);
  }

  /** The names without those on the simulated device. */
  public static List<String> fast() {
    return ALL.keySet().stream().filter(name -> ALL.get(name).fast()).toList();
  }

  /** The name of every implementation that is fast, in front of every case. */
  public static Stream<Arguments> timesFast(Stream<Arguments> cases) {
    return times(fast(), cases);
  }

  private static Stream<Arguments> times(List<String> names, Stream<Arguments> cases) {
    List<Arguments> all = cases.toList();
    return names.stream()
        .flatMap(
            name ->
                all.stream()
                    .map(
                        rest -> {
                          List<Object> arguments = new ArrayList<>(List.of(rest.get()));
                          arguments.add(0, name);
                          return Arguments.of(arguments.toArray());
                        }));
  }
}
