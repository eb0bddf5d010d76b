package zerofive.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import zerofive.backend.Availability;
import zerofive.backend.Backend;
import zerofive.backend.DeviceException;
import zerofive.backend.reference.ReferenceBackend;

/**
 * The only class that names the implementations: what there is, what works here, which is taken.
 */
final class Backends {
  private static final String AUTO = "auto";
  private static final String CPU = "cpu";
  private static final Pattern CUDA = Pattern.compile("cuda(:\\d{1,3})?");

  /** The known devices, fastest first. */
  private static final List<Candidate> CANDIDATES =
      List.of(
          Candidate.absent(
              "cuda", "this version has no CUDA backend", "train on the CPU with --device cpu"),
          Candidate.absent(
              CPU, "this version has no native code", "plain Java computes the same, more slowly"),
          Candidate.of(new ReferenceBackend()));

  private Backends() {}

  /**
   * A device of this machine.
   *
   * @param name on the command line
   * @param availability whether it can be used here
   * @param backend what computes on it, where it can be used
   */
  record Candidate(String name, Availability availability, Optional<Backend> backend) {
    static Candidate of(Backend backend) {
      return new Candidate(backend.name(), backend.probe(), Optional.of(backend));
    }

    static Candidate absent(String name, String reason, String remedy) {
      return new Candidate(name, Availability.unusable(reason, remedy), Optional.empty());
    }
  }

  /**
   * What was taken.
   *
   * @param backend that computes
   * @param device in words
   * @param notes one line for each better device that was not taken: why, and the remedy
   */
  record Choice(Backend backend, String device, List<String> notes) {
    /** As one line: {@code reference (plain Java, 1 thread)}. */
    String describe() {
      return backend.name() + " (" + device + ")";
    }
  }

  /** All known devices, fastest first. */
  static List<Candidate> all() {
    return CANDIDATES;
  }

  /** Throws UsageException where {@code device} is no device's name. */
  static void checkName(String device) {
    boolean known =
        device.equals(AUTO)
            || CUDA.matcher(device).matches()
            || CANDIDATES.stream().anyMatch(candidate -> candidate.name().equals(device));
    if (!known) {
      throw new UsageException(
          "unknown device '" + device + "'; known are auto, cpu, reference, cuda and cuda:N");
    }
  }

  /**
   * The device asked for. An explicit one never falls back; {@code cpu} may, since plain Java runs
   * on the CPU too.
   *
   * @throws DeviceException where it cannot be used
   */
  static Choice choose(String device) {
    List<String> notes = new ArrayList<>();
    for (Candidate candidate : CANDIDATES) {
      boolean asked =
          device.equals(AUTO)
              || candidate.name().equals(device.replaceFirst(":.*", ""))
              || (device.equals(CPU) && candidate.name().equals("reference"));
      if (!asked) {
        continue;
      }
      Availability availability = candidate.availability();
      if (availability.usable()) {
        return new Choice(candidate.backend().orElseThrow(), availability.detail(), notes);
      }
      String sentence =
          candidate.name() + ": " + availability.detail() + "; " + availability.remedy();
      if (CUDA.matcher(device).matches()) {
        throw new DeviceException("device " + sentence);
      }
      notes.add("not " + sentence);
    }
    throw new IllegalStateException("plain Java is usable everywhere");
  }
}
