package zerofive.train;

/** Where the rows of a run's history go while it trains. */
public interface EpochSink extends AutoCloseable {
  /**
   * Adds one row.
   *
   * @param learningRate of the epoch's last step
   */
  void append(EpochRecord row, float learningRate);

  /**
   * Returns when all rows are on the disk: a checkpoint must never be of a later epoch than they.
   */
  void sync();

  @Override
  void close();
}
