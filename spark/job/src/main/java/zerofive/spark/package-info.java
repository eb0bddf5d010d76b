/**
 * Pairs, sweeps and predictions on an Apache Spark cluster. The driver decides the device and reads
 * settings and data by zerofive's own options; executors train, or classify images, and their rows
 * come back to the driver as tasks end.
 */
package zerofive.spark;
