package zerofive.backend.ops;

/**
 * A row-major matrix of floats.
 *
 * @param values F32, the rows one after the other; may be longer than that
 * @param rows how many
 * @param columns elements of a row
 */
public record Matrix(Buffer values, int rows, int columns) {
  /** The first {@code count} rows of it, a view: itself where these are all. */
  public Matrix firstRows(int count) {
    return count == rows ? this : new Matrix(values, count, columns);
  }

  /** The same values in rows of {@code width}, of which each row here has a whole number. */
  public Matrix inRowsOf(int width) {
    return new Matrix(values, rows * (columns / width), width);
  }
}
