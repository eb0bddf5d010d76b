package zerofive.study;

/**
 * What the training of a pair came to: a row of {@code pairs.csv}.
 *
 * @param pair which
 * @param errors validation images predicted wrongly
 * @param images validation images of the two classes
 * @param trainLoss of the epoch that the model is of
 * @param validLoss after it
 * @param seconds of training and validation
 * @param modelSha256 of the model file that {@code train} writes for the same settings
 */
public record PairResult(
    Pair pair,
    int errors,
    int images,
    double trainLoss,
    double validLoss,
    double seconds,
    String modelSha256) {
  /** What the training of a pair came to. */
  public static PairResult of(Pair pair, TrainingResult result) {
    return new PairResult(
        pair,
        result.errors(),
        result.images(),
        result.trainLoss(),
        result.validLoss(),
        result.seconds(),
        result.modelSha256());
  }

  /** Whether another training came to the same model and figures; the time apart. */
  public boolean isSameAs(PairResult other) {
    return equals(
        new PairResult(
            other.pair,
            other.errors,
            other.images,
            other.trainLoss,
            other.validLoss,
            seconds,
            other.modelSha256));
  }

  /** Share of the validation images predicted rightly, in [0, 1]. */
  public double accuracy() {
    return 1 - (double) errors / images;
  }
}
