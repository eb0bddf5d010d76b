package zerofive.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Locale;

/** Where Jazzer comes in, which knows these methods by their names; started by scripts/fuzz. */
public final class FuzzDriver {
  private static FuzzTarget target;
  private static Probe probe;

  private FuzzDriver() {}

  /** Chooses the target: {@code --target_args=idx-images}. */
  public static void fuzzerInitialize(String[] arguments) throws IOException {
    target = FuzzTarget.valueOf(arguments[0].replace('-', '_').toUpperCase(Locale.ROOT));
    probe = new Probe(target, Files.createTempDirectory("fuzz-"));
  }

  /** Runs one input. */
  public static void fuzzerTestOneInput(byte[] input) throws IOException {
    if (target.isCheap(input)) {
      probe.run(input);
    }
  }
}
