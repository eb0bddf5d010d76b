package zerofive.model.format;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import zerofive.data.Refusal;
import zerofive.data.image.ImageShape;
import zerofive.files.InputException;
import zerofive.model.Architecture;
import zerofive.model.Initializer;
import zerofive.model.Loss;

/** Files of other kinds, named as a model. */
class ForeignFileTest {
  @TempDir private Path folder;

  /** Whatever the file is called, its first bytes count. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "80028a0a6cfc9c46f9206aa850192e | a PyTorch checkpoint | torch.load",
        "8004957d | a Python pickle, which may run any code | pickle.load",
        "080712077079746f7263681a | an ONNX model | onnx.load",
        "080a3a90030a | an ONNX model | onnx.load",
        "894844460d0a1a0a00 | an HDF5 file | keras.models.load_model",
      })
  void aFileIsKnownByItsFirstBytes(String start, String what, String python) throws IOException {
    assertKnown(HexFormat.of().parseHex(start), what, python);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mnist/data.pkl,mnist/data/0,mnist/version | a PyTorch checkpoint | torch.load",
        "data.pkl,byteorder | a PyTorch checkpoint | torch.load",
        "m/data.pkl,m/code/__torch__.py,m/constants.pkl | a TorchScript module | torch.jit.load",
        "0.weight.npy,0.bias.npy,classes.npy | numpy's arrays | numpy.load",
        "config.json,model.weights.h5,metadata.json | a Keras model | keras.models.load_model",
      })
  void aZipIsKnownByItsEntries(String entries, String what, String python) throws IOException {
    assertKnown(zip(entries.split(",", -1)), what, python);
  }

  /** A file's name may have the words in it that stand for the names in the lines. */
  @Test
  void theLinesNameTheFileWhateverItIsCalled() throws IOException {
    Path file = folder.resolve("IN OUT.pth");
    Files.write(file, HexFormat.of().parseHex("8004957d"));
    List<String> lines = assertThrows(InputException.class, () -> ModelFile.read(file)).lines();
    assertEquals(
        "save_file(dict(pickle.load(open(\"%s/IN OUT.pth\", \"rb\"))), \"%s/IN OUT.safetensors\")"
            .formatted(folder, folder),
        lines.get(1));
  }

  private static byte[] zip(String... entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (String entry : entries) {
        zip.putNextEntry(new ZipEntry(entry));
      }
    }
    return bytes.toByteArray();
  }

  private void assertKnown(byte[] content, String what, String python) throws IOException {
    Path file = Files.write(folder.resolve("a \"b\".pth"), content);
    Refusal.of(() -> ModelFile.read(file))
        .saying(
            file + " is not a safetensors file but ", what, "; convert it with these two lines");
    List<String> lines = assertThrows(InputException.class, () -> ModelFile.read(file)).lines();
    assertEquals(2, lines.size());
    String all = String.join("\n", lines);
    String inPython = folder.resolve("a \\\"b\\\"").toString();
    assertTrue(all.contains(python + "(\"" + inPython + ".pth\"") || all.contains("open("), all);
    assertTrue(all.contains(python) && all.endsWith(", \"" + inPython + ".safetensors\")"), all);
  }

  @Test
  void anotherEndingIsNotOverwritten() throws IOException {
    Path file = Files.write(folder.resolve("model.safetensors"), zip("x/data.pkl"));
    String second = assertThrows(InputException.class, () -> ModelFile.read(file)).lines().get(1);
    assertTrue(second.endsWith("model-converted.safetensors\")"), second);
  }

  @Test
  void whatHasNoTwoLinesHasAnotherRemedy() throws IOException {
    Path file = folder.resolve("model.safetensors");
    String pointer = "version https://git-lfs.example/spec/v1\noid sha256:0\nsize 101640\n";
    Files.writeString(file, pointer);
    Refusal.of(() -> ModelFile.read(file))
        .exactly(
            file
                + " is not a safetensors file but a Git LFS pointer, which stands for a file that is"
                + " not here; fetch it with: git lfs pull");
    Files.write(file, zip("thesis.txt"));
    Refusal.of(() -> ModelFile.read(file)).saying("a zip archive; unpack it");
    Files.write(file, new byte[] {'P', 'K', 3, 4, 0});
    Refusal.of(() -> ModelFile.read(file)).saying("a zip archive; unpack it");
  }

  /** Two of our own exports. */
  @Test
  void whatExportWritesIsKnown() throws IOException {
    ModelFile model =
        new ModelFile(
            Initializer.PYTORCH.create(new Architecture(4, List.of(3), 1), 1),
            List.of("0", "5"),
            Loss.BCE,
            new ImageShape(2, 2));
    Path file = folder.resolve("model");
    OnnxFile.write(model, OnnxFile.Input.BYTE, "test", file);
    Refusal.of(() -> ModelFile.read(file)).saying("an ONNX model");
    NpzFile.write(model, file);
    Refusal.of(() -> ModelFile.read(file)).saying("numpy's arrays");
  }
}
