/**
 * Chapter 5, the command line: one class per command. {@link zerofive.cli.Cli} turns arguments into
 * a command and whatever goes wrong into one sentence and an exit code; {@link
 * zerofive.cli.Backends} is the only class that names the implementations.
 */
package zerofive.cli;
