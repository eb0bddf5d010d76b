/** MNIST's IDX file format, packed and unpacked. */
package zerofive.data.idx;
