package zerofive.train;

import java.util.Optional;
import zerofive.backend.TrainingState;

/**
 * All that a run resumes from.
 *
 * @param epoch the last one finished; 0 before the first
 * @param state weights and optimiser after it
 * @param best so far, where the run may stop early
 * @param arithmetic by which it was computed, see {@link zerofive.backend.Arithmetic}; or none
 */
public record Checkpoint(
    int epoch, TrainingState state, Optional<BestEpoch> best, Optional<Integer> arithmetic) {}
