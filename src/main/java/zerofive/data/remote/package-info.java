/** Data sets that are downloaded: their names, files and mirrors, and the download. */
package zerofive.data.remote;
