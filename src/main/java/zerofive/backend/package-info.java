/**
 * The interface between training and devices, its upper level. A trainer sees a {@link
 * zerofive.backend.Backend}, opens a {@link zerofive.backend.TrainingSession} on it, and never
 * learns what computes behind it.
 */
package zerofive.backend;
