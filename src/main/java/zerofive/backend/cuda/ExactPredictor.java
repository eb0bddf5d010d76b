package zerofive.backend.cuda;

import java.util.function.Supplier;
import zerofive.backend.Evaluation;
import zerofive.backend.Predictor;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.ForwardPass;
import zerofive.backend.ops.Ops;
import zerofive.data.ImageSet;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** A model's logits with the CPU's bits. Each call puts its images on the GPU and frees them. */
final class ExactPredictor implements Predictor {
  /** Bytes of images on the GPU at a time. */
  private static final int PIECE = 1 << 26;

  private final Supplier<CudaOps> opener;
  private final Parameters parameters;
  private final int piece;

  /** What a call computes on the GPU, before all is freed. */
  private interface Result<T> {
    T of(CudaOps ops, ExactPass pass, Buffer metrics);
  }

  /**
   * A copy of nothing: the model is put on the GPU by each call.
   *
   * @param opener makes new operations, which each call closes
   */
  ExactPredictor(Supplier<CudaOps> opener, Parameters parameters) {
    this(opener, parameters, PIECE);
  }

  /** The same with another number of bytes of images on the GPU at a time. */
  ExactPredictor(Supplier<CudaOps> opener, Parameters parameters, int piece) {
    this.opener = opener;
    this.parameters = parameters;
    this.piece = piece;
  }

  @Override
  public float[] logits(ImageSet images) {
    // Any loss that the model can have: it is measured too, and not asked for.
    Loss loss = parameters.architecture().outputs() == 1 ? Loss.BCE : Loss.CROSS_ENTROPY;
    return measure(
        images,
        loss,
        (ops, pass, metrics) -> {
          float[] logits = new float[pass.logits().length()];
          ops.download(pass.logits(), logits);
          return logits;
        });
  }

  @Override
  public Evaluation evaluate(ImageSet images, Loss loss) {
    long start = System.nanoTime();
    return measure(
        images,
        loss,
        (ops, pass, metrics) -> ExactSession.read(ops, metrics, images.count(), start));
  }

  private <T> T measure(ImageSet images, Loss loss, Result<T> result) {
    ForwardPass.check(parameters.architecture(), images);
    try (CudaOps ops = opener.get()) {
      ExactModel model = new ExactModel(ops, parameters.architecture(), 0);
      model.setParameters(parameters.values());
      Buffer metrics = ops.allocate(ElementType.F64, Ops.METRICS);
      int held = Math.max(1, Math.min(images.count(), piece / images.imageSize()));
      ExactPass pass = ExactPass.measuring(ops, model, images, held);
      pass.measure(loss, metrics);
      return result.of(ops, pass, metrics);
    }
  }

  @Override
  public void close() {
    // Nothing is kept between calls.
  }
}
