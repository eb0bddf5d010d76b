package zerofive.backend.cpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import zerofive.backend.DeviceException;

/** Native memory, freed as a whole. */
final class Memory implements AutoCloseable {
  private final List<Long> blocks = new ArrayList<>();

  /** So many bytes, zero, on a cache line. */
  long allocate(long size) {
    long block = Native.allocate(size);
    if (block == 0) {
      throw new DeviceException(
          String.format(
              Locale.ROOT,
              "the memory has no %d MB left; choose a smaller --batch-size, --model or fewer"
                  + " --classes",
              size >> 20));
    }
    blocks.add(block);
    return block;
  }

  @Override
  public void close() {
    blocks.forEach(Native::release);
    blocks.clear();
  }
}
