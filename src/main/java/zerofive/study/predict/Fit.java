package zerofive.study.predict;

import java.util.Locale;

/** Which images are fitted to a model. */
public enum Fit {
  /** Those that do not have the model's size. */
  AUTO,
  ALWAYS,
  NEVER;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
