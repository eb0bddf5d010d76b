package zerofive.data.image;

import java.io.IOException;
import java.io.InputStream;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Java's own decoders, one for each picture; plug-ins that other jars bring are passed over. */
final class ImageDecoder {
  static {
    // Else the decoders' library asks for X11's where a DISPLAY is set.
    System.setProperty("java.awt.headless", "true");
  }

  private ImageDecoder() {}

  /** What is asked of a decoder. */
  interface Use<T> {
    T of(ImageReader reader) throws IOException;
  }

  /**
   * Uses the decoder of {@code format}, {@code png} or {@code jpeg}, which must see the size that
   * memory was reserved for.
   */
  static <T> T decode(String format, InputStream file, long width, long height, Use<T> use)
      throws IOException {
    Iterator<ImageReader> readers = ImageIO.getImageReadersByFormatName(format);
    while (readers.hasNext()) {
      ImageReader reader = readers.next();
      try {
        if (reader.getClass().getModule().equals(ImageIO.class.getModule())) {
          reader.setInput(new MemoryCacheImageInputStream(file), true, true);
          if (reader.getWidth(0) != width || reader.getHeight(0) != height) {
            throw new IOException("it names two sizes");
          }
          return use.of(reader);
        }
      } finally {
        reader.dispose();
      }
    }
    throw new IOException("this Java has no decoder for it");
  }
}
