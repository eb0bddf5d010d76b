/** What runs many trainings. It stands on {@link zerofive.train}, and knows of no terminal. */
package zerofive.study;
