/**
 * The operation-level interface of a backend: about ten operations on buffers, and a training loop
 * written over them. An implementation of {@link zerofive.backend.ops.Ops} is all that a new device
 * needs. The reference and CUDA train so; the CPU has sessions of its own, in native code and in
 * Java, which are faster and tested against this one.
 */
package zerofive.backend.ops;
