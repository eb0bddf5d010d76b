package zerofive.model.format;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import zerofive.files.AtomicFile;

/**
 * A model as numpy's .npz: a zip file, stored, of one .npy for each tensor under its own name, and
 * {@code classes}, the class names as text; {@code height} and {@code width} of an image where they
 * are known, and {@code mean} and {@code std} where pixels are normalised by them. {@code
 * numpy.load(file)["0.weight"]} is [outputs, inputs] float32. The format of .npy is version 1.0 of
 * numpy.lib.format's documentation.
 */
public final class NpzFile {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};

  /** The values begin at a multiple of this many bytes. */
  private static final int ALIGNMENT = 64;

  /** Any time that zip can tell, without the time zone that earlier ones would bring in. */
  private static final LocalDateTime TIME = LocalDateTime.of(2000, 1, 1, 0, 0);

  private NpzFile() {}

  /** Writes the model atomically; the same model makes the same bytes. Throws OutputException. */
  public static void write(ModelFile model, Path file) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, Safetensors.Tensor> entry :
          ModelFile.tensors(model.parameters(), "").entrySet()) {
        put(zip, entry.getKey(), floats(entry.getValue()));
      }
      put(zip, "classes", texts(model.classes()));
      if (model.shape().isPresent()) {
        put(zip, "height", integer(model.shape().get().height()));
        put(zip, "width", integer(model.shape().get().width()));
      }
      Normalisation how = model.normalisation().orElse(Normalisation.NONE);
      if (!how.isNone()) {
        put(zip, "mean", number(how.mean()));
        put(zip, "std", number(how.std()));
      }
    } catch (IOException e) {
      throw new IllegalStateException("an array in memory does not fail", e);
    }
    AtomicFile.write(file, ByteBuffer.wrap(bytes.toByteArray()));
  }

  private static void put(ZipOutputStream zip, String name, byte[] npy) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(npy);
    ZipEntry entry = new ZipEntry(name + ".npy");
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(npy.length);
    entry.setCrc(crc.getValue());
    entry.setTimeLocal(TIME);
    zip.putNextEntry(entry);
    zip.write(npy);
    zip.closeEntry();
  }

  private static byte[] floats(Safetensors.Tensor tensor) {
    byte[] header = header("<f4", tensor.shape());
    ByteBuffer npy = ByteBuffer.allocate(header.length + tensor.values().length * Float.BYTES);
    npy.order(ByteOrder.LITTLE_ENDIAN).put(header);
    for (float value : tensor.values()) {
      npy.putFloat(value);
    }
    return npy.array();
  }

  private static byte[] number(float value) {
    return floats(new Safetensors.Tensor(List.of(), new float[] {value}));
  }

  private static byte[] integer(int value) {
    byte[] header = header("<i4", List.of());
    ByteBuffer npy = ByteBuffer.allocate(header.length + Integer.BYTES);
    return npy.order(ByteOrder.LITTLE_ENDIAN).put(header).putInt(value).array();
  }

  /** Unicode code points, each text filled up with zeros to the length of the longest. */
  private static byte[] texts(List<String> texts) {
    int length = 1;
    for (String text : texts) {
      length = Math.max(length, text.codePointCount(0, text.length()));
    }
    byte[] header = header("<U" + length, List.of(texts.size()));
    ByteBuffer npy = ByteBuffer.allocate(header.length + texts.size() * length * Integer.BYTES);
    npy.order(ByteOrder.LITTLE_ENDIAN).put(header);
    for (String text : texts) {
      int end = npy.position() + length * Integer.BYTES;
      text.codePoints().forEach(npy::putInt);
      npy.position(end);
    }
    return npy.array();
  }

  /** Everything before the values. */
  private static byte[] header(String type, List<Integer> shape) {
    String sizes = shape.stream().map(size -> size + ",").collect(Collectors.joining(" "));
    String text = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
    int unpadded = MAGIC.length + Short.BYTES + text.length() + 1;
    int padding = -unpadded & ALIGNMENT - 1;
    ByteBuffer header = ByteBuffer.allocate(unpadded + padding);
    header.order(ByteOrder.LITTLE_ENDIAN).put(MAGIC);
    header.putShort((short) (header.remaining() - Short.BYTES));
    header.put((text + " ".repeat(padding) + "\n").getBytes(StandardCharsets.US_ASCII));
    return header.array();
  }
}
