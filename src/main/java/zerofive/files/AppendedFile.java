package zerofive.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file that grows by whole records, each handed to the operating system by one write, so that a
 * kill tears the last record at most. Every method throws OutputException where it fails.
 */
public final class AppendedFile implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  /** Opens a file that exists, or creates one. */
  public AppendedFile(Path file) {
    this.file = file;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }

  /** Adds a record in UTF-8. */
  public void append(String text) {
    append(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** Adds a record. */
  public void append(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }

  /** Returns when all records are on the disk. */
  public void sync() {
    try {
      FileGuarantees.sync(file, channel);
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new OutputException(file, e);
    }
  }
}
