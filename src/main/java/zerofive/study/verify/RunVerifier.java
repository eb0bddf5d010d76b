package zerofive.study.verify;

import static zerofive.train.Settings.EPOCHS;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import zerofive.backend.Backend;
import zerofive.data.DataSet;
import zerofive.files.InputException;
import zerofive.files.Sha256;
import zerofive.model.Architecture;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;
import zerofive.run.NotComparableException;
import zerofive.run.Receipt;
import zerofive.run.RunFolder;
import zerofive.train.DivergedException;
import zerofive.train.EpochRecord;
import zerofive.train.Recipe;
import zerofive.train.StopSignal;
import zerofive.train.Trainer;

/** Trains a finished run of {@code train} once more, in memory, and compares its model's bits. */
public final class RunVerifier {
  private final RunFolder folder;
  private final Recipe recipe;
  private final Receipt receipt;
  private final Receipt.Ending ending;

  private RunVerifier(RunFolder folder, Recipe recipe, Receipt receipt, Receipt.Ending ending) {
    this.folder = folder;
    this.recipe = recipe;
    this.receipt = receipt;
    this.ending = ending;
  }

  /**
   * What a training once more showed.
   *
   * @param answer in short
   * @param fileSha256 of the model file
   * @param receiptSha256 what the receipt says of it
   * @param computedSha256 of the model that is computed here; empty where the training diverged
   * @param value where the weights differ first; empty where they are the same, or there are none
   * @param loss where the losses differ first
   * @param diverged how the training diverged here
   */
  public record Verdict(
      Answer answer,
      String fileSha256,
      String receiptSha256,
      Optional<String> computedSha256,
      Optional<ValueDifference> value,
      Optional<LossDifference> loss,
      Optional<String> diverged) {
    private Verdict diverged(String message) {
      return new Verdict(
          answer, fileSha256, receiptSha256, computedSha256, value, loss, Optional.of(message));
    }
  }

  /**
   * Reads what a run says of itself.
   *
   * @throws InputException where a file is missing or damaged
   * @throws NotComparableException where the run is not finished, or this version does not compute
   *     its bits
   */
  public static RunVerifier read(RunFolder folder) {
    Recipe recipe = folder.config();
    Receipt receipt = Receipt.read(folder.receipt());
    Receipt.Ending ending =
        receipt
            .ending()
            .filter(end -> end.stoppedEarly() || end.trainedEpochs() == recipe.get(EPOCHS))
            .orElseThrow(
                () ->
                    new NotComparableException(
                        folder.path()
                            + " is not finished: its receipt.json has no result of "
                            + recipe.get(EPOCHS)
                            + " epochs; finish it with train --resume "
                            + folder.path()));
    List<Receipt.Part> parts = receipt.partsWithEpochs(ending.trainedEpochs());
    if (parts.isEmpty()) {
      throw new InputException(
          folder.receipt() + " is damaged: it names nobody who trained; restore it");
    }
    ExactRun.check(folder.path(), recipe, parts);
    return new RunVerifier(folder, recipe, receipt, ending);
  }

  /** The run's settings. */
  public Recipe recipe() {
    return recipe;
  }

  /** The devices that trained it. */
  public String madeBy() {
    return ExactRun.devices(receipt.partsWithEpochs(ending.trainedEpochs()));
  }

  /** The run's receipt. */
  public Receipt receipt() {
    return receipt;
  }

  /**
   * Trains and compares.
   *
   * @param data of the run
   * @param initial the weights that it started from
   * @param backend that computes {@link zerofive.backend.Arithmetic#NUMBER}
   * @param stop asked between epochs
   * @param listener receives each epoch
   * @return what came out; empty where it was stopped
   * @throws InputException where the model file is missing, damaged, or of another architecture, or
   *     metrics.csv is damaged
   */
  public Optional<Verdict> verify(
      DataSet data,
      Parameters initial,
      Backend backend,
      StopSignal stop,
      Consumer<EpochRecord> listener) {
    Parameters file = model(initial.architecture());
    String fileSha256 = Sha256.of(folder.model());
    List<EpochRecord> history = folder.history(ending.trainedEpochs());
    List<EpochRecord> computed = new ArrayList<>();
    Consumer<EpochRecord> both =
        row -> {
          computed.add(row);
          listener.accept(row);
        };
    Trainer.Outcome outcome;
    try {
      outcome = Trainer.begin(recipe, data, initial).train(backend, stop, both);
    } catch (DivergedException e) {
      return Optional.of(
          verdict(fileSha256, Optional.empty(), Optional.empty(), history, computed)
              .diverged(e.getMessage()));
    }
    if (outcome.interrupted()) {
      return Optional.empty();
    }
    return Optional.of(
        verdict(
            fileSha256,
            Optional.of(outcome.model(recipe, data).sha256()),
            ValueDifference.first(file, outcome.parameters()),
            history,
            computed));
  }

  private Parameters model(Architecture architecture) {
    Parameters file = ModelFile.read(folder.model()).parameters();
    if (!file.architecture().equals(architecture)) {
      throw new InputException(
          folder.model()
              + " holds a model "
              + file.architecture()
              + ", but the run's config.json asks for "
              + architecture
              + "; restore the one or the other");
    }
    return file;
  }

  private Verdict verdict(
      String file,
      Optional<String> computed,
      Optional<ValueDifference> value,
      List<EpochRecord> history,
      List<EpochRecord> computedHistory) {
    String claimed = ending.modelSha256();
    Answer answer;
    if (computed.equals(Optional.of(file))) {
      answer = Answer.SAME;
    } else if (file.equals(claimed)) {
      answer = Answer.OTHER_BITS_HERE;
    } else {
      answer = computed.equals(Optional.of(claimed)) ? Answer.CHANGED : Answer.NEITHER;
    }
    return new Verdict(
        answer,
        file,
        claimed,
        computed,
        value,
        LossDifference.first(history, computedHistory),
        Optional.empty());
  }
}
