package zerofive.report.console;

import java.nio.file.Path;
import java.util.List;
import zerofive.run.MetricFormat;
import zerofive.study.PairResult;
import zerofive.study.verify.Answer;
import zerofive.study.verify.PairsVerifier;
import zerofive.study.verify.RunVerifier;

/** What {@code verify} found out, in sentences. */
public final class VerdictText {
  /** As many different rows are printed; {@code --json} has all. */
  private static final int MAX_ROWS = 10;

  private static final String CHANGED = "somebody changed the run's file after its end: ";
  private static final String INDENT = "         ";
  private static final String IS_NOT_RECEIPTS = ", which is not the file that its receipt names: ";

  private VerdictText() {}

  /**
   * Prints what came of a run of train.
   *
   * @param model the run's model file
   * @param made the devices that made it
   * @param device that trained it again
   */
  public static void print(
      Path model, String made, String device, RunVerifier.Verdict verdict, Terminal terminal) {
    switch (verdict.answer()) {
      case SAME ->
          terminal.result(
              "same     ", same(made, device) + model + ", SHA-256 " + verdict.fileSha256());
      case OTHER_BITS_HERE ->
          terminal.result(
              "other    ", other(made, device) + model + ", the file that its receipt names");
      case CHANGED ->
          terminal.result(
              "changed  ", CHANGED + model + IS_NOT_RECEIPTS + device + " computes that one");
      case NEITHER ->
          terminal.result(
              "neither  ", model + IS_NOT_RECEIPTS + device + " computes neither of them");
    }
    if (verdict.answer() == Answer.SAME) {
      if (!verdict.receiptSha256().equals(verdict.fileSha256())) {
        terminal.result(
            "note     ", "the run's receipt.json names another, " + verdict.receiptSha256());
      }
      return;
    }
    terminal.result("file     SHA-256 " + verdict.fileSha256());
    terminal.result("receipt  SHA-256 " + verdict.receiptSha256());
    terminal.result(
        "computed ",
        verdict.computedSha256().map(sha256 -> "SHA-256 " + sha256).orElse("no model: ")
            + verdict.diverged().orElse(""));
    if (verdict.answer() != Answer.CHANGED) {
      terminal.result("losses   ", losses(verdict));
    }
    if (verdict.computedSha256().isPresent()) {
      terminal.result("weights  ", weights(verdict));
    }
  }

  private static String same(String made, String device) {
    return device + " computes the same bits as " + made + " did: ";
  }

  private static String other(String made, String device) {
    return device
        + " computes other bits than "
        + made
        + " did, unless the run's config.json was changed since: ";
  }

  private static String losses(RunVerifier.Verdict verdict) {
    return verdict
        .loss()
        .map(
            loss ->
                "epoch "
                    + loss.epoch()
                    + " is the first that differs: train_loss "
                    + MetricFormat.significant(loss.trainLoss())
                    + " in metrics.csv, "
                    + MetricFormat.significant(loss.computedTrainLoss())
                    + " here; valid_loss "
                    + MetricFormat.significant(loss.validLoss())
                    + " there, "
                    + MetricFormat.significant(loss.computedValidLoss())
                    + " here")
        .orElse("those in metrics.csv are the same in every epoch, to their nine digits");
  }

  private static String weights(RunVerifier.Verdict verdict) {
    return verdict
        .value()
        .map(
            value ->
                value.place()
                    + " is "
                    + value.file()
                    + " in the file, "
                    + value.computed()
                    + " here; "
                    + (value.count() == 1
                        ? "the other values are the same"
                        : Format.count(value.count())
                            + " of "
                            + Format.count(value.of())
                            + " values differ, this one first"))
        .orElse("all are the same; the files differ in their metadata");
  }

  /**
   * Prints what came of a run of pairs.
   *
   * @param table the run's pairs.csv
   * @param made the devices that made it
   * @param device that trained its rows again
   */
  public static void print(
      Path table, String made, String device, PairsVerifier.Verdict verdict, Terminal terminal) {
    List<PairsVerifier.Row> different = verdict.different();
    String checked = Format.plural(verdict.checked(), "row") + " checked";
    switch (verdict.answer()) {
      case SAME ->
          terminal.result(
              "same     ",
              same(made, device) + table + ", " + checked + " of " + Format.count(verdict.rows()));
      case OTHER_BITS_HERE ->
          terminal.result(
              "other    ", other(made, device) + table + ", the file that its receipt names");
      case CHANGED ->
          terminal.result(
              "changed  ", CHANGED + table + IS_NOT_RECEIPTS + device + " computes other rows");
      case NEITHER ->
          terminal.result(
              "neither  ", table + IS_NOT_RECEIPTS + device + " computes no row that it has");
    }
    if (verdict.answer() == Answer.SAME) {
      if (!verdict.isReceipts()) {
        terminal.result(
            "note     ",
            "the table is not the file that the run's receipt.json names; what was changed is not"
                + " in these rows, or is their time");
      }
      return;
    }
    terminal.result("rows     " + different.size() + " of " + checked + " differ");
    different.stream().limit(MAX_ROWS).forEach(row -> terminal.result(INDENT, describe(row)));
    if (different.size() > MAX_ROWS) {
      terminal.result(INDENT + "and " + (different.size() - MAX_ROWS) + " more");
    }
  }

  private static String describe(PairsVerifier.Row row) {
    PairResult table = row.table();
    return table.pair()
        + ": "
        + row.computed()
            .map(here -> figures(table) + " in the table, " + figures(here) + " here")
            .orElse("the training diverges here");
  }

  private static String figures(PairResult row) {
    return Format.plural(row.errors(), "error")
        + " of "
        + row.images()
        + ", losses "
        + MetricFormat.significant(row.trainLoss())
        + " and "
        + MetricFormat.significant(row.validLoss())
        + ", model "
        + row.modelSha256();
  }
}
