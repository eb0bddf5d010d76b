/**
 * Files on disk for every package above: atomic writing, digests, CSV, JSON, private folders, and
 * the two exceptions for what goes wrong with them, {@link zerofive.files.InputException} and
 * {@link zerofive.files.OutputException}. It imports no other package of ours.
 */
package zerofive.files;
