package zerofive.model.format;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import zerofive.files.AtomicFile;
import zerofive.files.EnumNames;
import zerofive.model.Activation;
import zerofive.model.Architecture;
import zerofive.model.Layer;
import zerofive.model.Window;

/**
 * A model as an ONNX file, in the oldest operator set that has all it needs. Its input {@code
 * images} is [batch, pixels]; its outputs are {@code logits} [batch, logits] and {@code
 * probabilities} [batch, classes], whose rows sum to 1. Class names, loss, layers, the images' size
 * and normalisation stand in the file's metadata under the names that our safetensors files use.
 */
public final class OnnxFile {
  /** What {@code images} takes. */
  public enum Input {
    /** uint8 as an image file has them, 0 to 255; the graph divides by 255. */
    BYTE(OnnxMl.TensorProto.DataType.UINT8),
    /** float32, already divided by 255. */
    FLOAT(OnnxMl.TensorProto.DataType.FLOAT);

    private final OnnxMl.TensorProto.DataType type;

    Input(OnnxMl.TensorProto.DataType type) {
      this.type = type;
    }

    /** Parses an input's name; throws IllegalArgumentException. */
    public static Input parse(String name) {
      return EnumNames.parse(name, "input", values());
    }

    /** The type's name in ONNX. */
    public String type() {
      return this == BYTE ? "uint8" : "float32";
    }

    @Override
    public String toString() {
      return this == BYTE ? "byte" : "float";
    }
  }

  /** Softmax means what we mean by it from operator set 13 on; its files are of format 7. */
  public static final int OPERATOR_SET = 13;

  private static final int FORMAT = 7;

  private static final String IMAGES = "images";
  private static final String LOGITS = "logits";
  private static final String PROBABILITIES = "probabilities";

  private final ModelFile model;
  private final Input input;
  private final Normalisation normalisation;
  private final OnnxMl.GraphProto.Builder graph = OnnxMl.GraphProto.newBuilder().setName("model");

  private OnnxFile(ModelFile model, Input input) {
    this.model = model;
    this.input = input;
    normalisation = model.normalisation().orElse(Normalisation.NONE);
  }

  /**
   * Writes the model atomically; the same model and program make the same bytes. Throws
   * OutputException.
   *
   * @param version of this program
   */
  public static void write(ModelFile model, Input input, String version, Path file) {
    byte[] bytes = new OnnxFile(model, input).build(version).toByteArray();
    AtomicFile.write(file, ByteBuffer.wrap(bytes));
  }

  private OnnxMl.ModelProto build(String version) {
    Architecture architecture = model.parameters().architecture();
    graph.addInput(value(IMAGES, input.type, architecture.inputs()));
    graph.addOutput(value(LOGITS, OnnxMl.TensorProto.DataType.FLOAT, architecture.outputs()));
    graph.addOutput(
        value(PROBABILITIES, OnnxMl.TensorProto.DataType.FLOAT, model.classes().size()));
    layers(architecture.layers(), normalised(divided()));
    probabilities(architecture.outputs());
    OnnxMl.ModelProto.Builder file =
        OnnxMl.ModelProto.newBuilder()
            .setIrVersion(FORMAT)
            .setProducerName("zerofive")
            .setProducerVersion(version)
            .addOpsetImport(OnnxMl.OperatorSetIdProto.newBuilder().setVersion(OPERATOR_SET))
            .setGraph(graph);
    Map<String, String> metadata = new LinkedHashMap<>(model.metadata());
    metadata.putIfAbsent(ModelFile.NORMALISATION, normalisation.formula());
    metadata.put(
        "input",
        input == Input.BYTE
            ? "bytes 0 to 255, row by row, bright on dark; normalised by the model"
            : "float32(byte) / 255, row by row, bright on dark"
                + (normalisation.isNone() ? "" : "; normalised by the model"));
    metadata.forEach(
        (key, value) ->
            file.addMetadataProps(
                OnnxMl.StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
    return file.build();
  }

  /** The images as numbers from 0 to 1; the division is the one that training does. */
  private String divided() {
    if (input == Input.FLOAT) {
      return IMAGES;
    }
    graph.addInitializer(tensor("white", List.of(), new float[] {255}));
    node("Cast", List.of(IMAGES), "bytes")
        .addAttribute(
            OnnxMl.AttributeProto.newBuilder()
                .setName("to")
                .setType(OnnxMl.AttributeProto.AttributeType.INT)
                .setI(OnnxMl.TensorProto.DataType.FLOAT.getNumber()));
    node("Div", List.of("bytes", "white"), "pixels");
    return "pixels";
  }

  /** The pixels as the first layer takes them, in the two steps of torchvision's Normalize. */
  private String normalised(String pixels) {
    if (normalisation.isNone()) {
      return pixels;
    }
    graph.addInitializer(tensor("mean", List.of(), new float[] {normalisation.mean()}));
    graph.addInitializer(tensor("std", List.of(), new float[] {normalisation.std()}));
    node("Sub", List.of(pixels, "mean"), "centred");
    node("Div", List.of("centred", "std"), "normalised");
    return "normalised";
  }

  private void layers(List<Layer> layers, String pixels) {
    ModelFile.tensors(model.parameters(), "")
        .forEach(
            (name, tensor) -> graph.addInitializer(tensor(name, tensor.shape(), tensor.values())));
    String x = pixels;
    boolean images = false;
    for (Layer layer : layers) {
      Window window = layer.window();
      if (!window.isDense() && !images) {
        // [batch, 1, height, width]
        x = reshaped(x, "planes", -1, 1, window.height(), window.width());
      } else if (window.isDense() && images) {
        x = reshaped(x, "flat", -1, window.channels());
      }
      images = !window.isDense();
      boolean last = layer.activation() == Activation.IDENTITY;
      String z = last ? LOGITS : layer.prefix() + "linear";
      OnnxMl.NodeProto.Builder product =
          node(images ? "Conv" : "Gemm", List.of(x, layer.weightName(), layer.biasName()), z);
      if (images) {
        long border = window.border();
        product.addAttribute(numbers("strides", window.stride(), window.stride()));
        product.addAttribute(numbers("pads", border, border, border, border));
      } else {
        product.addAttribute(number("transB", 1));
      }
      x = z;
      if (!last) {
        x = layer.prefix() + "relu";
        node("Relu", List.of(z), x);
      }
    }
  }

  /** One logit z gives the first class the probability sigmoid(z) and the second by sigmoid(-z). */
  private void probabilities(int outputs) {
    if (outputs > 1) {
      node("Softmax", List.of(LOGITS), PROBABILITIES).addAttribute(number("axis", 1));
      return;
    }
    node("Neg", List.of(LOGITS), "opposite");
    node("Sigmoid", List.of(LOGITS), "first");
    node("Sigmoid", List.of("opposite"), "second");
    node("Concat", List.of("first", "second"), PROBABILITIES).addAttribute(number("axis", 1));
  }

  /** Adds a node that is called as its output. */
  private OnnxMl.NodeProto.Builder node(String operator, List<String> inputs, String output) {
    return graph
        .addNodeBuilder()
        .setName(output)
        .setOpType(operator)
        .addAllInput(inputs)
        .addOutput(output);
  }

  private static OnnxMl.AttributeProto number(String name, long value) {
    return OnnxMl.AttributeProto.newBuilder()
        .setName(name)
        .setType(OnnxMl.AttributeProto.AttributeType.INT)
        .setI(value)
        .build();
  }

  private static OnnxMl.AttributeProto numbers(String name, long... values) {
    OnnxMl.AttributeProto.Builder attribute =
        OnnxMl.AttributeProto.newBuilder()
            .setName(name)
            .setType(OnnxMl.AttributeProto.AttributeType.INTS);
    for (long value : values) {
      attribute.addInts(value);
    }
    return attribute.build();
  }

  /** The same values in another shape, in which -1 stands for whatever is left. */
  private String reshaped(String x, String name, long... shape) {
    ByteBuffer bytes =
        ByteBuffer.allocate(shape.length * Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asLongBuffer().put(shape);
    graph.addInitializer(
        OnnxMl.TensorProto.newBuilder()
            .setName(name + ".shape")
            .setDataType(OnnxMl.TensorProto.DataType.INT64.getNumber())
            .setRawData(UnsafeByteOperations.unsafeWrap(bytes))
            .addDims(shape.length));
    node("Reshape", List.of(x, name + ".shape"), name);
    return name;
  }

  /** [batch, width], where a user may give any number of rows. */
  private static OnnxMl.ValueInfoProto value(
      String name, OnnxMl.TensorProto.DataType type, int width) {
    OnnxMl.TensorShapeProto.Builder shape = OnnxMl.TensorShapeProto.newBuilder();
    shape.addDimBuilder().setDimParam("batch");
    shape.addDimBuilder().setDimValue(width);
    OnnxMl.ValueInfoProto.Builder value = OnnxMl.ValueInfoProto.newBuilder().setName(name);
    value.getTypeBuilder().getTensorTypeBuilder().setElemType(type.getNumber()).setShape(shape);
    return value.build();
  }

  private static OnnxMl.TensorProto tensor(String name, List<Integer> shape, float[] values) {
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    // The buffer is nobody else's, so it need not be copied.
    ByteString raw = UnsafeByteOperations.unsafeWrap(bytes);
    OnnxMl.TensorProto.Builder tensor =
        OnnxMl.TensorProto.newBuilder()
            .setName(name)
            .setDataType(OnnxMl.TensorProto.DataType.FLOAT.getNumber())
            .setRawData(raw);
    shape.forEach(tensor::addDims);
    return tensor.build();
  }
}
