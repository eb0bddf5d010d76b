/** Model files: safetensors, ONNX, npz. */
package zerofive.model.format;
