package zerofive.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Fails a test in which native code did what JNI forbids, such as calling Java while it holds an
 * array: that may deadlock a garbage collector. The JVM looks for it under {@code -Xcheck:jni} and
 * writes what it finds to the file of {@code -XX:LogFile}; pom.xml asks for both and names the file
 * in {@code zerofive.jni.log}. Elsewhere nothing is checked.
 */
public final class JniCheck implements BeforeEachCallback, AfterEachCallback {
  private static final Optional<Path> LOG =
      Optional.ofNullable(System.getProperty("zerofive.jni.log")).map(Path::of);

  /**
   * As HotSpot words them. That JCuda keeps many references while it is loaded is not forbidden.
   */
  private static final List<String> FORBIDDEN =
      List.of("in native method", "Calling other JNI functions in the scope of");

  /** Bytes of the log that were looked at. */
  private static long seen;

  /** Whether this JVM looks at all. */
  public static boolean isOn() {
    return LOG.isPresent();
  }

  /** What the JVM has found since the last call, each once. */
  public static synchronized List<String> findings() throws IOException {
    if (LOG.isEmpty() || Files.size(LOG.get()) == seen) {
      return List.of();
    }
    try (RandomAccessFile log = new RandomAccessFile(LOG.get().toFile(), "r")) {
      log.seek(seen);
      byte[] bytes = new byte[Math.toIntExact(log.length() - seen)];
      log.readFully(bytes);
      seen += bytes.length;
      return new String(bytes, StandardCharsets.UTF_8)
          .lines()
          .filter(line -> FORBIDDEN.stream().anyMatch(line::contains))
          .distinct()
          .toList();
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException {
    findings();
  }

  @Override
  public void afterEach(ExtensionContext context) throws IOException {
    assertEquals(List.of(), findings(), "JNI");
  }
}
