package zerofive.backend.ops;

/** Memory of a device, opaque to all but the {@link Ops} that made it. */
public interface Buffer {
  /** What it holds. */
  ElementType type();

  /** How many elements it holds. */
  int length();

  /** The {@code length} elements from {@code offset} on: a view, not a copy. */
  Buffer slice(int offset, int length);
}
