package zerofive.train;

import java.util.List;
import zerofive.backend.Optimizer;
import zerofive.model.Architecture;

/** Where a training leaves what a kill must not lose: its folder, or nowhere. */
public interface RunStore {
  /** Stores nothing: for trainings so short that they are repeated after a kill. */
  RunStore NONE =
      new RunStore() {
        @Override
        public void write(Recipe recipe) {}

        @Override
        public void save(Checkpoint checkpoint) {}

        @Override
        public Checkpoint checkpoint(Architecture architecture, Optimizer optimizer) {
          throw new IllegalStateException("nothing was stored");
        }

        @Override
        public void beginMetrics() {}

        @Override
        public List<EpochRecord> history(int lastEpoch) {
          return List.of();
        }

        @Override
        public EpochSink metrics(int lastEpoch, Recipe recipe) {
          return new EpochSink() {
            @Override
            public void append(EpochRecord row, float learningRate) {}

            @Override
            public void sync() {}

            @Override
            public void close() {}
          };
        }

        @Override
        public String place() {
          return "";
        }

        @Override
        public String keeps(int epoch) {
          return "";
        }
      };

  /** Stores the settings. */
  void write(Recipe recipe);

  /** Stores all that the run resumes from. */
  void save(Checkpoint checkpoint);

  /** The last checkpoint, of such a model. Throws InputException. */
  Checkpoint checkpoint(Architecture architecture, Optimizer optimizer);

  /** Starts the log of epochs, without any. */
  void beginMetrics();

  /** The rows of epochs 1 to {@code lastEpoch}. Throws InputException. */
  List<EpochRecord> history(int lastEpoch);

  /** Continues the log of epochs after {@code lastEpoch}; what follows it is dropped. */
  EpochSink metrics(int lastEpoch, Recipe recipe);

  /** Where it is, for messages. */
  String place();

  /** Appended to a sentence: where the checkpoint of {@code epoch} is; empty if there is none. */
  String keeps(int epoch);
}
