/** What runs many trainings: pairs of classes, the learning-rate finder, the benchmark. */
package zerofive.study;
