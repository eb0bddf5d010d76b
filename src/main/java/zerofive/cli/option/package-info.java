/**
 * Command-line options: those of the settings, of data, device and shard, and what is wrong with
 * them.
 */
package zerofive.cli.option;
