/**
 * What a run leaves on disk: its folder, settings, checkpoint, metrics, receipt, TensorBoard
 * events.
 */
package zerofive.run;
