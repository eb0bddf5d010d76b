package zerofive.cli.command;

import java.util.List;
import zerofive.backend.Arithmetic;
import zerofive.run.RunFolder;
import zerofive.study.PairResult;
import zerofive.study.verify.Answer;
import zerofive.study.verify.LossDifference;
import zerofive.study.verify.PairsVerifier;
import zerofive.study.verify.RunVerifier;
import zerofive.study.verify.ValueDifference;

/** What {@code verify --json} prints; what does not apply is left out. */
final class VerdictJson {
  private VerdictJson() {}

  private record Run(
      String run,
      Answer answer,
      int arithmetic,
      String madeBy,
      String verifiedBy,
      String fileSha256,
      String receiptSha256,
      String computedSha256,
      String diverged,
      ValueDifference weight,
      LossDifference loss) {}

  private record Pairs(
      String run,
      Answer answer,
      int arithmetic,
      String madeBy,
      String verifiedBy,
      int checked,
      int rows,
      boolean tableIsReceipts,
      List<Row> different) {}

  private record Row(String first, String second, long seed, Outcome table, Outcome computed) {
    static Row of(PairsVerifier.Row row) {
      PairResult table = row.table();
      return new Row(
          table.pair().first(),
          table.pair().second(),
          table.pair().seed(),
          Outcome.of(table),
          row.computed().map(Outcome::of).orElse(null));
    }
  }

  private record Outcome(
      int errors, int images, double trainLoss, double validLoss, String modelSha256) {
    static Outcome of(PairResult result) {
      return new Outcome(
          result.errors(),
          result.images(),
          result.trainLoss(),
          result.validLoss(),
          result.modelSha256());
    }
  }

  /**
   * Of a run of train.
   *
   * @param made the devices that made it
   * @param device that trained it again
   */
  static Record of(RunFolder folder, String made, String device, RunVerifier.Verdict verdict) {
    return new Run(
        folder.path().toString(),
        verdict.answer(),
        Arithmetic.NUMBER,
        made,
        device,
        verdict.fileSha256(),
        verdict.receiptSha256(),
        verdict.computedSha256().orElse(null),
        verdict.diverged().orElse(null),
        verdict.value().orElse(null),
        verdict.loss().orElse(null));
  }

  /** The same of a run of pairs. */
  static Record of(RunFolder folder, String made, String device, PairsVerifier.Verdict verdict) {
    return new Pairs(
        folder.path().toString(),
        verdict.answer(),
        Arithmetic.NUMBER,
        made,
        device,
        verdict.checked(),
        verdict.rows(),
        verdict.isReceipts(),
        verdict.different().stream().map(Row::of).toList());
  }
}
