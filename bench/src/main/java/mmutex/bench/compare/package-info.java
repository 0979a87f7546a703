/**
 * {@code compare}: what became faster or slower between two files of results.
 *
 * <p>{@link mmutex.bench.compare.BenchFile} writes what {@code bench --save} keeps;
 * {@code ResultFileReader} reads it and its relatives into samples, {@code Conditions} says whether they may be compared,
 * {@code Bootstrap} gives the interval of a ratio and {@code Verdict} judges it.
 */
package mmutex.bench.compare;
