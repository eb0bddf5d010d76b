/**
 * What a person sees: the terminal's lines and progress bar, the table of epochs, pictures, the
 * confusion matrix. Results go to standard output, notes and progress to standard error.
 */
package zerofive.report;
