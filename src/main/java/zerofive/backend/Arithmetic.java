package zerofive.backend;

import java.util.Optional;

/**
 * The definition of all sums and formulas of a training, docs/determinism.md. Two devices that
 * compute the same number train a model to the same bits.
 */
public final class Arithmetic {
  /** Any change of a sum or of a formula raises it; runs record it. */
  public static final int NUMBER = 1;

  private Arithmetic() {}

  /** In words, for messages: {@code arithmetic 1}. */
  public static String describe(Optional<Integer> number) {
    return number.map(known -> "arithmetic " + known).orElse("no arithmetic number");
  }
}
