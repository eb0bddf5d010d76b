/**
 * Labelled images: data sets by name or folder, the class filter, the order of the examples,
 * augmentation.
 */
package zerofive.data;
