/**
 * Which device computes: what a user asked for, what works here, what is taken. {@link
 * zerofive.cli.device.Backends} is the only class that names the implementations.
 */
package zerofive.cli.device;
