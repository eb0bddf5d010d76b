/**
 * PNG and JPEG files as grey images, and how an image of any size becomes one that a model accepts.
 */
package zerofive.data.image;
