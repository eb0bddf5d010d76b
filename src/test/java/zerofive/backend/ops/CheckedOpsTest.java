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
import zerofive.model.Window;

/** Every check of {@link CheckedOps} fires, says why, and keeps the call from the kernel. */
final class CheckedOpsTest {
  private record Shape(ElementType type, int length) implements Buffer {
    @Override
    public Buffer slice(int offset, int count) {
      return new Shape(type, count);
    }
  }

  /** Three images of 2 x 2 pixels, and a batch of two from the sixth place of the order on. */
  private static final Images SET = new Images(u8(12), i32(3), 2, 2);

  private static final Batch BATCH = new Batch(i32(7), 5, 2);
  private static final Batch SHIFTED = new Batch(i32(7), i32(3), 5, 2);

  private static final Optimizer ADAM = new Optimizer(Kind.ADAM, 0, 0);

  /** Two places over 3 x 4 pixels. */
  private static final Window WINDOW = new Window(3, 4, 1, 5, 3, 1, 0);

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
        call("gather", ops -> ops.gather(SET, BATCH, f32(2, 4), i32(2))),
        call("gather", ops -> ops.gather(SET, SHIFTED, f32(2, 4), i32(2))),
        call("gemm", ops -> ops.gemm(false, false, f32(2, 5), f32(5, 3), f32(2, 3))),
        call("gemm", ops -> ops.gemm(true, true, f32(5, 2), f32(3, 5), f32(2, 3))),
        call("biasActivation", ops -> ops.biasActivation(Activation.RELU, f32(3), f32(2, 3))),
        call("loss", ops -> ops.loss(Loss.BCE, f32(2, 1), i32(2), f32(2, 1), f64(3), 2)),
        call("loss", ops -> ops.loss(Loss.CROSS_ENTROPY, f32(2, 3), i32(2), f32(2, 3), f64(1), 0)),
        call("evaluate", ops -> ops.evaluate(Loss.MNIST, f32(2, 1), i32(2), f64(2))),
        call(
            "activationGradient",
            ops -> ops.activationGradient(Activation.RELU, f32(2, 3), f32(2, 3))),
        call("biasGradient", ops -> ops.biasGradient(f32(2, 3), f32(3))),
        call("unfold", ops -> ops.unfold(WINDOW, f32(2, 12), f32(4, 9))),
        call(
            "convolutionGradient",
            ops -> ops.convolutionGradient(WINDOW, f32(4, 5), f32(4, 9), f32(5, 9), f32(5))),
        call("fold", ops -> ops.fold(WINDOW, f32(4, 9), f32(2, 12))),
        call("update", ops -> ops.update(ADAM, f32(3), f32(3), f32(6), f32(8), 1)),
        call("update", ops -> ops.update(Optimizer.sgd(), f32(3), f32(3), f32(0), f32(4), 0)),
        call("layer", ops -> layer(ops, f32(2, 5), f32(3, 5), f32(3), f32(2, 3))),
        call("layerGradient", ops -> ops.layerGradient(f32(2, 3), f32(2, 5), f32(3, 5), f32(3))),
        call("layerDelta", ops -> layerDelta(ops, f32(2, 3), f32(3, 5), f32(2, 5), f32(2, 5))),
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
            wrongProducts(),
            wrongLosses(),
            wrongRows(),
            wrongWindows(),
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
        gather("x is [0, 4]", SET, new Batch(i32(7), 5, 0), f32(0, 4), i32(2)),
        gather("x is [2, 4], expected [3, 4]", SET, new Batch(i32(8), 5, 3), f32(2, 4), i32(3)),
        gather("x is [2, 3], expected [2, 4]", SET, BATCH, f32(2, 3), i32(2)),
        gather("x has 7", SET, BATCH, new Matrix(f32(7), 2, 4), i32(2)),
        gather("x holds F64", SET, BATCH, new Matrix(f64(8), 2, 4), i32(2)),
        gather("2 x 0 pixels", new Images(u8(12), i32(3), 2, 0), BATCH, f32(2, 0), i32(2)),
        gather("-2 x -2 pixels", new Images(u8(12), i32(3), -2, -2), BATCH, f32(2, 4), i32(2)),
        gather(
            "1048576 x 1048576 pixels",
            new Images(u8(12), i32(3), 1 << 20, 1 << 20),
            BATCH,
            f32(2, 0),
            i32(2)),
        gather("pixels holds F32", new Images(f32(12), i32(3), 2, 2), BATCH, f32(2, 4), i32(2)),
        gather("pixels has 11", new Images(u8(11), i32(3), 2, 2), BATCH, f32(2, 4), i32(2)),
        gather("labels holds U8", new Images(u8(12), u8(3), 2, 2), BATCH, f32(2, 4), i32(2)),
        gather("labels has 0", new Images(u8(12), i32(0), 2, 2), BATCH, f32(2, 4), i32(2)),
        gather("first is -1", SET, new Batch(i32(7), -1, 2), f32(2, 4), i32(2)),
        gather("order holds F32", SET, new Batch(f32(7), 5, 2), f32(2, 4), i32(2)),
        gather("order has 6", SET, new Batch(i32(6), 5, 2), f32(2, 4), i32(2)),
        gather(
            "expected at least 2147483649",
            SET,
            new Batch(i32(7), Integer.MAX_VALUE, 2),
            f32(2, 4),
            i32(2)),
        gather("shifts holds F32", SET, new Batch(i32(7), f32(3), 5, 2), f32(2, 4), i32(2)),
        gather("shifts has 2", SET, new Batch(i32(7), i32(2), 5, 2), f32(2, 4), i32(2)),
        gather("targets holds F32", SET, BATCH, f32(2, 4), f32(2)),
        gather("targets has 1", SET, SHIFTED, f32(2, 4), i32(1)));
  }

  private static Arguments gather(
      String argument, Images images, Batch batch, Matrix x, Buffer targets) {
    return wrong("gather", argument, ops -> ops.gather(images, batch, x, targets));
  }

  private static Stream<Arguments> wrongProducts() {
    return Stream.of(
        gemm("a is [0, 5], expected positive", f32(0, 5), f32(3, 5), f32(2, 3)),
        gemm("b is [0, 5], expected positive", f32(2, 5), f32(0, 5), f32(2, 3)),
        gemm("a is [2, -5], expected positive", f32(2, -5), f32(3, 5), f32(2, 3)),
        gemm("b is [5, 3], expected [5, 5]", f32(2, 5), f32(5, 3), f32(2, 3)),
        gemm("b is [3, 4], expected [3, 5]", f32(2, 5), f32(3, 4), f32(2, 3)),
        gemm("c is [3, 2], expected [2, 3]", f32(2, 5), f32(3, 5), f32(3, 2)),
        gemm("a holds I32", new Matrix(i32(10), 2, 5), f32(3, 5), f32(2, 3)),
        gemm("a has 9", new Matrix(f32(9), 2, 5), f32(3, 5), f32(2, 3)),
        gemm("b holds F64", f32(2, 5), new Matrix(f64(15), 3, 5), f32(2, 3)),
        gemm("b has 14", f32(2, 5), new Matrix(f32(14), 3, 5), f32(2, 3)),
        gemm("c holds U8", f32(2, 5), f32(3, 5), new Matrix(u8(6), 2, 3)),
        gemm("c has 5", f32(2, 5), f32(3, 5), new Matrix(f32(5), 2, 3)),
        gemm(
            "a has 10 elements, expected at least 4294967296",
            new Matrix(f32(10), 65536, 65536),
            f32(1, 65536),
            f32(65536, 1)),
        wrong(
            "gemm",
            "b is [4, 3], expected [5, 3]",
            ops -> ops.gemm(true, false, f32(5, 2), f32(4, 3), f32(2, 3))),
        wrong(
            "gemm",
            "c is [5, 3], expected [2, 3]",
            ops -> ops.gemm(true, false, f32(5, 2), f32(5, 3), f32(5, 3))));
  }

  private static Arguments gemm(String argument, Matrix a, Matrix b, Matrix c) {
    return wrong("gemm", argument, ops -> ops.gemm(false, true, a, b, c));
  }

  private static Stream<Arguments> wrongLosses() {
    return Stream.of(
            measuring("logits is [0, 1]", Loss.BCE, f32(0, 1), i32(2)),
            measuring("logits is [2, 0]", Loss.BCE, f32(2, 0), i32(2)),
            measuring("bce on 2 logits", Loss.BCE, f32(2, 2), i32(2)),
            measuring("mnist on 3 logits", Loss.MNIST, f32(2, 3), i32(2)),
            measuring("cross-entropy on 1 logits", Loss.CROSS_ENTROPY, f32(2, 1), i32(2)),
            measuring("cross-entropy on 2 logits", Loss.CROSS_ENTROPY, f32(2, 2), i32(2)),
            measuring("logits holds F64", Loss.BCE, new Matrix(f64(2), 2, 1), i32(2)),
            measuring("logits has 1", Loss.BCE, new Matrix(f32(1), 2, 1), i32(2)),
            measuring("targets holds F32", Loss.BCE, f32(2, 1), f32(2)),
            measuring("targets has 1", Loss.BCE, f32(2, 1), i32(1)),
            Stream.of(
                loss("dLogits holds I32", new Matrix(i32(6), 2, 3), f64(3), 2),
                loss("dLogits has 5", new Matrix(f32(5), 2, 3), f64(3), 2),
                loss("dLogits is [3, 2], expected [2, 3]", f32(3, 2), f64(3), 2),
                loss("step is -1", f32(2, 3), f64(3), -1),
                loss("lossSums holds F32", f32(2, 3), f32(3), 2),
                loss("lossSums has 2", f32(2, 3), f64(2), 2),
                loss("expected at least 2147483648", f32(2, 3), f64(2), Integer.MAX_VALUE),
                wrong(
                    "evaluate",
                    "metrics holds F32",
                    ops -> ops.evaluate(Loss.BCE, f32(2, 1), i32(2), f32(2))),
                wrong(
                    "evaluate",
                    "metrics has 1",
                    ops -> ops.evaluate(Loss.BCE, f32(2, 1), i32(2), f64(1)))))
        .flatMap(calls -> calls);
  }

  /** What loss and evaluate both refuse. */
  private static Stream<Arguments> measuring(
      String argument, Loss loss, Matrix logits, Buffer targets) {
    return Stream.of(
        wrong("loss", argument, ops -> ops.loss(loss, logits, targets, logits, f64(1), 0)),
        wrong("evaluate", argument, ops -> ops.evaluate(loss, logits, targets, f64(2))));
  }

  private static Arguments loss(String argument, Matrix dLogits, Buffer lossSums, int step) {
    return wrong(
        "loss",
        argument,
        ops -> ops.loss(Loss.CROSS_ENTROPY, f32(2, 3), i32(2), dLogits, lossSums, step));
  }

  private static Stream<Arguments> wrongRows() {
    return Stream.of(
        biasActivation("z is [0, 3]", f32(3), f32(0, 3)),
        biasActivation("z is [2, -3]", f32(3), f32(2, -3)),
        biasActivation("bias holds F64", f64(3), f32(2, 3)),
        biasActivation("bias has 2", f32(2), f32(2, 3)),
        biasActivation("z holds I32", f32(3), new Matrix(i32(6), 2, 3)),
        biasActivation("z has 5", f32(3), new Matrix(f32(5), 2, 3)),
        activationGradient("activated is [0, 3]", f32(0, 3), f32(0, 3)),
        activationGradient("activated is [2, 0]", f32(2, 0), f32(2, 0)),
        activationGradient("activated holds U8", new Matrix(u8(6), 2, 3), f32(2, 3)),
        activationGradient("activated has 5", new Matrix(f32(5), 2, 3), f32(2, 3)),
        activationGradient("delta is [3, 2], expected [2, 3]", f32(2, 3), f32(3, 2)),
        activationGradient("delta holds F64", f32(2, 3), new Matrix(f64(6), 2, 3)),
        activationGradient("delta has 5", f32(2, 3), new Matrix(f32(5), 2, 3)),
        biasGradient("delta is [-2, 3]", f32(-2, 3), f32(3)),
        biasGradient("delta is [2, 0]", f32(2, 0), f32(3)),
        biasGradient("delta holds I32", new Matrix(i32(6), 2, 3), f32(3)),
        biasGradient("delta has 5", new Matrix(f32(5), 2, 3), f32(3)),
        biasGradient("gradient holds F64", f32(2, 3), f64(3)),
        biasGradient("gradient has 2", f32(2, 3), f32(2)));
  }

  private static Stream<Arguments> wrongWindows() {
    return Stream.of(
            windows("images is [2, 11], expected [2, 12]", f32(2, 11), f32(4, 9)),
            windows("images has 23", new Matrix(f32(23), 2, 12), f32(4, 9)),
            windows("images holds U8", new Matrix(u8(24), 2, 12), f32(4, 9)),
            windows("patches is [3, 9], expected [4, 9]", f32(2, 12), f32(3, 9)),
            windows("patches is [4, 8], expected [4, 9]", f32(2, 12), f32(4, 8)),
            windows("patches has 35", f32(2, 12), new Matrix(f32(35), 4, 9)))
        .flatMap(calls -> calls);
  }

  private static Stream<Arguments> windows(String argument, Matrix images, Matrix patches) {
    return Stream.of(
        wrong("unfold", argument, ops -> ops.unfold(WINDOW, images, patches)),
        wrong("fold", argument, ops -> ops.fold(WINDOW, patches, images)));
  }

  private static Arguments biasActivation(String argument, Buffer bias, Matrix z) {
    return wrong("biasActivation", argument, ops -> ops.biasActivation(Activation.RELU, bias, z));
  }

  private static Arguments activationGradient(String argument, Matrix activated, Matrix delta) {
    return wrong(
        "activationGradient",
        argument,
        ops -> ops.activationGradient(Activation.RELU, activated, delta));
  }

  private static Arguments biasGradient(String argument, Matrix delta, Buffer gradient) {
    return wrong("biasGradient", argument, ops -> ops.biasGradient(delta, gradient));
  }

  private static Stream<Arguments> wrongLayers() {
    return Stream.of(
        wrongForward("input is [0, 5]", f32(0, 5), f32(3, 5), f32(3), f32(0, 3)),
        wrongForward("input is [2, 4], expected [2, 5]", f32(2, 4), f32(3, 5), f32(3), f32(2, 3)),
        wrongForward("input has 9", new Matrix(f32(9), 2, 5), f32(3, 5), f32(3), f32(2, 3)),
        wrongForward("weight is [3, 0]", f32(2, 5), f32(3, 0), f32(3), f32(2, 3)),
        wrongForward("weight has 14", f32(2, 5), new Matrix(f32(14), 3, 5), f32(3), f32(2, 3)),
        wrongForward("bias holds F64", f32(2, 5), f32(3, 5), f64(3), f32(2, 3)),
        wrongForward("bias has 2", f32(2, 5), f32(3, 5), f32(2), f32(2, 3)),
        wrongForward("output is [3, 3], expected [2, 3]", f32(2, 5), f32(3, 5), f32(3), f32(3, 3)),
        wrongForward("output has 5", f32(2, 5), f32(3, 5), f32(3), new Matrix(f32(5), 2, 3)),
        wrongGradient("delta is [2, 0]", f32(2, 0), f32(2, 5), f32(3, 5), f32(3)),
        wrongGradient("delta has 5", new Matrix(f32(5), 2, 3), f32(2, 5), f32(3, 5), f32(3)),
        wrongGradient("input is [2, -5]", f32(2, 3), f32(2, -5), f32(3, 5), f32(3)),
        wrongGradient("input is [3, 5], expected [2, 5]", f32(2, 3), f32(3, 5), f32(3, 5), f32(3)),
        wrongGradient("input holds U8", f32(2, 3), new Matrix(u8(10), 2, 5), f32(3, 5), f32(3)),
        wrongGradient(
            "weightGradient is [5, 3], expected [3, 5]", f32(2, 3), f32(2, 5), f32(5, 3), f32(3)),
        wrongGradient(
            "weightGradient has 14", f32(2, 3), f32(2, 5), new Matrix(f32(14), 3, 5), f32(3)),
        wrongGradient("biasGradient has 2", f32(2, 3), f32(2, 5), f32(3, 5), f32(2)),
        wrongDelta("delta is [2, 0]", f32(2, 0), f32(3, 5), f32(2, 5), f32(2, 5)),
        wrongDelta("delta has 5", new Matrix(f32(5), 2, 3), f32(3, 5), f32(2, 5), f32(2, 5)),
        wrongDelta("weight is [5, 3], expected [3, 3]", f32(2, 3), f32(5, 3), f32(2, 5), f32(2, 5)),
        wrongDelta("weight has 14", f32(2, 3), new Matrix(f32(14), 3, 5), f32(2, 5), f32(2, 5)),
        wrongDelta("input is [3, 5], expected [2, 5]", f32(2, 3), f32(3, 5), f32(3, 5), f32(2, 5)),
        wrongDelta("input has 9", f32(2, 3), f32(3, 5), new Matrix(f32(9), 2, 5), f32(2, 5)),
        wrongDelta("below is [2, 4], expected [2, 5]", f32(2, 3), f32(3, 5), f32(2, 5), f32(2, 4)),
        wrongDelta("below holds I32", f32(2, 3), f32(3, 5), f32(2, 5), new Matrix(i32(10), 2, 5)));
  }

  private static Arguments wrongForward(
      String argument, Matrix input, Matrix weight, Buffer bias, Matrix output) {
    return wrong("layer", argument, ops -> layer(ops, input, weight, bias, output));
  }

  private static Arguments wrongGradient(
      String argument, Matrix delta, Matrix input, Matrix weightGradient, Buffer biasGradient) {
    return wrong(
        "layerGradient",
        argument,
        ops -> ops.layerGradient(delta, input, weightGradient, biasGradient));
  }

  private static Arguments wrongDelta(
      String argument, Matrix delta, Matrix weight, Matrix input, Matrix below) {
    return wrong("layerDelta", argument, ops -> layerDelta(ops, delta, weight, input, below));
  }

  private static void layer(Ops ops, Matrix input, Matrix weight, Buffer bias, Matrix output) {
    ops.layer(new Dense(Activation.RELU, weight, bias), input, output);
  }

  private static void layerDelta(Ops ops, Matrix delta, Matrix weight, Matrix input, Matrix below) {
    ops.layerDelta(Activation.RELU, delta, weight, input, below);
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

  private static Matrix f32(int rows, int columns) {
    return new Matrix(f32(Math.max(0, rows * columns)), rows, columns);
  }

  private static Buffer f64(int length) {
    return new Shape(F64, length);
  }
}
