package zerofive.backend.cuda;

/** The host's copy of the card's integers; a kernel that writes them leaves it stale. */
final class HostNumbers {
  private final int[] values;
  private boolean stale;

  /** All zero, as new memory is. */
  HostNumbers(int length) {
    values = new int[length];
  }

  int[] values() {
    return values;
  }

  boolean isStale() {
    return stale;
  }

  /** The card's integers were written by a kernel. */
  void outdate() {
    stale = true;
  }

  /** All of {@link #values} were read from the card. */
  void refresh() {
    stale = false;
  }
}
