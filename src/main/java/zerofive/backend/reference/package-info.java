/**
 * The double-precision reference: the oracle that every other implementation is tested against.
 * Written in Java for reading and exactness first: matrix products and sums in double, StrictMath
 * for exponentials, so its results are the same bits on every machine.
 */
package zerofive.backend.reference;
