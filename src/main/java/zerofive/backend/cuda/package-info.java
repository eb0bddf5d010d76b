/**
 * CUDA on NVIDIA GPUs, through JCuda. Nothing of JCuda may be touched before its native libraries
 * were loaded by {@code DriverLibrary} and {@code CublasLibrary}: without a driver the first touch
 * breaks its classes for good.
 */
package zerofive.backend.cuda;
