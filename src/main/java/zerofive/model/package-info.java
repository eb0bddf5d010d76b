/**
 * Chapter 2, model: layers, activation and loss as values; the parameters as one flat array with
 * named views; their initial values; model files.
 *
 * <p>Nothing here computes a model's output: that is the backends' work.
 */
package zerofive.model;
