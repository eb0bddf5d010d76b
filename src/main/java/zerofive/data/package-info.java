/**
 * Chapter 1, data: IDX files, the bundled MNIST, the class filter, the order of the examples.
 *
 * <p>The ground floor: it imports no other chapter. What goes wrong with files is named here for
 * all the floors above: {@link zerofive.data.InputException} and {@link
 * zerofive.data.OutputException}.
 */
package zerofive.data;
