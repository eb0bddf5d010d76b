/** Loading native libraries safely: those that the program carries, and those of the system. */
package zerofive.backend.natives;
