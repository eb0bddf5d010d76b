/**
 * Native code for the CPU: a library of C++ (native/), bound by JavaCPP's generator. Its own matrix
 * products are as fast as OpenBLAS's here, so it needs no other library.
 */
package zerofive.backend.cpu;
