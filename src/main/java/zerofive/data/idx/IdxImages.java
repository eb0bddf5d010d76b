package zerofive.data.idx;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import zerofive.data.image.GreyImage;
import zerofive.data.image.ImageFile;

/** The images of one IDX file, raw or .gz, one after the other. */
public final class IdxImages implements AutoCloseable {
  private static final byte[] MAGIC = {0, 0, 8, 3};

  /** Enough for a header and what stands before it in a .gz. */
  private static final int BUFFER = 512;

  private final IdxReader reader;
  private final int width;
  private final int height;
  private long left;

  /** Throws InputException where the file is none, or its images are too large. */
  public IdxImages(Path file) {
    reader = new IdxReader(ByteSource.file(file), 3, IdxReader.Type.UNSIGNED_BYTE);
    left = reader.dimension(0);
    if (reader.dimension(1) > ImageFile.MAX_PIXELS
        || reader.dimension(1) * reader.dimension(2) > ImageFile.MAX_PIXELS) {
      RuntimeException refusal = reader.broken(8, "images of over 50 megapixels");
      reader.close();
      throw refusal;
    }
    height = (int) reader.dimension(1);
    width = (int) reader.dimension(2);
  }

  /** Whether {@code file} begins as an IDX file of images does, or as a .gz of one. */
  public static boolean isIdx(Path file) {
    try (InputStream stored = Files.newInputStream(file)) {
      byte[] start = stored.readNBytes(4);
      if (start.length == 4 && start[0] == 0x1f && start[1] == (byte) 0x8b) {
        try (InputStream again = Files.newInputStream(file);
            InputStream raw = new GzipStream(again, BUFFER)) {
          start = raw.readNBytes(4);
        }
      }
      return Arrays.equals(start, MAGIC);
    } catch (IOException e) {
      return false; // Reading it will tell what is wrong.
    }
  }

  /** How many images are left. */
  public long left() {
    return left;
  }

  /** The next image, while there are any. Throws InputException. */
  public GreyImage next() {
    byte[] pixels = new byte[width * height];
    reader.read(pixels, 0, pixels.length);
    left--;
    if (left == 0) {
      reader.finish();
    }
    return new GreyImage(pixels, width, height);
  }

  @Override
  public void close() {
    reader.close();
  }
}
