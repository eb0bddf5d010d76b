/** How fast devices train, side by side, and what an epoch asks of any of them. */
package zerofive.study.benchmark;
