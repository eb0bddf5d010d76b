package zerofive.data.image.fit;

/**
 * Pixels that are connected, diagonally too.
 *
 * @param label what they are marked with, from 1
 * @param box around them
 * @param pixels how many there are
 * @param mass the sum of their values
 */
record Component(int label, Box box, int pixels, long mass) {
  /** How strongly they are inked, rounded down. */
  long strength() {
    return mass / pixels;
  }
}
