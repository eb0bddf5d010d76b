package zerofive.data.idx;

import java.io.IOException;
import java.io.InputStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * Unpacks a .gz. Java's own stream calls itself for every member that holds nothing, so that 20
 * bytes a member would exhaust the stack; here a file that has many of them is damaged.
 */
final class GzipStream extends GZIPInputStream {
  private static final int MAX_EMPTY_MEMBERS = 100;

  private int nestedCalls;

  GzipStream(InputStream packed, int bufferSize) throws IOException {
    super(packed, bufferSize);
  }

  @Override
  public int read(byte[] into, int from, int length) throws IOException {
    if (nestedCalls > MAX_EMPTY_MEMBERS) {
      throw new ZipException("over " + MAX_EMPTY_MEMBERS + " of its members are empty");
    }
    nestedCalls++;
    try {
      return super.read(into, from, length);
    } finally {
      nestedCalls--;
    }
  }
}
