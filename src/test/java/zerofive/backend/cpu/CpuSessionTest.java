package zerofive.backend.cpu;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import zerofive.backend.EpochInput;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingPlan;
import zerofive.backend.TrainingSession;
import zerofive.backend.TrainingState;
import zerofive.backend.ops.Buffer;
import zerofive.backend.ops.ElementType;
import zerofive.backend.ops.Matrix;
import zerofive.backend.ops.Ops;
import zerofive.data.ImageSet;
import zerofive.model.Architecture;
import zerofive.model.Loss;
import zerofive.model.Parameters;

/** What is freed is not touched. */
final class CpuSessionTest {
  @BeforeEach
  void thereIsALibrary() {
    assumeTrue(CpuForTests.isUsable(), "skipped: this build has no native library");
  }

  private static void assertClosed(Executable use) {
    assertThrows(IllegalStateException.class, use);
  }

  @Test
  void aClosedSessionRefusesToBeUsed() {
    Architecture architecture = new Architecture(6, List.of(3), 1);
    TrainingPlan plan = new TrainingPlan(architecture, Loss.BCE, Optimizer.sgd(), 1);
    ImageSet one = new ImageSet(new byte[6], new int[1], 2, 3);
    TrainingState start =
        TrainingState.initial(
            new Parameters(architecture, new float[architecture.parameterCount()]),
            Optimizer.sgd());
    TrainingSession session = CpuForTests.backend().open(plan, one, one, start);
    EpochInput input = new EpochInput(new int[1], new float[] {0.1f});
    session.trainEpoch(input);
    session.close();
    assertClosed(() -> session.trainEpoch(input));
    assertClosed(session::evaluate);
    assertClosed(session::logits);
    assertClosed(() -> session.setParameters(start.parameters()));
    assertClosed(session::state);
  }

  @Test
  void closedOperationsRefuseToBeUsed() {
    Ops ops = CpuForTests.ops();
    Buffer buffer = ops.allocate(ElementType.F32, 2);
    ops.close();
    assertClosed(() -> ops.upload(new float[2], buffer));
    assertClosed(() -> ops.download(buffer, new float[2]));
    assertClosed(() -> ops.clear(buffer));
    assertClosed(() -> ops.biasGradient(new Matrix(buffer, 1, 2), buffer));
  }
}
