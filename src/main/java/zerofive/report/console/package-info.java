/** What is printed: the terminal with its progress bar, tables, numbers and sizes for people. */
package zerofive.report.console;
