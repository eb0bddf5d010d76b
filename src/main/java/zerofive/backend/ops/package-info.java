/**
 * The operation-level interface of a backend: about ten operations on buffers, and a training loop
 * written over them. An implementation of {@link zerofive.backend.ops.Ops} is all that a new device
 * needs. Plain Java and CUDA train so; native code has a session of its own, which is faster and
 * tested against this one.
 */
package zerofive.backend.ops;
