package zerofive.backend.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static zerofive.backend.ops.ElementType.F32;
import static zerofive.backend.ops.ElementType.F64;
import static zerofive.backend.ops.ElementType.I32;
import static zerofive.backend.ops.ElementType.U8;

import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import zerofive.backend.Optimizer;
import zerofive.backend.Optimizer.Kind;
import zerofive.model.Activation;
import zerofive.model.Loss;

/** Every check of {@link CheckedOps} fires, says why, and keeps the call from the kernel. */
final class CheckedOpsTest {
  private record Shape(ElementType type, int length) implements Buffer {
    @Override
    public Buffer slice(int offset, int count) {
      return new Shape(type, count);
    }
  }

  private static final Optimizer ADAM = new Optimizer(Kind.ADAM, 0, 0);

  private final List<String> reached = new ArrayList<>();

  /** Does nothing but note which op was called. */
  private final Ops recording =
      (Ops)
          Proxy.newProxyInstance(
              Ops.class.getClassLoader(),
              new Class<?>[] {Ops.class},
              (proxy, method, arguments) -> {
                reached.add(method.getName());
                return null;
              });

  private final Ops checked = new CheckedOps(recording);

  private static Arguments call(String op, Consumer<Ops> call) {
    return Arguments.of(op, call);
  }

  static Stream<Arguments> rightCalls() {
    return Stream.of(
        call("allocate", ops -> ops.allocate(F32, 0)),
        call("upload", ops -> ops.upload(new byte[5], 2, u8(3))),
        call("upload", ops -> ops.upload(new byte[5], 5, u8(0))),
        call("upload", ops -> ops.upload(new int[3], i32(3))),
        call("upload", ops -> ops.upload(new float[3], f32(3))),
        call("download", ops -> ops.download(f32(3), new float[3])),
        call("download", ops -> ops.download(f64(3), new double[3])),
        call("clear", ops -> ops.clear(i32(3))),
        call("gather", ops -> ops.gather(u8(12), i32(3), i32(7), 5, 2, 4, f32(8), i32(2))),
        call(
            "gatherShifted",
            ops -> ops.gatherShifted(u8(18), i32(3), i32(7), i32(3), 5, 2, 2, 3, f32(12), i32(2))),
        call("gemm", ops -> ops.gemm(true, false, 2, 3, 5, f32(10), f32(15), f32(6))),
        call("biasActivation", ops -> ops.biasActivation(Activation.RELU, 2, 3, f32(3), f32(6))),
        call("loss", ops -> ops.loss(Loss.BCE, 2, 1, f32(2), i32(2), f32(2), f64(2))),
        call("loss", ops -> ops.loss(Loss.CROSS_ENTROPY, 2, 3, f32(6), i32(2), f32(6), f64(2))),
        call("evaluate", ops -> ops.evaluate(Loss.MNIST, 2, 1, f32(2), i32(2), f64(2))),
        call(
            "activationGradient",
            ops -> ops.activationGradient(Activation.RELU, 2, 3, f32(6), f32(6))),
        call("biasGradient", ops -> ops.biasGradient(2, 3, f32(6), f32(3))),
        call("update", ops -> ops.update(ADAM, f32(3), f32(3), f32(6), f32(8), 1)),
        call("update", ops -> ops.update(Optimizer.sgd(), f32(3), f32(3), f32(0), f32(4), 0)),
        call("layer", ops -> layer(ops, f32(10), f32(15), f32(3), f32(6))),
        call("layerGradient", ops -> layerGradient(ops, f32(6), f32(10), f32(15), f32(3))),
        call("layerDelta", ops -> layerDelta(ops, f32(6), f32(15), f32(10), f32(10))),
        call("recorded", ops -> ops.recorded(() -> {})),
        call("close", Ops::close));
  }

  @ParameterizedTest
  @MethodSource("rightCalls")
  void aRightCallIsHandedOnOnce(String op, Consumer<Ops> call) {
    call.accept(checked);
    assertEquals(List.of(op), reached);
  }

  private static Arguments wrong(String op, String argument, Consumer<Ops> call) {
    return Arguments.of(op, argument, call);
  }

  static Stream<Arguments> wrongCalls() {
    return Stream.of(
            wrongCopies(),
            wrongGathers(),
            wrongShiftedGathers(),
            wrongProducts(),
            wrongLosses(),
            wrongRows(),
            wrongLayers(),
            wrongSteps())
        .flatMap(calls -> calls);
  }

  private static Stream<Arguments> wrongCopies() {
    return Stream.of(
        wrong("allocate", "length -1", ops -> ops.allocate(F32, -1)),
        wrong("upload", "destination holds I32", ops -> ops.upload(new byte[3], 0, i32(3))),
        wrong("upload", "bytes -1 to 2 of 5", ops -> ops.upload(new byte[5], -1, u8(3))),
        wrong("upload", "bytes 3 to 6 of 5", ops -> ops.upload(new byte[5], 3, u8(3))),
        wrong(
            "upload",
            "bytes 2147483647 to 2147483650 of 5",
            ops -> ops.upload(new byte[5], Integer.MAX_VALUE, u8(3))),
        wrong("upload", "destination holds F32", ops -> ops.upload(new int[3], f32(3))),
        wrong("upload", "destination has 2 elements", ops -> ops.upload(new int[3], i32(2))),
        wrong("upload", "destination has 4 elements", ops -> ops.upload(new int[3], i32(4))),
        wrong("upload", "destination holds I32", ops -> ops.upload(new float[3], i32(3))),
        wrong("upload", "destination has 2 elements", ops -> ops.upload(new float[3], f32(2))),
        wrong("upload", "destination has 4 elements", ops -> ops.upload(new float[3], f32(4))),
        wrong("download", "source holds F64", ops -> ops.download(f64(3), new float[3])),
        wrong("download", "source has 2 elements", ops -> ops.download(f32(2), new float[3])),
        wrong("download", "source has 4 elements", ops -> ops.download(f32(4), new float[3])),
        wrong("download", "source holds F32", ops -> ops.download(f32(3), new double[3])),
        wrong("download", "source has 2 elements", ops -> ops.download(f64(2), new double[3])),
        wrong("download", "source has 4 elements", ops -> ops.download(f64(4), new double[3])));
  }

  private static Stream<Arguments> wrongGathers() {
    return Stream.of(
        gather("sizes 0, 4", u8(12), i32(3), i32(7), 5, 0, 4, f32(8), i32(2)),
        gather("sizes 2, -4", u8(12), i32(3), i32(7), 5, 2, -4, f32(8), i32(2)),
        gather("first is -1", u8(12), i32(3), i32(7), -1, 2, 4, f32(8), i32(2)),
        gather("pixels holds F32", f32(12), i32(3), i32(7), 5, 2, 4, f32(8), i32(2)),
        gather("pixels has 11", u8(11), i32(3), i32(7), 5, 2, 4, f32(8), i32(2)),
        gather("labels holds U8", u8(12), u8(3), i32(7), 5, 2, 4, f32(8), i32(2)),
        gather("labels has 0", u8(12), i32(0), i32(7), 5, 2, 4, f32(8), i32(2)),
        gather("order holds F32", u8(12), i32(3), f32(7), 5, 2, 4, f32(8), i32(2)),
        gather("order has 6", u8(12), i32(3), i32(6), 5, 2, 4, f32(8), i32(2)),
        gather(
            "expected at least 2147483649",
            u8(12),
            i32(3),
            i32(7),
            Integer.MAX_VALUE,
            2,
            4,
            f32(8),
            i32(2)),
        gather("x holds F64", u8(12), i32(3), i32(7), 5, 2, 4, f64(8), i32(2)),
        gather("x has 7", u8(12), i32(3), i32(7), 5, 2, 4, f32(7), i32(2)),
        gather("targets holds F32", u8(12), i32(3), i32(7), 5, 2, 4, f32(8), f32(2)),
        gather("targets has 1", u8(12), i32(3), i32(7), 5, 2, 4, f32(8), i32(1)));
  }

  private static Arguments gather(
      String argument,
      Buffer pixels,
      Buffer labels,
      Buffer order,
      int first,
      int rows,
      int width,
      Buffer x,
      Buffer targets) {
    return wrong(
        "gather",
        argument,
        ops -> ops.gather(pixels, labels, order, first, rows, width, x, targets));
  }

  private static Stream<Arguments> wrongShiftedGathers() {
    return Stream.of(
        shifted("sizes 2, 0, 3", u8(18), i32(3), 5, 0, 3, f32(12)),
        shifted("sizes 2, 2, -3", u8(18), i32(3), 5, 2, -3, f32(12)),
        shifted("first is -1", u8(18), i32(3), -1, 2, 3, f32(12)),
        shifted("pixels has 17", u8(17), i32(3), 5, 2, 3, f32(12)),
        shifted("shifts holds F32", u8(18), f32(3), 5, 2, 3, f32(12)),
        shifted("shifts has 2", u8(18), i32(2), 5, 2, 3, f32(12)),
        shifted("order has 7", u8(18), i32(3), 6, 2, 3, f32(12)),
        shifted("x has 11", u8(18), i32(3), 5, 2, 3, f32(11)),
        shifted("expected at least", u8(18), i32(3), 5, 1 << 20, 1 << 20, f32(12)));
  }

  private static Arguments shifted(
      String argument, Buffer pixels, Buffer shifts, int first, int height, int width, Buffer x) {
    return wrong(
        "gatherShifted",
        argument,
        ops ->
            ops.gatherShifted(pixels, i32(3), i32(7), shifts, first, 2, height, width, x, i32(2)));
  }

  private static Stream<Arguments> wrongProducts() {
    return Stream.of(
        gemm("sizes 0, 3, 5", 0, 3, 5, f32(10), f32(15), f32(6)),
        gemm("sizes 2, 0, 5", 2, 0, 5, f32(10), f32(15), f32(6)),
        gemm("sizes 2, 3, -5", 2, 3, -5, f32(10), f32(15), f32(6)),
        gemm("a holds I32", 2, 3, 5, i32(10), f32(15), f32(6)),
        gemm("a has 9", 2, 3, 5, f32(9), f32(15), f32(6)),
        gemm("b holds F64", 2, 3, 5, f32(10), f64(15), f32(6)),
        gemm("b has 14", 2, 3, 5, f32(10), f32(14), f32(6)),
        gemm("c holds U8", 2, 3, 5, f32(10), f32(15), u8(6)),
        gemm("c has 5", 2, 3, 5, f32(10), f32(15), f32(5)),
        gemm(
            "a has 10 elements, expected at least 4294967296",
            65536,
            1,
            65536,
            f32(10),
            f32(65536),
            f32(65536)));
  }

  private static Arguments gemm(
      String argument, int m, int n, int k, Buffer a, Buffer b, Buffer c) {
    return wrong("gemm", argument, ops -> ops.gemm(false, true, m, n, k, a, b, c));
  }

  private static Stream<Arguments> wrongLosses() {
    return Stream.of(
            measuring("sizes 0, 1", Loss.BCE, 0, 1, f32(2), i32(2), f64(2)),
            measuring("sizes 2, 0", Loss.BCE, 2, 0, f32(2), i32(2), f64(2)),
            measuring("bce on 2 logits", Loss.BCE, 2, 2, f32(4), i32(2), f64(2)),
            measuring("mnist on 3 logits", Loss.MNIST, 2, 3, f32(6), i32(2), f64(2)),
            measuring(
                "cross-entropy on 1 logits", Loss.CROSS_ENTROPY, 2, 1, f32(2), i32(2), f64(2)),
            measuring(
                "cross-entropy on 2 logits", Loss.CROSS_ENTROPY, 2, 2, f32(4), i32(2), f64(2)),
            measuring("logits holds F64", Loss.BCE, 2, 1, f64(2), i32(2), f64(2)),
            measuring("logits has 1", Loss.BCE, 2, 1, f32(1), i32(2), f64(2)),
            measuring("targets holds F32", Loss.BCE, 2, 1, f32(2), f32(2), f64(2)),
            measuring("targets has 1", Loss.BCE, 2, 1, f32(2), i32(1), f64(2)),
            measuring("metrics holds F32", Loss.BCE, 2, 1, f32(2), i32(2), f32(2)),
            measuring("metrics has 1", Loss.BCE, 2, 1, f32(2), i32(2), f64(1)),
            Stream.of(
                wrong(
                    "loss",
                    "gradients holds I32",
                    ops -> ops.loss(Loss.BCE, 2, 1, f32(2), i32(2), i32(2), f64(2))),
                wrong(
                    "loss",
                    "gradients has 5",
                    ops -> ops.loss(Loss.CROSS_ENTROPY, 2, 3, f32(6), i32(2), f32(5), f64(2)))))
        .flatMap(calls -> calls);
  }

  /** What loss and evaluate both refuse. */
  private static Stream<Arguments> measuring(
      String argument,
      Loss loss,
      int rows,
      int outputs,
      Buffer logits,
      Buffer targets,
      Buffer metrics) {
    return Stream.of(
        wrong(
            "loss",
            argument,
            ops -> ops.loss(loss, rows, outputs, logits, targets, f32(8), metrics)),
        wrong(
            "evaluate",
            argument,
            ops -> ops.evaluate(loss, rows, outputs, logits, targets, metrics)));
  }

  private static Stream<Arguments> wrongRows() {
    return Stream.of(
        biasActivation("sizes 0, 3", 0, 3, f32(3), f32(6)),
        biasActivation("sizes 2, -3", 2, -3, f32(3), f32(6)),
        biasActivation("bias holds F64", 2, 3, f64(3), f32(6)),
        biasActivation("bias has 2", 2, 3, f32(2), f32(6)),
        biasActivation("z holds I32", 2, 3, f32(3), i32(6)),
        biasActivation("z has 5", 2, 3, f32(3), f32(5)),
        activationGradient("sizes 0, 3", 0, 3, f32(6), f32(6)),
        activationGradient("sizes 2, 0", 2, 0, f32(6), f32(6)),
        activationGradient("activated holds U8", 2, 3, u8(6), f32(6)),
        activationGradient("activated has 5", 2, 3, f32(5), f32(6)),
        activationGradient("delta holds F64", 2, 3, f32(6), f64(6)),
        activationGradient("delta has 5", 2, 3, f32(6), f32(5)),
        biasGradient("sizes -2, 3", -2, 3, f32(6), f32(3)),
        biasGradient("sizes 2, 0", 2, 0, f32(6), f32(3)),
        biasGradient("delta holds I32", 2, 3, i32(6), f32(3)),
        biasGradient("delta has 5", 2, 3, f32(5), f32(3)),
        biasGradient("gradient holds F64", 2, 3, f32(6), f64(3)),
        biasGradient("gradient has 2", 2, 3, f32(6), f32(2)));
  }

  private static Arguments biasActivation(
      String argument, int rows, int width, Buffer bias, Buffer z) {
    return wrong(
        "biasActivation",
        argument,
        ops -> ops.biasActivation(Activation.RELU, rows, width, bias, z));
  }

  private static Arguments activationGradient(
      String argument, int rows, int width, Buffer activated, Buffer delta) {
    return wrong(
        "activationGradient",
        argument,
        ops -> ops.activationGradient(Activation.RELU, rows, width, activated, delta));
  }

  private static Arguments biasGradient(
      String argument, int rows, int width, Buffer delta, Buffer gradient) {
    return wrong("biasGradient", argument, ops -> ops.biasGradient(rows, width, delta, gradient));
  }

  private static Stream<Arguments> wrongLayers() {
    return Stream.of(
        wrong(
            "layer",
            "sizes 0, 5, 3",
            ops -> ops.layer(Activation.RELU, 0, 5, 3, f32(10), f32(15), f32(3), f32(6))),
        wrong("layer", "input has 9", ops -> layer(ops, f32(9), f32(15), f32(3), f32(6))),
        wrong("layer", "weight has 14", ops -> layer(ops, f32(10), f32(14), f32(3), f32(6))),
        wrong("layer", "bias holds F64", ops -> layer(ops, f32(10), f32(15), f64(3), f32(6))),
        wrong("layer", "output has 5", ops -> layer(ops, f32(10), f32(15), f32(3), f32(5))),
        wrong(
            "layerGradient",
            "sizes 2, -5, 3",
            ops -> ops.layerGradient(2, -5, 3, f32(6), f32(10), f32(15), f32(3))),
        wrong(
            "layerGradient",
            "delta has 5",
            ops -> layerGradient(ops, f32(5), f32(10), f32(15), f32(3))),
        wrong(
            "layerGradient",
            "input holds U8",
            ops -> layerGradient(ops, f32(6), u8(10), f32(15), f32(3))),
        wrong(
            "layerGradient",
            "weightGradient has 14",
            ops -> layerGradient(ops, f32(6), f32(10), f32(14), f32(3))),
        wrong(
            "layerGradient",
            "biasGradient has 2",
            ops -> layerGradient(ops, f32(6), f32(10), f32(15), f32(2))),
        wrong(
            "layerDelta",
            "sizes 2, 5, 0",
            ops -> ops.layerDelta(Activation.RELU, 2, 5, 0, f32(6), f32(15), f32(10), f32(10))),
        wrong(
            "layerDelta", "delta has 5", ops -> layerDelta(ops, f32(5), f32(15), f32(10), f32(10))),
        wrong(
            "layerDelta",
            "weight has 14",
            ops -> layerDelta(ops, f32(6), f32(14), f32(10), f32(10))),
        wrong(
            "layerDelta", "input has 9", ops -> layerDelta(ops, f32(6), f32(15), f32(9), f32(10))),
        wrong(
            "layerDelta",
            "below holds I32",
            ops -> layerDelta(ops, f32(6), f32(15), f32(10), i32(10))));
  }

  /** Two rows from five inputs to three outputs. */
  private static void layer(Ops ops, Buffer input, Buffer weight, Buffer bias, Buffer output) {
    ops.layer(Activation.RELU, 2, 5, 3, input, weight, bias, output);
  }

  private static void layerGradient(
      Ops ops, Buffer delta, Buffer input, Buffer weightGradient, Buffer biasGradient) {
    ops.layerGradient(2, 5, 3, delta, input, weightGradient, biasGradient);
  }

  private static void layerDelta(Ops ops, Buffer delta, Buffer weight, Buffer input, Buffer below) {
    ops.layerDelta(Activation.RELU, 2, 5, 3, delta, weight, input, below);
  }

  private static Stream<Arguments> wrongSteps() {
    return Stream.of(
        update("parameters holds F64", f64(3), f32(3), f32(6), f32(8), 1),
        update("parameters has 0", f32(0), f32(3), f32(6), f32(8), 1),
        update("gradient holds I32", f32(3), i32(3), f32(6), f32(8), 1),
        update("gradient has 2", f32(3), f32(2), f32(6), f32(8), 1),
        update("moments holds F64", f32(3), f32(3), f64(6), f32(8), 1),
        update("moments has 5", f32(3), f32(3), f32(5), f32(8), 1),
        update("step is -1", f32(3), f32(3), f32(6), f32(8), -1),
        update("stepParameters holds F64", f32(3), f32(3), f32(6), f64(8), 1),
        update("stepParameters has 7", f32(3), f32(3), f32(6), f32(7), 1),
        update("expected at least 8589934592", f32(3), f32(3), f32(6), f32(7), Integer.MAX_VALUE),
        wrong(
            "update",
            "moments has 2",
            ops ->
                ops.update(new Optimizer(Kind.SGD, 0.9f, 0), f32(3), f32(3), f32(2), f32(4), 0)));
  }

  private static Arguments update(
      String argument,
      Buffer parameters,
      Buffer gradient,
      Buffer moments,
      Buffer stepParameters,
      int step) {
    return wrong(
        "update",
        argument,
        ops -> ops.update(ADAM, parameters, gradient, moments, stepParameters, step));
  }

  @ParameterizedTest
  @MethodSource("wrongCalls")
  void aWrongCallIsRefusedByNameAndReachesNothing(String op, String argument, Consumer<Ops> call) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> call.accept(checked)).getMessage();
    assertTrue(message.startsWith(op + ": "), message);
    assertTrue(message.contains(argument), message);
    assertEquals(List.of(), reached);
  }

  private static Buffer u8(int length) {
    return new Shape(U8, length);
  }

  private static Buffer i32(int length) {
    return new Shape(I32, length);
  }

  private static Buffer f32(int length) {
    return new Shape(F32, length);
  }

  private static Buffer f64(int length) {
    return new Shape(F64, length);
  }
}
