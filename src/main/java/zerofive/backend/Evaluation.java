package zerofive.backend;

/**
 * A model measured on the validation set.
 *
 * @param loss mean over the images
 * @param correct images whose class was predicted; a NaN logit predicts no class
 * @param count images
 * @param elapsedNanos what the measuring took
 */
public record Evaluation(double loss, int correct, int count, long elapsedNanos) {
  /** Images whose class was not predicted. */
  public int errors() {
    return count - correct;
  }

  /** Share of the images whose class was predicted, in [0, 1]. */
  public double accuracy() {
    return (double) correct / count;
  }
}
