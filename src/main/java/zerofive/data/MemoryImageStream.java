package zerofive.data;

import javax.imageio.stream.ImageInputStreamImpl;

/** Bytes in memory as Java's image decoders want them, without a copy or a temporary file. */
final class MemoryImageStream extends ImageInputStreamImpl {
  private final byte[] bytes;

  MemoryImageStream(byte[] bytes) {
    this.bytes = bytes;
  }

  @Override
  public int read() {
    bitOffset = 0;
    return streamPos < bytes.length ? bytes[(int) streamPos++] & 0xff : -1;
  }

  @Override
  public int read(byte[] into, int from, int wanted) {
    bitOffset = 0;
    if (streamPos >= bytes.length) {
      return -1;
    }
    int count = (int) Math.min(wanted, bytes.length - streamPos);
    System.arraycopy(bytes, (int) streamPos, into, from, count);
    streamPos += count;
    return count;
  }

  @Override
  public long length() {
    return bytes.length;
  }
}
