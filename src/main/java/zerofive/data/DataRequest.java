package zerofive.data;

/**
 * What is to be read of which data.
 *
 * @param source a known name or a folder
 * @param classes those that take part
 * @param split the images that a model is measured on
 * @param skipUnreadable whether image files that cannot be read are passed over; else the first of
 *     them is refused
 */
public record DataRequest(String source, ClassFilter classes, Split split, boolean skipUnreadable) {
  /** Images that take no part in training. */
  public enum Split {
    /** Those that early stopping and the choice of settings may see. */
    VALID,
    /** Those for the final figure. IDX files have one such set, which serves for both. */
    TEST;

    @Override
    public String toString() {
      return this == VALID ? "valid" : "test";
    }
  }

  /** For a training: every file must be readable. */
  public DataRequest(String source, ClassFilter classes) {
    this(source, classes, Split.VALID, false);
  }
}
