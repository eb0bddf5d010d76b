package zerofive.backend.cuda;

/** The host's copy of the GPU's integers; a kernel that writes them leaves it stale. */
final class HostMirror {
  private final int[] values;
  private boolean stale;

  /** All zero, as new memory is. */
  HostMirror(int length) {
    values = new int[length];
  }

  int[] values() {
    return values;
  }

  boolean isStale() {
    return stale;
  }

  /** The GPU's integers were written by a kernel. */
  void markStale() {
    stale = true;
  }

  /** All of {@link #values} were read from the GPU. */
  void refresh() {
    stale = false;
  }
}
