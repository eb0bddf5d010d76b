package zerofive.model.format;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.Refusal;
import zerofive.files.InputException;
import zerofive.files.OutputException;

/** The format byte by byte, and files that no honest program would write. */
class SafetensorsTest {
  private static final byte[] NOTHING = {};

  @TempDir private Path folder;
  private Path file;

  @BeforeEach
  void nameTheFile() {
    file = folder.resolve("model.safetensors");
  }

  @Test
  void aFileIsLengthThenHeaderThenFloatsInLittleEndian() throws IOException {
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    tensors.put("w", new Safetensors.Tensor(List.of(1, 2), new float[] {1, -2.5f}));
    tensors.put("b", new Safetensors.Tensor(List.of(1), new float[] {0x1.8p-149f}));
    new Safetensors(Map.of("k", "v"), tensors).write(file);
    String header =
        "{\"__metadata__\":{\"k\":\"v\"},"
            + "\"w\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}";
    int padded = (header.length() + 7) / 8 * 8;
    assertTrue(padded > header.length(), "the example wants padding");
    byte[] expected = Arrays.copyOf(new byte[] {(byte) padded}, 8 + padded + 12);
    Arrays.fill(expected, 8, 8 + padded, (byte) ' ');
    System.arraycopy(header.getBytes(StandardCharsets.US_ASCII), 0, expected, 8, header.length());
    byte[] data = {0, 0, (byte) 0x80, 0x3f, 0, 0, 0x20, (byte) 0xc0, 2, 0, 0, 0};
    System.arraycopy(data, 0, expected, 8 + padded, data.length);
    assertArrayEquals(expected, Files.readAllBytes(file));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
  void theValuesBeginAtAMultipleOfEightBytes(int extra) throws IOException {
    Map<String, String> metadata = Map.of("k", "ü" + "x".repeat(extra));
    new Safetensors(metadata, Map.of("t", tensor(7))).write(file);
    byte[] bytes = Files.readAllBytes(file);
    assertEquals(0, bytes[0] % 8);
    assertEquals(bytes.length, 8 + (bytes[0] & 0xff) + 4);
    assertEquals(metadata, Safetensors.read(file).metadata());
  }

  @Test
  void everyFiniteFloatComesBackBitForBit() {
    float[] values = new float[10_000];
    Random random = new Random(1);
    for (int i = 0; i < values.length; i++) {
      float value = Float.intBitsToFloat(random.nextInt());
      values[i] = Float.isFinite(value) ? value : -0f;
    }
    float[] corners = {
      0f,
      -0f,
      Float.MIN_VALUE,
      -Float.MIN_VALUE,
      Float.MIN_NORMAL,
      Float.MAX_VALUE,
      -Float.MAX_VALUE,
      0x0.fffffep-126f,
      1f,
      0x1.000002p0f
    };
    System.arraycopy(corners, 0, values, 0, corners.length);
    new Safetensors(Map.of(), Map.of("t", new Safetensors.Tensor(List.of(100, 100), values)))
        .write(file);
    float[] read = Safetensors.read(file).tensors().get("t").values();
    assertEquals(values.length, read.length);
    for (int i = 0; i < values.length; i++) {
      assertEquals(
          Float.floatToRawIntBits(values[i]), Float.floatToRawIntBits(read[i]), "value " + i);
    }
  }

  @Test
  void namesMetadataShapesAndOrderComeBack() {
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    tensors.put("z", tensor(1, 2, 3));
    tensors.put("a \"quoted\" \\ ü \u2028 \n", tensor(4));
    tensors.put("scalar", new Safetensors.Tensor(List.of(), new float[] {5}));
    tensors.put("empty", new Safetensors.Tensor(List.of(0), new float[0]));
    tensors.put("cube", new Safetensors.Tensor(List.of(1, 2, 1), new float[] {6, 7}));
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("json", "[\"0\",\"5\"]");
    metadata.put("empty", "");
    metadata.put("größe", "tab\tline\n");
    new Safetensors(metadata, tensors).write(file);
    Safetensors read = Safetensors.read(file);
    assertEquals(metadata, read.metadata());
    assertEquals(List.copyOf(tensors.keySet()), List.copyOf(read.tensors().keySet()));
    tensors.forEach(
        (name, tensor) -> {
          assertEquals(tensor.shape(), read.tensors().get(name).shape(), name);
          assertArrayEquals(tensor.values(), read.tensors().get(name).values(), name);
        });
  }

  @Test
  void tensorsAreReadInTheOrderOfTheirBytesWhateverTheHeadersOrder() throws IOException {
    put(
        SafetensorsBytes.file(
            "{\"b\":{\"data_offsets\":[4,8],\"shape\":[1],\"dtype\":\"F32\"},"
                + "\"a\":{\"shape\":[1],\"dtype\":\"F32\",\"data_offsets\":[0,4]}}   ",
            SafetensorsBytes.floats(1, 2)));
    Safetensors read = Safetensors.read(file);
    assertEquals(List.of("a", "b"), List.copyOf(read.tensors().keySet()));
    assertArrayEquals(new float[] {2}, read.tensors().get("b").values());
    assertEquals(Map.of(), read.metadata());
  }

  @Test
  void aFileWithoutTensorsIsReadAsSuch() throws IOException {
    put(SafetensorsBytes.file("{}", NOTHING));
    assertEquals(Map.of(), Safetensors.read(file).tensors());
  }

  @Test
  void aFileThatCannotBeWrittenIsAnOutputException() {
    Safetensors content = new Safetensors(Map.of(), Map.of("t", tensor(1)));
    assertThrows(
        OutputException.class, () -> content.write(folder.resolve("missing").resolve("file")));
  }

  @Test
  void aMissingFileIsRefused() {
    refused().saying("is missing");
  }

  @Test
  void aFolderIsRefused() throws IOException {
    Files.createDirectory(file);
    refused().saying("not a regular file");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 7})
  void aFileShorterThanItsLengthFieldIsRefused(int length) throws IOException {
    put(new byte[length]);
    refused().saying("at byte " + length, "expected 8 bytes");
  }

  @ParameterizedTest
  @ValueSource(
      longs = {0, 1, 3, 1 << 20, 1L << 31, 1L << 32, 1L << 60, Long.MAX_VALUE, Long.MIN_VALUE, -1})
  void aHeaderLengthThatCannotBeIsRefused(long length) throws IOException {
    put(SafetensorsBytes.withLength(length, bytes("{}"), NOTHING));
    refused().saying("at byte 0", Long.toUnsignedString(length), "expected 2 to 2");
  }

  @Test
  void aHeaderOverOneMebibyteIsRefusedThoughTheFileHoldsIt() throws IOException {
    put(SafetensorsBytes.withLength((1 << 20) + 1, bytes("{}"), NOTHING));
    lengthen(32 << 20);
    refused().saying("at byte 0", "1048577", "expected 2 to 1048576");
  }

  @Test
  void aFileOverTwoGibibytesIsRefused() throws IOException {
    put(SafetensorsBytes.file("{}", NOTHING));
    lengthen(1L << 31);
    refused().saying("2147483648 bytes", "2 GiB");
  }

  @Test
  void aFileCutAnywhereIsRefused() throws IOException {
    byte[] whole =
        new SafetensorsBytes()
            .metadata("{\"k\":\"v\"}")
            .tensor("a", List.of(2), 1, 2)
            .tensor("b", List.of(), 3)
            .file();
    put(whole);
    assertEquals(2, Safetensors.read(file).tensors().size());
    for (int length = 0; length < whole.length; length++) {
      put(Arrays.copyOf(whole, length));
      refused();
    }
  }

  /** Whatever is flipped: a sentence, or a file that is well formed all the same. */
  @Test
  void aFileWithAnyBitFlippedIsRefusedOrStillWellFormed() throws IOException {
    byte[] whole =
        new SafetensorsBytes()
            .metadata("{\"k\":\"v\"}")
            .tensor("a", List.of(2), 1, 2)
            .tensor("b", List.of(), 3)
            .file();
    for (int bit = 0; bit < 8 * whole.length; bit++) {
      byte[] damaged = whole.clone();
      damaged[bit / 8] ^= (byte) (1 << bit % 8);
      put(damaged);
      try {
        Safetensors.read(file)
            .tensors()
            .forEach(
                (name, tensor) ->
                    assertEquals(
                        tensor.shape().stream().reduce(1, (a, b) -> a * b),
                        tensor.values().length));
      } catch (InputException e) {
        Refusal.of(
                () -> {
                  throw e;
                })
            .saying(file.toString());
      }
    }
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefused() throws IOException {
    for (byte[] wrong :
        List.of(
            new byte[] {'{', '"', (byte) 0xff, '"', '}'},
            new byte[] {'{', '"', (byte) 0xc3, '"', '}'},
            new byte[] {'{', '"', (byte) 0xed, (byte) 0xa0, (byte) 0x80, '"', '}'})) {
      put(SafetensorsBytes.file(wrong, NOTHING));
      refused().saying("at byte 8", "UTF-8");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "  ",
        "no JSON at all",
        "[]",
        "\"text\"",
        "17",
        "null",
        "{",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1}",
        "{\"a\":null}",
        "{\"a\":[]}",
        "{a:{}}",
        "{'a':{}}",
        "{\"a\":{},}",
        "{/* */}",
        "{}{}",
        "{} x",
        "{}\0",
        "{\"__metadata__\":{}} []",
      })
  void aHeaderThatIsNotOneJsonObjectIsRefused(String header) throws IOException {
    put(SafetensorsBytes.file(header, NOTHING));
    refused();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{\"a\":", "{\"a\":{\"shape\":", "{\"__metadata__\":{\"k\":"})
  void aDeeplyNestedHeaderIsRefused(String start) throws IOException {
    for (String bracket : new String[] {"[", "{\"x\":"}) {
      put(SafetensorsBytes.file(start + bracket.repeat(100_000), NOTHING));
      refused();
    }
  }

  @Test
  void aTensorNamedTwiceIsRefused() throws IOException {
    put(new SafetensorsBytes().tensor("w", List.of(1), 1).tensor("w", List.of(1), 2).file());
    refused().saying("w twice");
    put(new SafetensorsBytes().metadata("{}").metadata("{}").file());
    refused().saying("__metadata__ twice");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]",
        "\"dtype\":\"F32\",\"shape\":[2],\"shape\":[1],\"data_offsets\":[0,4]",
        "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8],\"data_offsets\":[0,4]",
      })
  void aPropertyNamedTwiceIsRefused(String entry) throws IOException {
    put(SafetensorsBytes.file("{\"w\":{" + entry + "}}", new byte[4]));
    refused().saying("tensor w", "twice");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\"shape\":[1],\"data_offsets\":[0,4]",
        "\"dtype\":\"F32\",\"data_offsets\":[0,4]",
        "\"dtype\":\"F32\",\"shape\":[1]",
        "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[]",
        "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4]",
        "\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,4]",
      })
  void aTensorThatLacksAPropertyIsRefused(String entry) throws IOException {
    put(SafetensorsBytes.file("{\"w\":{" + entry + "}}", new byte[4]));
    refused().saying("tensor w", "lacks");
  }

  @Test
  void anUnknownPropertyIsRefused() throws IOException {
    put(
        SafetensorsBytes.file(
            "{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"strides\":[1]}}",
            new byte[4]));
    refused().saying("tensor w", "unknown property strides");
  }

  @ParameterizedTest
  @ValueSource(strings = {"F8_E4M3", "I64", "U8", "BOOL", "f32", ""})
  void aTypeThatIsNoFloatingPointNumberIsRefused(String type) throws IOException {
    put(entry("\"" + type + "\"", "[1]", "[0,4]", 4));
    refused().saying("tensor w", "dtype " + type, "expected F32");
  }

  /** One number each of IEEE 754's kinds: zero, subnormal, normal, the largest; both signs. */
  @ParameterizedTest
  @CsvSource({
    "F16, 0000, 0x0p0",
    "F16, 8000, -0x0p0",
    "F16, 0001, 0x1p-24",
    "F16, 83ff, -0x1.ff8p-15",
    "F16, 0400, 0x1p-14",
    "F16, 3c00, 0x1p0",
    "F16, 3555, 0x1.554p-2",
    "F16, fbff, -65504",
    "BF16, 3f80, 0x1p0",
    "BF16, c049, -0x1.92p1",
    "BF16, 0001, 0x1p-133",
    "F64, 3ff0000000000000, 0x1p0",
    "F64, c00921fb54442d18, -3.1415927",
    "F64, 47efffffe0000000, 0x1.fffffep127",
    "F64, 0000000000000001, 0x0p0",
  })
  void otherFloatingPointTypesAreConverted(String type, String bits, String expected)
      throws IOException {
    put(number(type, bits));
    Safetensors read = Safetensors.read(file);
    assertEquals(List.of(type), read.converted());
    assertEquals(
        Float.floatToRawIntBits(Float.parseFloat(expected)),
        Float.floatToRawIntBits(read.tensors().get("w").values()[0]));
  }

  @ParameterizedTest
  @CsvSource({
    "F16, 7c00, Infinity",
    "F16, fe01, NaN",
    "BF16, 7f80, Infinity",
    "BF16, ffc0, NaN",
    "F64, 7ff0000000000000, Infinity",
    "F64, 47f0000000000000, more than float32 can",
    "F64, fff8000000000000, NaN",
  })
  void whatFloat32CannotHoldIsRefusedAtItsByte(String type, String bits, String said)
      throws IOException {
    byte[] whole = number(type, bits);
    put(whole);
    refused().saying("at byte " + (whole.length - bits.length() / 2), "tensor w", said);
  }

  @ParameterizedTest
  @CsvSource({"F16, 4", "BF16, 3", "F32, 2", "F64, 4"})
  void aShapeMustFillItsBytesInEveryType(String type, int bytes) throws IOException {
    put(entry("\"" + type + "\"", "[1]", "[0," + bytes + "]", bytes));
    refused().saying("tensor w", "does not fill", type);
  }

  /** A file with one value, whose bits are given from the highest on. */
  private static byte[] number(String type, String bits) {
    byte[] value = HexFormat.of().parseHex(bits);
    byte[] littleEndian = new byte[value.length];
    for (int i = 0; i < value.length; i++) {
      littleEndian[i] = value[value.length - 1 - i];
    }
    String header =
        "{\"w\":{\"dtype\":\""
            + type
            + "\",\"shape\":[1],\"data_offsets\":[0,"
            + value.length
            + "]}}";
    return SafetensorsBytes.file(header, littleEndian);
  }

  @ParameterizedTest
  @ValueSource(strings = {"32", "true", "null", "[\"F32\"]", "{\"F32\":1}"})
  void aTypeThatIsNotTextIsRefused(String type) throws IOException {
    put(entry(type, "[1]", "[0,4]", 4));
    refused();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[-1]",
        "[-1,-1]",
        "[2147483648]",
        "[4294967297]",
        "[9223372036854775807]",
        "[9223372036854775808]",
        "[18446744073709551617]",
        "[1e400]",
        "[0.5]",
        "[2]",
        "[0]",
        "[1,0]",
        "[2147483647]",
        "[2147483647,2147483647,4]",
        "[2147483647,2147483647,2147483647]",
        "[65536,65536]",
        "[65536,65536,65536,65536]",
        "[\"1\"]",
        "[true]",
        "[null]",
        "[[1]]",
        "1",
        "\"1\"",
        "null",
        "{}",
      })
  void aShapeThatIsNotThatOfTheBytesIsRefused(String shape) throws IOException {
    put(entry("\"F32\"", shape, "[0,4]", 4));
    refused();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[1,5]",
        "[0,3]",
        "[0,8]",
        "[0,12]",
        "[4,8]",
        "[4,0]",
        "[4,4]",
        "[-4,0]",
        "[0,-4]",
        "[-9223372036854775808,-9223372036854775804]",
        "[0,-9223372036854775808]",
        "[9223372036854775807,3]",
        "[9223372036854775804,9223372036854775807]",
        "[0,9223372036854775807]",
        "[0,4294967300]",
        "[0,18446744073709551620]",
        "[0,4.5]",
        "[\"0\",\"4\"]",
        "[null,4]",
        "\"0,4\"",
      })
  void offsetsThatAreNotThoseOfTheBytesAreRefused(String offsets) throws IOException {
    put(entry("\"F32\"", "[1]", offsets, 4));
    refused();
  }

  @Test
  void tensorsThatOverlapAreRefused() throws IOException {
    put(two("[0,8]", "[4,12]", 12));
    refused().saying("tensor b", "4 to 12", "begin at 8");
    put(two("[0,8]", "[0,8]", 8));
    refused().saying("0 to 8", "begin at 8");
  }

  @Test
  void aHoleBetweenTensorsIsRefused() throws IOException {
    put(two("[0,8]", "[12,20]", 20));
    refused().saying("tensor b", "12 to 20", "begin at 8");
  }

  @Test
  void bytesThatNoTensorClaimsAreRefused() throws IOException {
    byte[] whole = two("[0,8]", "[8,16]", 16);
    put(Arrays.copyOf(whole, whole.length + 1));
    refused().saying("at byte " + whole.length, "no tensor claims");
    put(SafetensorsBytes.file("{}", new byte[4]));
    refused().saying("at byte 10", "no tensor claims");
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void aValueThatIsNotFiniteIsRefusedAtItsByte(float bad) throws IOException {
    byte[] whole =
        new SafetensorsBytes().tensor("a", List.of(1), 1).tensor("b", List.of(2), 2, bad).file();
    put(whole);
    refused().saying("at byte " + (whole.length - 4), "tensor b", String.valueOf(bad));
  }

  @Test
  void aSignallingNanIsRefusedToo() throws IOException {
    byte[] whole = new SafetensorsBytes().tensor("a", List.of(1), 0).file();
    whole[whole.length - 1] = 0x7f;
    whole[whole.length - 2] = (byte) 0x80;
    whole[whole.length - 4] = 1;
    put(whole);
    refused().saying("tensor a", "NaN");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "null",
        "\"text\"",
        "1",
        "{\"k\":1}",
        "{\"k\":true}",
        "{\"k\":null}",
        "{\"k\":[\"v\"]}",
        "{\"k\":{\"k\":\"v\"}}",
        "{\"k\":\"v\",\"k\":\"v\"}",
      })
  void metadataThatIsNotAnObjectOfTextsIsRefused(String json) throws IOException {
    put(new SafetensorsBytes().metadata(json).tensor("w", List.of(1), 1).file());
    refused();
  }

  @Test
  void aHostileNameNeitherBreaksTheLineNorFillsTheScreen() throws IOException {
    String name = "\\n\\u001b[2J" + "x".repeat(1_000_000);
    put(
        SafetensorsBytes.file(
            "{\"" + name + "\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]}}",
            new byte[4]));
    refused().saying("dtype I16", "expected F32");
  }

  private void put(byte[] content) throws IOException {
    Files.write(file, content);
  }

  private void lengthen(long length) throws IOException {
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(length);
    }
  }

  private Refusal refused() {
    return Refusal.of(() -> Safetensors.read(file)).saying(file.toString());
  }

  private static Safetensors.Tensor tensor(float... values) {
    return new Safetensors.Tensor(List.of(values.length), values);
  }

  private static byte[] entry(String dtype, String shape, String offsets, int length) {
    return SafetensorsBytes.file(
        "{\"w\":{\"dtype\":"
            + dtype
            + ",\"shape\":"
            + shape
            + ",\"data_offsets\":"
            + offsets
            + "}}",
        new byte[length]);
  }

  /** Two tensors of two values each. */
  private static byte[] two(String first, String second, int length) {
    String start = "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":";
    return SafetensorsBytes.file(
        "{\"a\":" + start + first + "},\"b\":" + start + second + "}}", new byte[length]);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
