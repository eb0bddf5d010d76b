/** One training: the settings, the loop over epochs, the learning-rate schedule, early stopping. */
package zerofive.train;
