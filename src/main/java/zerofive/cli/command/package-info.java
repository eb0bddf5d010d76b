/** One class per command. */
package zerofive.cli.command;
