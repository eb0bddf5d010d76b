package zerofive.backend;

/** Which class logits name. */
public final class Prediction {
  /** A row with a NaN logit names no class. */
  public static final int NONE = -1;

  private Prediction() {}

  /**
   * With one logit, class 0 where it is above 0, else class 1; with more, the index of the largest,
   * the first of equals.
   *
   * @param logits row-major
   * @param row where the row begins
   * @param outputs length of the row
   */
  public static int of(float[] logits, int row, int outputs) {
    if (outputs == 1) {
      float z = logits[row];
      return Float.isNaN(z) ? NONE : z > 0 ? 0 : 1;
    }
    int best = 0;
    for (int j = 0; j < outputs; j++) {
      if (Float.isNaN(logits[row + j])) {
        return NONE;
      }
      best = logits[row + j] > logits[row + best] ? j : best;
    }
    return best;
  }
}
