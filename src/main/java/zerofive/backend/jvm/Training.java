package zerofive.backend.jvm;

/** What a session does in an epoch: {@link NetTraining} or {@link LinearTraining}. */
interface Training {
  /**
   * Takes every step of an epoch.
   *
   * @param order [images], every image number once
   * @param shifts [images], how far each is moved; null where they stay where they are
   * @param stepParameters a row for each step
   * @param lossSums [steps], receives the sum of each step's losses
   */
  void epoch(int[] order, int[] shifts, float[] stepParameters, double[] lossSums);
}
