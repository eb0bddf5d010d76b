package zerofive.train;

/** Where the rows of a run's history go while it trains. */
interface EpochSink extends AutoCloseable {
  /** Adds one row. */
  void append(EpochRecord row);

  @Override
  void close();
}
