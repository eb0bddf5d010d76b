package zerofive.model.format;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import zerofive.files.AtomicFile;
import zerofive.files.InputException;
import zerofive.files.RegularFile;

/**
 * A safetensors file: 8 bytes little-endian header length, a JSON header with each tensor's dtype,
 * shape and byte range, then the values. It is written in float32; other floating-point types are
 * converted as they are read. Nothing in it is ever executed, and every length is checked against
 * the file before memory is taken for it.
 *
 * @param metadata the header's {@code __metadata__}
 * @param tensors by name, in the order of their bytes
 * @param converted the dtypes besides F32 that the file holds, ascending
 */
public record Safetensors(
    Map<String, String> metadata, Map<String, Tensor> tensors, List<String> converted) {
  private static final int LENGTH_BYTES = 8;

  /** Room for thousands of tensors and class names; larger headers take seconds to parse. */
  private static final long MAX_HEADER = 1L << 20;

  private static final long MAX_FILE = Integer.MAX_VALUE - 8L;
  private static final String METADATA = "__metadata__";

  /** A tensor's shape and its values, row-major. */
  @SuppressWarnings("ArrayRecordComponent")
  public record Tensor(List<Integer> shape, float[] values) {}

  /** The types of value that a file may hold; their names are the format's own. */
  private enum Dtype {
    F16(2),
    BF16(2),
    F32(4),
    F64(8);

    final int size;

    Dtype(int size) {
      this.size = size;
    }

    /** The next value of {@code buffer}; one that float32 cannot hold becomes infinite. */
    float next(ByteBuffer buffer) {
      return switch (this) {
        case F16 -> half(buffer.getShort());
        case BF16 -> Float.intBitsToFloat(buffer.getShort() << 16);
        case F32 -> buffer.getFloat();
        case F64 -> (float) buffer.getDouble();
      };
    }

    /** IEEE 754 binary16: a sign, 5 bits of exponent and 10 of fraction. */
    private static float half(short bits) {
      int exponent = bits >> 10 & 0x1f;
      int fraction = bits & 0x3ff;
      float magnitude =
          switch (exponent) {
            case 0 -> Math.scalb((float) fraction, -24);
            case 0x1f -> fraction == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
            default -> Math.scalb((float) (fraction | 0x400), exponent - 25);
          };
      return bits < 0 ? -magnitude : magnitude;
    }
  }

  /** What the header says of one tensor; begin and end count bytes from the end of the header. */
  private record Entry(String name, Dtype dtype, List<Integer> shape, long start, long end) {}

  /** A file of float32 tensors. */
  public Safetensors(Map<String, String> metadata, Map<String, Tensor> tensors) {
    this(metadata, tensors, List.of());
  }

  /** Writes the file atomically. Throws OutputException. */
  public void write(Path file) {
    AtomicFile.write(file, bytes());
  }

  /** The whole file: its header, its values. */
  ByteBuffer[] bytes() {
    StringWriter json = new StringWriter();
    long offset = 0;
    try (JsonWriter writer = new JsonWriter(json)) {
      writer.beginObject().name(METADATA).beginObject();
      for (Map.Entry<String, String> entry : metadata.entrySet()) {
        writer.name(entry.getKey()).value(entry.getValue());
      }
      writer.endObject();
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        long end = offset + 4L * entry.getValue().values().length;
        writer.name(entry.getKey()).beginObject().name("dtype").value("F32").name("shape");
        writer.beginArray();
        for (int size : entry.getValue().shape()) {
          writer.value(size);
        }
        writer.endArray().name("data_offsets").beginArray().value(offset).value(end).endArray();
        writer.endObject();
        offset = end;
      }
      writer.endObject();
    } catch (IOException e) {
      throw new IllegalStateException("a StringWriter does not fail", e);
    }
    int unpadded = json.toString().getBytes(StandardCharsets.UTF_8).length;
    byte[] header =
        (json + " ".repeat(-unpadded & LENGTH_BYTES - 1)).getBytes(StandardCharsets.UTF_8);
    ByteBuffer head =
        ByteBuffer.allocate(LENGTH_BYTES + header.length).order(ByteOrder.LITTLE_ENDIAN);
    head.putLong(header.length).put(header).flip();
    ByteBuffer body = ByteBuffer.allocate(Math.toIntExact(offset)).order(ByteOrder.LITTLE_ENDIAN);
    for (Tensor tensor : tensors.values()) {
      for (float value : tensor.values()) {
        body.putFloat(value);
      }
    }
    return new ByteBuffer[] {head, body.flip()};
  }

  /** Reads and checks a whole file. Throws InputException with the place of the first fault. */
  public static Safetensors read(Path file) {
    RegularFile.size(file, "name a .safetensors file");
    try (FileChannel channel = FileChannel.open(file)) {
      return read(file, channel.size(), (start, length) -> bytes(channel, start, length));
    } catch (IOException e) {
      throw new InputException(file, e);
    }
  }

  /** The same of a file that is in memory; {@code file} is what messages call it. */
  public static Safetensors read(Path file, byte[] content) {
    try {
      return read(
          file,
          content.length,
          (start, length) ->
              ByteBuffer.wrap(content, (int) start, length).order(ByteOrder.LITTLE_ENDIAN));
    } catch (IOException e) {
      throw new IllegalStateException("memory does not fail", e);
    }
  }

  /** Bytes of a file, from {@code start} on. */
  private interface Source {
    ByteBuffer bytes(long start, int length) throws IOException;
  }

  private static Safetensors read(Path file, long size, Source source) throws IOException {
    if (size < LENGTH_BYTES) {
      throw broken(file, "at byte " + size + " the file ends, expected 8 bytes of header length");
    }
    if (size > MAX_FILE) {
      throw broken(file, size + " bytes are more than the 2 GiB a model file may have");
    }
    long headerLength = source.bytes(0, LENGTH_BYTES).getLong();
    if (headerLength < 2 || headerLength > Math.min(size - LENGTH_BYTES, MAX_HEADER)) {
      throw broken(
          file,
          "at byte 0 the header length is "
              + Long.toUnsignedString(headerLength)
              + ", expected 2 to "
              + Math.min(size - LENGTH_BYTES, MAX_HEADER));
    }
    String json;
    try {
      json =
          StandardCharsets.UTF_8
              .newDecoder()
              .decode(source.bytes(LENGTH_BYTES, (int) headerLength))
              .toString();
    } catch (CharacterCodingException e) {
      throw new InputException(file + ": at byte 8 the header is not UTF-8; " + REMEDY, e);
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    List<Entry> entries = new ArrayList<>();
    try (JsonReader reader = new JsonReader(new StringReader(json))) {
      reader.setStrictness(Strictness.STRICT);
      readHeader(file, reader, metadata, entries);
    } catch (IOException | IllegalStateException | NumberFormatException e) {
      throw new InputException(
          file + ": at byte 8 the header is not valid JSON for safetensors; " + REMEDY, e);
    }
    entries.sort(Comparator.comparingLong(Entry::start).thenComparingLong(Entry::end));
    long dataBegin = LENGTH_BYTES + headerLength;
    long dataLength = size - dataBegin;
    long expected = 0;
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Set<String> converted = new TreeSet<>();
    for (Entry entry : entries) {
      long bytes = entry.end() - entry.start();
      if (entry.start() != expected || bytes < 0 || entry.end() > dataLength) {
        throw broken(
            file,
            String.format(
                Locale.ROOT,
                "tensor %s has bytes %d to %d, expected it to begin at %d, where the one before"
                    + " ends, and to end by %d",
                entry.name(),
                entry.start(),
                entry.end(),
                expected,
                dataLength));
      }
      if (entry.dtype().size * elements(entry.shape(), dataLength) != bytes) {
        throw broken(
            file,
            "tensor "
                + entry.name()
                + " of shape "
                + entry.shape()
                + " does not fill "
                + bytes
                + " bytes of "
                + entry.dtype());
      }
      if (entry.dtype() != Dtype.F32) {
        converted.add(entry.dtype().name());
      }
      tensors.put(entry.name(), tensor(file, source, dataBegin, entry));
      expected = entry.end();
    }
    if (expected != dataLength) {
      throw broken(
          file, "at byte " + (dataBegin + expected) + " bytes follow that no tensor claims");
    }
    return new Safetensors(metadata, tensors, List.copyOf(converted));
  }

  private static void readHeader(
      Path file, JsonReader reader, Map<String, String> metadata, List<Entry> entries)
      throws IOException {
    Set<String> names = new HashSet<>();
    reader.beginObject();
    while (reader.hasNext()) {
      String name = reader.nextName();
      if (!names.add(name)) {
        throw broken(file, "the header names " + name + " twice");
      }
      if (name.equals(METADATA)) {
        reader.beginObject();
        while (reader.hasNext()) {
          String key = reader.nextName();
          if (metadata.put(key, text(reader)) != null) {
            throw broken(file, "the metadata names " + key + " twice");
          }
        }
        reader.endObject();
      } else {
        entries.add(readEntry(file, reader, name));
      }
    }
    reader.endObject();
    if (reader.peek() != JsonToken.END_DOCUMENT) {
      throw broken(file, "something follows the header's closing brace");
    }
  }

  private static Entry readEntry(Path file, JsonReader reader, String name) throws IOException {
    Set<String> keys = new HashSet<>();
    String dtype = null;
    List<Long> shape = null;
    List<Long> range = null;
    reader.beginObject();
    while (reader.hasNext()) {
      String key = reader.nextName();
      if (!keys.add(key)) {
        throw broken(file, "tensor " + name + " has its " + key + " twice");
      }
      switch (key) {
        case "dtype" -> dtype = text(reader);
        case "shape" -> shape = readLongs(reader);
        case "data_offsets" -> range = readLongs(reader);
        default -> throw broken(file, "tensor " + name + " has an unknown property " + key);
      }
    }
    reader.endObject();
    if (dtype == null || shape == null || range == null || range.size() != 2) {
      throw broken(file, "tensor " + name + " lacks its dtype, shape or data_offsets");
    }
    Dtype known;
    try {
      known = Dtype.valueOf(dtype);
    } catch (IllegalArgumentException e) {
      throw new InputException(
          file
              + ": tensor "
              + name
              + " has dtype "
              + dtype
              + ", expected F32, F16, BF16 or F64; "
              + REMEDY,
          e);
    }
    List<Integer> sizes = new ArrayList<>();
    for (long size : shape) {
      if (size < 0 || size > Integer.MAX_VALUE) {
        throw broken(file, "tensor " + name + " has shape " + shape);
      }
      sizes.add((int) size);
    }
    if (range.get(0) < 0) {
      throw broken(file, "tensor " + name + " begins at byte " + range.get(0));
    }
    return new Entry(name, known, List.copyOf(sizes), range.get(0), range.get(1));
  }

  /** The next value, which must be a string: the library would take a number for one. */
  private static String text(JsonReader reader) throws IOException {
    if (reader.peek() != JsonToken.STRING) {
      throw new IllegalStateException("expected a string at " + reader.getPath());
    }
    return reader.nextString();
  }

  private static List<Long> readLongs(JsonReader reader) throws IOException {
    List<Long> values = new ArrayList<>();
    reader.beginArray();
    while (reader.hasNext()) {
      if (reader.peek() != JsonToken.NUMBER) {
        throw new IllegalStateException("expected a number at " + reader.getPath());
      }
      values.add(reader.nextLong());
    }
    reader.endArray();
    return values;
  }

  private static Tensor tensor(Path file, Source source, long dataBegin, Entry entry)
      throws IOException {
    long at = dataBegin + entry.start();
    int size = entry.dtype().size;
    ByteBuffer bytes = source.bytes(at, (int) (entry.end() - entry.start()));
    float[] values = new float[bytes.remaining() / size];
    for (int i = 0; i < values.length; i++) {
      values[i] = entry.dtype().next(bytes);
      if (!Float.isFinite(values[i])) {
        throw broken(
            file,
            "at byte "
                + (at + (long) size * i)
                + " tensor "
                + entry.name()
                + " holds "
                + values[i]
                + (entry.dtype() == Dtype.F64 ? ", or more than float32 can" : ""));
      }
    }
    return new Tensor(entry.shape(), values);
  }

  /** Product of the sizes, or -1 where it passes {@code limit}. */
  private static long elements(List<Integer> shape, long limit) {
    long product = 1;
    for (int size : shape) {
      product *= size;
      if (product > limit) {
        return -1;
      }
    }
    return product;
  }

  private static ByteBuffer bytes(FileChannel channel, long start, int length) throws IOException {
    channel.position(start);
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new IOException("the file shrank while it was read");
      }
    }
    return buffer.flip();
  }

  private static final String REMEDY =
      "name a .safetensors file of floating-point numbers that is whole";

  private static InputException broken(Path file, String what) {
    return new InputException(file + ": " + what + "; " + REMEDY);
  }
}
