/**
 * Chapter 4, training: the loop over epochs, the learning rate's schedule, the history, checkpoints
 * and the run folder they live in.
 */
package zerofive.train;
