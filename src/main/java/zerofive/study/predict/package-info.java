/** A saved model on images: which pixels it is given of each, and what it answers. */
package zerofive.study.predict;
