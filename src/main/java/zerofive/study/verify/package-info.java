/** Whether this machine computes the bits that a finished run has. */
package zerofive.study.verify;
