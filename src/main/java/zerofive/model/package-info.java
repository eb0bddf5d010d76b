/**
 * A model as values: layers, activation and loss; its parameters as one flat array with named
 * views; initial weights. Nothing here computes a model's output: that is the backends' work.
 */
package zerofive.model;
