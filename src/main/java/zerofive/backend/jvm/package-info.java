/**
 * The CPU's arithmetic in Java, for machines without native code: the sums, chains and formulas of
 * native/, in the same order and so with the same bits. Only the float formulas are written a
 * second time; what Java decides stands in {@link zerofive.backend.ops}.
 */
package zerofive.backend.jvm;
