package zerofive.model.format;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import zerofive.files.InputException;

/**
 * A file of another kind that was named as a model, judged by its content as far as one can without
 * loading it: what it is, and how it becomes a safetensors file.
 */
final class ForeignFile {
  private static final int HEAD = 64;
  private static final Pattern PLACEHOLDER = Pattern.compile("\\b(IN|OUT)\\b");

  private enum Kind {
    LFS_POINTER(
        "a Git LFS pointer, which stands for a file that is not here; fetch it with: git lfs pull"),
    PYTORCH(
        "a PyTorch checkpoint",
        "import torch; from safetensors.torch import save_file",
        "save_file(torch.load(IN, map_location=\"cpu\", weights_only=True), OUT)"),
    TORCHSCRIPT(
        "a TorchScript module",
        "import torch; from safetensors.torch import save_file",
        "save_file(torch.jit.load(IN, map_location=\"cpu\").state_dict(), OUT)"),
    PICKLE(
        "a Python pickle, which may run any code when it is loaded",
        "import pickle; from safetensors.numpy import save_file",
        "save_file(dict(pickle.load(open(IN, \"rb\"))), OUT)"),
    ONNX(
        "an ONNX model",
        "import onnx, onnx.numpy_helper as h; from safetensors.numpy import save_file; "
            + "g = onnx.load(IN).graph",
        "save_file({t.name: h.to_array(t) for t in g.initializer"
            + " if t.name.endswith((\"weight\", \"bias\"))}, OUT)"),
    NPZ(
        "a file of numpy's arrays (npz)",
        "import numpy; from safetensors.numpy import save_file; z = numpy.load(IN)",
        "save_file({n: z[n] for n in z.files if n.endswith((\"weight\", \"bias\"))}, OUT)"),
    KERAS(
        "a Keras model",
        "import keras; from safetensors.numpy import save_file; "
            + "w = keras.models.load_model(IN).get_weights()",
        "save_file({f\"{i // 2}.{'bias' if i % 2 else 'weight'}\": a.T.copy()"
            + " for i, a in enumerate(w)}, OUT)"),
    HDF5("an HDF5 file, as Keras writes them", KERAS.python1, KERAS.python2),
    ZIP("a zip archive; unpack it and name the .safetensors file in it");

    private final String what;
    private final String python1;
    private final String python2;

    /** One that needs no conversion; {@code what} ends with the remedy. */
    Kind(String what) {
      this(what, "", "");
    }

    /** One that two lines of Python convert, from IN to OUT. */
    Kind(String what, String python1, String python2) {
      this.what = what;
      this.python1 = python1;
      this.python2 = python2;
    }
  }

  private ForeignFile() {}

  /** Says what {@code file} is, where it is known; else why it cannot be read as safetensors. */
  static InputException refusal(Path file, InputException asSafetensors) {
    return kind(file).map(kind -> refusal(file, kind, asSafetensors)).orElse(asSafetensors);
  }

  private static InputException refusal(Path file, Kind kind, InputException cause) {
    if (kind.python1.isEmpty()) {
      return new InputException(file + " is not a safetensors file but " + kind.what, cause);
    }
    List<String> python =
        Stream.of(kind.python1, kind.python2)
            .map(line -> withNames(line, text(file), text(converted(file))))
            .toList();
    return new InputException(
        file
            + " is not a safetensors file but "
            + kind.what
            + "; convert it with these two lines of Python and name the file that they write:",
        python,
        cause);
  }

  /** In one pass, since a file's name may have IN or OUT in it. */
  private static String withNames(String line, String in, String out) {
    return PLACEHOLDER
        .matcher(line)
        .replaceAll(name -> Matcher.quoteReplacement(name.group().equals("IN") ? in : out));
  }

  /** As Python has it. */
  private static String text(Path file) {
    return "\"" + file.toString().replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  /** A name for what becomes of it. */
  private static Path converted(Path file) {
    String name = file.getFileName().toString();
    String base = name.replaceFirst("(?<=.)\\.[^.]*$", "");
    String ending = name.endsWith(".safetensors") ? "-converted.safetensors" : ".safetensors";
    return file.resolveSibling(base + ending);
  }

  private static Optional<Kind> kind(Path file) {
    byte[] head;
    try (InputStream stream = Files.newInputStream(file)) {
      head = stream.readNBytes(HEAD);
    } catch (IOException e) {
      return Optional.empty();
    }
    String start = new String(head, StandardCharsets.ISO_8859_1);
    if (start.startsWith("version https://git-lfs")) {
      return Optional.of(Kind.LFS_POINTER);
    }
    if (start.startsWith("PK\3\4")) {
      return Optional.of(inZip(file));
    }
    if (start.startsWith("\u0089HDF\r\n\u001a\n")) {
      return Optional.of(Kind.HDF5);
    }
    // What torch.save wrote before version 1.6: a pickle of a number that it knows its files by.
    if (start.matches("(?s)\u0080.\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.*")) {
      return Optional.of(Kind.PYTORCH);
    }
    if (start.matches("(?s)\u0080[\u0002-\u0005].*")) {
      return Optional.of(Kind.PICKLE);
    }
    // Protocol buffers: the format's version, then one of the other fields of a model.
    return start.matches("(?s)\b[\u0001-\u001f][\u0012\u001a\"(2:B].*")
        ? Optional.of(Kind.ONNX)
        : Optional.empty();
  }

  private static Kind inZip(Path file) {
    List<String> names;
    try (ZipFile zip = new ZipFile(file.toFile())) {
      names = zip.stream().map(ZipEntry::getName).toList();
    } catch (IOException e) {
      return Kind.ZIP;
    }
    if (names.stream().anyMatch(name -> name.matches("(?s)(.*/)?data\\.pkl"))) {
      boolean script = names.stream().anyMatch(name -> name.matches("(?s)(.*/)?constants\\.pkl"));
      return script ? Kind.TORCHSCRIPT : Kind.PYTORCH;
    }
    if (names.contains("model.weights.h5")) {
      return Kind.KERAS;
    }
    boolean arrays = !names.isEmpty() && names.stream().allMatch(name -> name.endsWith(".npy"));
    return arrays ? Kind.NPZ : Kind.ZIP;
  }
}
