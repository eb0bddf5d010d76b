/** Charts and images: SVG charts, PNG, sample grids, images of weights. */
package zerofive.report.chart;
