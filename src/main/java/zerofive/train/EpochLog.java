package zerofive.train;

/** Where the rows of a run's history go while it trains. */
interface EpochLog extends AutoCloseable {
  /** Adds one row. */
  void append(EpochRecord row);

  @Override
  void close();
}
