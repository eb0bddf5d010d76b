/**
 * Chapter 3, backend: the upper level of the seam. A trainer sees a {@link
 * zerofive.backend.Backend}, opens a {@link zerofive.backend.TrainingSession} on it, and never
 * learns what computes behind it.
 */
package zerofive.backend;
