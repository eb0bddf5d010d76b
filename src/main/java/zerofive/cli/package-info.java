/**
 * The command line. {@link zerofive.cli.Cli} turns arguments into a command, and every failure into
 * one sentence and an exit code; {@link zerofive.cli.Experiment} prepares what every training
 * command needs.
 */
package zerofive.cli;
