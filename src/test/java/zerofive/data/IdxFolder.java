package zerofive.data;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/**
 * A small data set written as IDX files, whole or damaged. An image's pixels are a pattern of its
 * label plus a little noise of its number, so a model can learn the labels and a test can say what
 * every byte must be.
 */
public final class IdxFolder {
  public static final String TRAIN_IMAGES = "train-images-idx3-ubyte";
  public static final String TRAIN_LABELS = "train-labels-idx1-ubyte";
  public static final String VALID_IMAGES = "t10k-images-idx3-ubyte";
  public static final String VALID_LABELS = "t10k-labels-idx1-ubyte";

  private static final int UNSIGNED_BYTE = 0x08;

  private final Path path;
  private final int height;
  private final int width;

  /** Writes into {@code path}; images are {@code height} x {@code width}. */
  public IdxFolder(Path path, int height, int width) {
    this.path = path;
    this.height = height;
    this.width = width;
  }

  /** The folder. */
  public Path path() {
    return path;
  }

  /** The folder as --data takes it. */
  public String name() {
    return path.toString();
  }

  /** Writes raw training files: one image for each label, in this order. */
  public IdxFolder train(int... labels) {
    return put(TRAIN_LABELS, labelFile(labels)).put(TRAIN_IMAGES, imageFile(labels));
  }

  /** Writes raw validation files: one image for each label, in this order. */
  public IdxFolder valid(int... labels) {
    return put(VALID_LABELS, labelFile(labels)).put(VALID_IMAGES, imageFile(labels));
  }

  /** Writes {@code content} as it is. */
  public IdxFolder put(String file, byte[] content) {
    try {
      Files.write(path.resolve(file), content);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the file holds now. */
  public byte[] bytes(String file) {
    try {
      return Files.readAllBytes(path.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes the file. */
  public IdxFolder remove(String file) {
    try {
      Files.delete(path.resolve(file));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Replaces a raw file by its .gz. */
  public IdxFolder pack(String file) {
    return put(file + ".gz", gzip(bytes(file))).remove(file);
  }

  /** Replaces all four raw files by their .gz. */
  public IdxFolder packAll() {
    return pack(TRAIN_IMAGES).pack(TRAIN_LABELS).pack(VALID_IMAGES).pack(VALID_LABELS);
  }

  /** The raw bytes of a label file. */
  public static byte[] labelFile(int... labels) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(header(UNSIGNED_BYTE, labels.length));
    for (int label : labels) {
      file.write(label);
    }
    return file.toByteArray();
  }

  /** The raw bytes of an image file with one image for each label. */
  public byte[] imageFile(int... labels) {
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(header(UNSIGNED_BYTE, labels.length, height, width));
    for (int number = 0; number < labels.length; number++) {
      file.writeBytes(pixels(labels[number], number));
    }
    return file.toByteArray();
  }

  /** [height * width], image {@code number} of its file, showing {@code label}. */
  public byte[] pixels(int label, int number) {
    byte[] pixels = new byte[height * width];
    for (int i = 0; i < pixels.length; i++) {
      int pattern = (label + 1) * (2 * i + 3) * 37 % 224;
      pixels[i] = (byte) (pattern + (number * 13 + i * 7) % 32);
    }
    return pixels;
  }

  /** An IDX header: magic with the type and the number of dimensions, then each, big-endian. */
  public static byte[] header(int type, long... dimensions) {
    ByteBuffer header = ByteBuffer.allocate(4 + 4 * dimensions.length);
    header.put((byte) 0).put((byte) 0).put((byte) type).put((byte) dimensions.length);
    for (long dimension : dimensions) {
      header.putInt((int) dimension);
    }
    return header.array();
  }

  /** {@code content} gzipped. */
  public static byte[] gzip(byte[] content) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream stream = new GZIPOutputStream(packed)) {
      stream.write(content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return packed.toByteArray();
  }

  /** The parts one after the other. */
  public static byte[] join(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
