package zerofive.study.verify;

import static zerofive.train.Settings.ARITHMETIC;
import static zerofive.train.Settings.EPOCHS;
import static zerofive.train.Settings.SCHEDULE;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import zerofive.backend.Arithmetic;
import zerofive.run.NotComparableException;
import zerofive.run.Receipt;
import zerofive.train.Recipe;
import zerofive.train.Schedule;

/** Whether a run was computed in the way that this version computes, from its start to its end. */
final class ExactRun {
  private ExactRun() {}

  /**
   * Checks what a run records of its computation.
   *
   * @param run its folder
   * @param recipe its settings
   * @param parts of the run that have a share in its result, at least one
   * @throws NotComparableException where this version cannot compute the run's bits
   */
  static void check(Path run, Recipe recipe, List<Receipt.Part> parts) {
    Optional<Integer> number = recipe.get(ARITHMETIC);
    if (number.isEmpty()) {
      throw withoutNumber(run, parts.get(parts.size() - 1).session());
    }
    for (Receipt.Part part : parts) {
      if (!part.arithmetic().equals(String.valueOf(number.get()))) {
        throw new NotComparableException(
            run
                + " was computed with arithmetic "
                + number.get()
                + " in one part and with "
                + (part.arithmetic().isEmpty()
                    ? "no arithmetic number"
                    : "arithmetic " + part.arithmetic())
                + " in another, by "
                + describe(part.session())
                + ", so no single device computes its bits; train it again as a whole");
      }
      if (recipe.get(SCHEDULE) != Schedule.CONSTANT
          && !part.epochs().equals(String.valueOf(recipe.get(EPOCHS)))) {
        throw new NotComparableException(
            run
                + " was begun for "
                + part.epochs()
                + " epochs and resumed for "
                + recipe.get(EPOCHS)
                + ", which stretched its schedule "
                + recipe.get(SCHEDULE)
                + " on the way; train it again as a whole");
      }
    }
    if (number.get() != Arithmetic.NUMBER) {
      throw new NotComparableException(
          run
              + " was computed with arithmetic "
              + number.get()
              + ", and this version of zerofive computes arithmetic "
              + Arithmetic.NUMBER
              + "; verify it with the version that made it, "
              + parts.get(parts.size() - 1).session().program());
    }
  }

  /** The devices of some parts, each named once: {@code cpu (native code, AVX2, 2 threads)}. */
  static String devices(List<Receipt.Part> parts) {
    return parts.stream()
        .map(part -> part.session().backend() + " (" + part.session().device() + ")")
        .distinct()
        .collect(Collectors.joining(" and "));
  }

  private static NotComparableException withoutNumber(Path run, Receipt.Session last) {
    return new NotComparableException(
        run
            + " was computed by "
            + describe(last)
            + " and has no arithmetic number, so its bits are promised on no other device; train it"
            + " again with this version and --device cpu");
  }

  private static String describe(Receipt.Session session) {
    return session.program() + " on " + session.backend() + " (" + session.device() + ")";
  }
}
