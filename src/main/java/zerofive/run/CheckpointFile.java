package zerofive.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import zerofive.backend.Optimizer;
import zerofive.backend.TrainingState;
import zerofive.files.InputException;
import zerofive.model.Architecture;
import zerofive.model.Parameters;
import zerofive.model.format.ModelFile;
import zerofive.model.format.Safetensors;
import zerofive.train.BestEpoch;
import zerofive.train.Checkpoint;

/**
 * {@code checkpoint.safetensors}: the weights as {@code model.NAME}, the optimiser's moments
 * [moments * parameters] as {@code moments}, the weights of the best epoch, where the run may stop
 * early, as {@code best.NAME}; epochs, steps, arithmetic and the best loss stand in its metadata.
 */
final class CheckpointFile {
  private static final String MODEL = "model.";
  private static final String BEST = "best.";
  private static final String MOMENTS = "moments";
  private static final String EPOCH = "epoch";
  private static final String STEPS = "steps";
  private static final String ARITHMETIC = "arithmetic";
  private static final String BEST_EPOCH = "best_epoch";
  private static final String BEST_LOSS = "best_valid_loss";

  private CheckpointFile() {}

  /** Writes the file atomically. Throws OutputException. */
  static void write(Path file, Checkpoint checkpoint) {
    TrainingState state = checkpoint.state();
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "zerofive checkpoint");
    metadata.put(EPOCH, String.valueOf(checkpoint.epoch()));
    metadata.put(STEPS, String.valueOf(state.steps()));
    checkpoint.arithmetic().ifPresent(number -> metadata.put(ARITHMETIC, String.valueOf(number)));
    Map<String, Safetensors.Tensor> tensors =
        new LinkedHashMap<>(ModelFile.tensors(state.parameters(), MODEL));
    tensors.put(MOMENTS, new Safetensors.Tensor(List.of(state.moments().length), state.moments()));
    checkpoint
        .best()
        .ifPresent(
            best -> {
              metadata.put(BEST_EPOCH, String.valueOf(best.epoch()));
              metadata.put(BEST_LOSS, String.valueOf(best.validLoss()));
              tensors.putAll(ModelFile.tensors(best.parameters(), BEST));
            });
    new Safetensors(metadata, tensors).write(file);
  }

  /** Reads a checkpoint of such a model. Throws InputException. */
  static Checkpoint read(Path file, Architecture architecture, Optimizer optimizer) {
    if (!Files.isRegularFile(file)) {
      throw new InputException(file + " is missing; restore it or start a new run");
    }
    Safetensors content = Safetensors.read(file);
    Parameters parameters = parameters(file, content, MODEL, architecture);
    Safetensors.Tensor moments = content.tensors().get(MOMENTS);
    int expected = optimizer.momentCount() * architecture.parameterCount();
    if (moments == null || moments.values().length != expected) {
      throw new InputException(
          file
              + " does not hold the "
              + expected
              + " optimiser values that its run needs; restore it or start a new run");
    }
    int epoch = (int) number(file, content, EPOCH, Integer.MAX_VALUE);
    long steps = number(file, content, STEPS, Long.MAX_VALUE);
    Optional<BestEpoch> best =
        content.metadata().containsKey(BEST_EPOCH)
            ? Optional.of(best(file, content, epoch, architecture))
            : Optional.empty();
    Optional<Integer> arithmetic =
        content.metadata().containsKey(ARITHMETIC)
            ? Optional.of((int) number(file, content, ARITHMETIC, Integer.MAX_VALUE))
            : Optional.empty();
    return new Checkpoint(
        epoch, new TrainingState(parameters, moments.values(), steps), best, arithmetic);
  }

  private static Parameters parameters(
      Path file, Safetensors content, String prefix, Architecture architecture) {
    Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
    content
        .tensors()
        .forEach(
            (name, tensor) -> {
              if (name.startsWith(prefix)) {
                tensors.put(name.substring(prefix.length()), tensor);
              }
            });
    return ModelFile.assemble(file, tensors, architecture);
  }

  private static BestEpoch best(
      Path file, Safetensors content, int last, Architecture architecture) {
    int epoch = (int) number(file, content, BEST_EPOCH, last);
    if (epoch == 0) {
      throw damaged(file, BEST_EPOCH, null);
    }
    return new BestEpoch(
        epoch, bestLoss(file, content), parameters(file, content, BEST, architecture));
  }

  private static double bestLoss(Path file, Safetensors content) {
    try {
      double loss = Double.parseDouble(String.valueOf(content.metadata().get(BEST_LOSS)));
      if (Double.isFinite(loss)) {
        return loss;
      }
    } catch (NumberFormatException e) {
      throw damaged(file, BEST_LOSS, e);
    }
    throw damaged(file, BEST_LOSS, null);
  }

  private static long number(Path file, Safetensors content, String key, long max) {
    String text = content.metadata().get(key);
    try {
      long value = Long.parseLong(String.valueOf(text));
      if (value >= 0 && value <= max) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw damaged(file, key, e);
    }
    throw damaged(file, key, null);
  }

  private static InputException damaged(Path file, String key, NumberFormatException cause) {
    return new InputException(
        file + " is damaged: its metadata has no sensible " + key + "; start a new run", cause);
  }
}
