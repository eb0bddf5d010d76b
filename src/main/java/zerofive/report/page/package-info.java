/** The report of a run: one HTML page. */
package zerofive.report.page;
