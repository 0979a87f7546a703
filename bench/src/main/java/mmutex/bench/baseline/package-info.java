/**
 * The operations at the heart of exclusive access, by us and as a Java programmer would write them without us: what the
 * emulator's way of doing it is compared with.
 *
 * <p>{@link mmutex.bench.baseline.ExclusivePages} is the operation set, {@link mmutex.bench.baseline.Implementation} lists
 * who implements it. The rivals are correct and written with care. A page is 4096 bytes for
 * all, with the counter in a line of its own, so that many pages are as much memory for one as for the other. Otherwise
 * the rivals have it easier than ours: there is one table, no process, no VMA, no fork, no reverse map, no reference
 * count; and who holds a page is known, so that only he is told. Plain Java, no JMH: the test of correctness and the benchmarks use
 * the same classes.
 */
package mmutex.bench.baseline;
