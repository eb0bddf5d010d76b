package zerofive.backend.cuda;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What has to be freed, the latest first. A resource belongs here from the moment it is made, so
 * that nothing is lost where the next one cannot be.
 */
final class Resources implements AutoCloseable {
  private final Deque<AutoCloseable> owned = new ArrayDeque<>();

  /** Takes over a resource; its {@code close} throws nothing. */
  <T extends AutoCloseable> T add(T resource) {
    owned.push(resource);
    return resource;
  }

  boolean isEmpty() {
    return owned.isEmpty();
  }

  @Override
  public void close() {
    while (!owned.isEmpty()) {
      try {
        owned.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException("freeing never fails", e);
      }
    }
  }
}
