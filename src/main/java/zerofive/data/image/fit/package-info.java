/** How an image of any size becomes one that a model of digits accepts: see docs/fitting.md. */
package zerofive.data.image.fit;
