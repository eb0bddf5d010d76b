package zerofive.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnx.proto.OnnxMl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import zerofive.data.image.ImageShape;
import zerofive.files.Json;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Safetensors;

/** What {@code export} writes, read back by other means than it was written by. */
class ExportTest {
  /** Ten code points, the last one outside of the basic plane. */
  private static final String NAME = "sneaker \u00fc\ud83d\ude00";

  @TempDir Path folder;
  private Path file;
  private Parameters parameters;

  @BeforeEach
  void writeAModel() {
    file = folder.resolve("model.safetensors");
    parameters = Initializer.NORMAL.create(new Architecture(6, List.of(4, 3), 1), 1);
    new ModelFile(parameters, List.of(NAME, "0"), Loss.BCE, new ImageShape(3, 2)).write(file);
  }

  private Launcher.Result export(String... options) {
    String[] all =
        Arrays.copyOf(new String[] {"export", "--model", file.toString()}, 3 + options.length);
    System.arraycopy(options, 0, all, 3, options.length);
    return InProcess.run(all);
  }

  private Path exported(String format, String... options) {
    Launcher.Result result = export(options);
    assertEquals(0, result.code(), result.err());
    return folder.resolve("model." + format);
  }

  /** What the ONNX checker asks of a graph: every name made once, and before it is used. */
  @ParameterizedTest
  @ValueSource(strings = {"byte", "float"})
  void theGraphMakesEveryNameOnceAndBeforeItsUse(String input) throws IOException {
    OnnxMl.ModelProto model =
        OnnxMl.ModelProto.parseFrom(Files.readAllBytes(exported("onnx", "--input", input)));
    OnnxMl.GraphProto graph = model.getGraph();
    Set<String> known = new HashSet<>();
    graph.getInputList().forEach(value -> assertTrue(known.add(value.getName())));
    for (OnnxMl.TensorProto tensor : graph.getInitializerList()) {
      assertTrue(known.add(tensor.getName()), tensor.getName());
      long values = tensor.getDimsList().stream().reduce(1L, (a, b) -> a * b);
      assertEquals(4 * values, tensor.getRawData().size(), tensor.getName());
    }
    Set<String> nodes = new HashSet<>();
    for (OnnxMl.NodeProto node : graph.getNodeList()) {
      assertTrue(nodes.add(node.getName()), node.getName());
      assertTrue(known.containsAll(node.getInputList()), node.getName());
      node.getOutputList().forEach(name -> assertTrue(known.add(name), name));
    }
    graph.getOutputList().forEach(value -> assertTrue(known.contains(value.getName())));
    assertEquals(1, model.getOpsetImportCount());
    assertEquals(
        "batch", graph.getInput(0).getType().getTensorType().getShape().getDim(0).getDimParam());
    assertEquals(6, graph.getInput(0).getType().getTensorType().getShape().getDim(1).getDimValue());
  }

  @Test
  void theOnnxFileSaysWhatItsNumbersMean() throws IOException {
    OnnxMl.ModelProto model = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(exported("onnx")));
    Map<String, String> metadata =
        model.getMetadataPropsList().stream()
            .collect(
                Collectors.toMap(
                    OnnxMl.StringStringEntryProto::getKey,
                    OnnxMl.StringStringEntryProto::getValue));
    assertEquals("[\"" + NAME + "\",\"0\"]", metadata.get("classes"));
    assertEquals("float32(byte) / 255", metadata.get("normalisation"));
    assertEquals("6-4-3-1", metadata.get("layers"));
    assertEquals("3 2", metadata.get("height") + " " + metadata.get("width"));
    assertTrue(model.getProducerVersion().startsWith("zerofive 0."), model.getProducerVersion());
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "safetensors", "npz", "html"})
  void theSameModelIsTheSameBytes(String format) throws IOException {
    Path first = folder.resolve("first");
    Path second = folder.resolve("second");
    assertEquals(0, export("--format", format, "--out", first.toString()).code());
    TimeZone zone = TimeZone.getDefault();
    try {
      TimeZone.setDefault(TimeZone.getTimeZone("Pacific/Chatham"));
      assertEquals(0, export("--format", format, "--out", second.toString()).code());
    } finally {
      TimeZone.setDefault(zone);
    }
    assertArrayEquals(Files.readAllBytes(first), Files.readAllBytes(second));
  }

  /** The dtype, shape and bytes of an array, as numpy.lib.format describes version 1.0. */
  private record Array(String header, ByteBuffer values) {
    static Array read(byte[] npy) {
      ByteBuffer bytes = ByteBuffer.wrap(npy).order(ByteOrder.LITTLE_ENDIAN);
      assertEquals("\u0093NUMPY\u0001\u0000", new String(npy, 0, 8, StandardCharsets.ISO_8859_1));
      int length = Short.toUnsignedInt(bytes.getShort(8));
      assertEquals(0, (10 + length) % 64, "the values' alignment");
      String header = new String(npy, 10, length, StandardCharsets.US_ASCII);
      assertTrue(header.endsWith("\n"), header);
      return new Array(
          header.strip(),
          bytes.slice(10 + length, npy.length - 10 - length).order(ByteOrder.LITTLE_ENDIAN));
    }
  }

  @Test
  void theNpzFileHoldsEveryTensorAndTheClasses() throws IOException {
    Map<String, Array> arrays = new HashMap<>();
    try (ZipFile zip = new ZipFile(exported("npz", "--format", "npz").toFile())) {
      for (ZipEntry entry : zip.stream().toList()) {
        arrays.put(entry.getName(), Array.read(zip.getInputStream(entry).readAllBytes()));
      }
    }
    for (Parameters.View view : Parameters.views(parameters.architecture())) {
      Array array = arrays.remove(view.name() + ".npy");
      String shape = view.shape().stream().map(size -> size + ",").collect(Collectors.joining(" "));
      assertEquals(
          "{'descr': '<f4', 'fortran_order': False, 'shape': (" + shape + "), }", array.header());
      assertEquals(4 * view.length(), array.values().remaining());
      for (int i = 0; i < view.length(); i++) {
        assertEquals(parameters.values()[view.offset() + i], array.values().getFloat());
      }
    }
    Array classes = arrays.remove("classes.npy");
    assertEquals("{'descr': '<U10', 'fortran_order': False, 'shape': (2,), }", classes.header());
    assertEquals(2 * 10 * 4, classes.values().remaining());
    assertEquals('s', classes.values().getInt(0));
    assertEquals(0x1f600, classes.values().getInt(9 * 4));
    assertEquals('0', classes.values().getInt(10 * 4));
    assertEquals(0, classes.values().getInt(11 * 4));
    for (String size : List.of("height", "width")) {
      Array array = arrays.remove(size + ".npy");
      assertEquals("{'descr': '<i4', 'fortran_order': False, 'shape': (), }", array.header());
      assertEquals(size.equals("height") ? 3 : 2, array.values().getInt());
    }
    assertTrue(arrays.isEmpty(), arrays.toString());
  }

  /** numpy itself, where there is one. */
  @Test
  void numpyReadsIt() throws Exception {
    String npz = exported("npz", "--format", "npz").toString();
    assumeTrue(call("/usr/bin/python3", "-c", "import numpy") == 0, "there is no numpy here");
    String check =
        "import numpy, sys; z = numpy.load(sys.argv[1]);"
            + "assert z.files[:6] == '0.weight 0.bias 2.weight 2.bias 4.weight 4.bias'.split();"
            + "assert z.files[6:] == 'classes height width'.split();"
            + "assert z['height'] == 3 and z['width'] == 2;"
            + "assert z['0.weight'].shape == (4, 6) and z['0.weight'].dtype == numpy.float32;"
            + "assert z['0.weight'][1, 2] == numpy.float32(sys.argv[2]);"
            + "assert z['classes'][0] == sys.argv[3] and z['classes'][1] == '0'";
    String value = Float.toString(parameters.values()[8]);
    assertEquals(0, call("/usr/bin/python3", "-c", check, npz, value, NAME));
  }

  private static int call(String... command) throws Exception {
    try {
      ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
      builder.environment().put("PYTHONUTF8", "1");
      return builder.start().waitFor();
    } catch (IOException notThere) {
      return -1;
    }
  }

  @Test
  void aModelOfPyTorchGetsOurNames() {
    Map<String, Safetensors.Tensor> tensors = new HashMap<>();
    tensors.put(
        "fc1.weight", new Safetensors.Tensor(List.of(2, 3), new float[] {1, 2, 3, 4, 5, 6}));
    tensors.put("fc1.bias", new Safetensors.Tensor(List.of(2), new float[] {7, 8}));
    tensors.put(
        "fc2.weight", new Safetensors.Tensor(List.of(3, 2), new float[] {9, 10, 11, 12, 13, 14}));
    tensors.put("fc2.bias", new Safetensors.Tensor(List.of(3), new float[] {15, 16, 17}));
    new Safetensors(Map.of("format", "pt"), tensors).write(file);
    Path out = folder.resolve("ours.safetensors");
    Launcher.Result result = export("--format", "safetensors", "--out", out.toString());
    assertEquals(0, result.code(), result.err());
    assertTrue(result.err().contains("fc1.weight, fc2.weight"), result.err());
    assertTrue(result.err().contains("names no classes"), result.err());
    ModelFile ours = ModelFile.read(out);
    assertEquals(List.of("0", "1", "2"), ours.classes());
    for (int i = 0; i < 17; i++) {
      assertEquals(i + 1, ours.parameters().values()[i]);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--format pickle | 2 | onnx, safetensors, npz",
        "--input int8 | 2 | byte, float",
        "--format npz --data mnist | 2 | --data belongs to --format html",
        "--format html --data nowhere | 2 | unknown data set",
        "--format html --data mnist | 3 | does not occur in mnist",
        "--format npz --input float | 2 | --input belongs to --format onnx",
        "--format safetensors | 6 | exists; name another file with --out",
        "--out nowhere/model.onnx | 6 | no such folder",
        "--model missing.safetensors | 2 | given twice",
      })
  void whatCannotBeIsRefusedInOneSentence(String options, int code, String said)
      throws IOException {
    Launcher.Result result = export(options.split(" ", -1));
    assertEquals(code, result.code(), result.err());
    assertTrue(result.err().contains(said), result.err());
    assertEquals(1, result.err().lines().count(), result.err());
    assertEquals("", result.out());
    assertEquals(List.of(file), content(folder));
  }

  @ParameterizedTest
  @ValueSource(strings = {"onnx", "safetensors", "npz", "html"})
  void whereTheDiskIsFullNothingStays(String format) throws Exception {
    Path disk = Files.createDirectory(folder.resolve("disk"));
    assumeTrue(
        call("mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", disk.toString()) == 0,
        "mounting a small disk takes root's rights");
    try {
      Path filler = Files.write(disk.resolve("filler"), new byte[4096]);
      Launcher.Result result =
          export("--format", format, "--quiet", "--out", disk.resolve("m").toString());
      assertEquals(6, result.code(), result.err());
      assertTrue(result.err().contains("No space left on device"), result.err());
      assertEquals(1, result.err().lines().count(), result.err());
      assertEquals(List.of(filler), content(disk));
    } finally {
      assertEquals(0, call("umount", disk.toString()));
    }
  }

  @Test
  void aPageOfARunHasSamplesOfItsData() throws IOException {
    Path run = folder.resolve("run");
    file = run.resolve("model.safetensors");
    Launcher.Result trained =
        InProcess.run("train", "--epochs", "1", "--quiet", "--out", run.toString());
    assertEquals(0, trained.code(), trained.err());
    Launcher.Result json = export("--format", "html", "--json");
    assertEquals(0, json.code(), json.err());
    assertEquals(60, Json.parse(json.out()).get("samples").getAsInt());
    assertTrue(Files.readString(run.resolve("model.html")).contains("of 1,872 validation images"));

    Path config = run.resolve("config.json");
    String settings = Files.readString(config);
    for (String other : List.of("{", settings.replace("mnist", "kmnist"))) {
      Files.writeString(config, other);
      Path page = folder.resolve("page.html");
      Launcher.Result without = export("--format", "html", "--out", page.toString());
      assertEquals(0, without.code(), without.err());
      assertTrue(without.err().contains("the page has no samples: "), without.err());
      assertTrue(without.out().contains("with no samples"), without.out());
      Files.delete(page);
    }
    Files.delete(config);
    Path page = folder.resolve("page.html");
    Launcher.Result named = export("--format", "html", "--data", "mnist", "--out", page.toString());
    assertEquals(0, named.code(), named.err());
    assertEquals("", named.err());
    assertArrayEquals(Files.readAllBytes(run.resolve("model.html")), Files.readAllBytes(page));
  }

  @Test
  void aPageHoldsSmallModelsOfImagesWithAShape() throws IOException {
    Parameters large = Initializer.NORMAL.create(new Architecture(784, List.of(2548), 1), 1);
    new ModelFile(large, List.of("0", "5"), Loss.BCE, new ImageShape(28, 28)).write(file);
    assertRefused("has 8,010,916 bytes of weights, and a page holds at most 8,000,000");
    Map<String, Safetensors.Tensor> tensors = ModelFile.tensors(parameters, "");
    new Safetensors(Map.of(), tensors).write(file);
    assertRefused("their 6 pixels make no square; add height and width to its metadata");
  }

  private void assertRefused(String said) throws IOException {
    Launcher.Result result = export("--format", "html", "--quiet");
    assertEquals(3, result.code(), result.err());
    assertTrue(result.err().contains(said), result.err());
    assertEquals(1, result.err().lines().count(), result.err());
    assertEquals(List.of(file), content(folder));
  }

  private static List<Path> content(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    }
  }
}
