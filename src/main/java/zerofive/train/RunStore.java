package zerofive.train;

/** Where a training leaves what a kill must not lose: its folder, or nowhere. */
interface RunStore {
  /** Keeps nothing: for trainings so short that they are done again. */
  RunStore NONE =
      new RunStore() {
        @Override
        public void write(Recipe recipe) {}

        @Override
        public void save(Checkpoint checkpoint) {}

        @Override
        public void beginMetrics() {}

        @Override
        public EpochSink metrics(int lastEpoch) {
          return new EpochSink() {
            @Override
            public void append(EpochRecord row) {}

            @Override
            public void close() {}
          };
        }

        @Override
        public TensorBoardWriter events(int epoch, Recipe recipe) {
          throw new IllegalStateException("event files need a run folder");
        }

        @Override
        public String keeps(int epoch) {
          return "";
        }
      };

  /** Keeps the settings. */
  void write(Recipe recipe);

  /** Keeps all that the run goes on from. */
  void save(Checkpoint checkpoint);

  /** Begins the log of epochs, without any. */
  void beginMetrics();

  /** Goes on with the log of epochs behind {@code lastEpoch}; what follows it is dropped. */
  EpochSink metrics(int lastEpoch);

  /** Begins an event file at {@code epoch}. */
  TensorBoardWriter events(int epoch, Recipe recipe);

  /** Behind a sentence: where the checkpoint of {@code epoch} is; empty where there is none. */
  String keeps(int epoch);
}
