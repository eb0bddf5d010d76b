package zerofive.backend.cpu;

import java.util.function.IntConsumer;
import zerofive.backend.Evaluation;
import zerofive.backend.Optimizer;
import zerofive.backend.Predictor;
import zerofive.backend.ops.ForwardPass;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** A model's logits and measure, as a native session has them, some thousand images at a time. */
final class CpuPredictor implements Predictor {
  private static final int IMAGES = 4096;
  private static final int PIXELS = 1 << 24;

  private final int threads;
  private final Parameters model;

  CpuPredictor(int threads, Parameters model) {
    this.threads = threads;
    this.model = model;
  }

  @Override
  public float[] logits(ImageSet images) {
    int outputs = model.architecture().outputs();
    float[] logits = new float[images.count() * outputs];
    // Any loss that the model can have: it is measured too, and not asked for.
    Loss loss = outputs == 1 ? Loss.BCE : Loss.CROSS_ENTROPY;
    try (NativeSession session = open(images, loss)) {
      measure(
          session,
          images,
          first -> Native.getLogits(session.address(), logits, (long) first * outputs));
    }
    return logits;
  }

  @Override
  public Evaluation evaluate(ImageSet images, Loss loss) {
    long start = System.nanoTime();
    try (NativeSession session = open(images, loss)) {
      measure(session, images, first -> {});
      return session.measured(images.count(), start);
    }
  }

  private NativeSession open(ImageSet images, Loss loss) {
    Architecture architecture = model.architecture();
    ForwardPass.check(architecture, images);
    NativeSession session = NativeSession.create(threads, architecture, loss, Optimizer.sgd(), 0);
    session.setParameters(model);
    return session;
  }

  private static void measure(NativeSession session, ImageSet images, IntConsumer each) {
    int atOnce = Math.max(1, Math.min(IMAGES, PIXELS / images.imageSize()));
    for (int first = 0; first < images.count(); first += atOnce) {
      session.setValid(images, first, Math.min(atOnce, images.count() - first));
      session.measure();
      each.accept(first);
    }
  }

  /** Each question has its own memory, freed when it is answered. */
  @Override
  public void close() {}
}
