package zerofive.backend.ops;

import zerofive.model.Activation;

/**
 * A fully connected layer.
 *
 * @param activation what it applies to each of its outputs
 * @param weight [outputs, inputs]
 * @param bias F32 [outputs]
 */
public record Dense(Activation activation, Matrix weight, Buffer bias) {}
