/**
 * The lower level of the seam: about ten operations on buffers, and the one textbook training loop
 * written over them. An implementation of {@link zerofive.backend.ops.Ops} is all that a new device
 * needs; faster sessions may follow.
 */
package zerofive.backend.ops;
