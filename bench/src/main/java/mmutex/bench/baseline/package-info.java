/**
 * The operations at the heart of exclusive access, by us and as a Java programmer would write them without us: what the
 * emulator's way of doing it is compared with.
 *
 * <p>{@link mmutex.bench.baseline.ExclusivePages} is the operation set, {@link mmutex.bench.baseline.Implementation} lists
 * who implements it. The rivals are correct and written with care. A page is 4096 bytes for
 * all, with the counter in a line of its own, so that many pages are as much memory for one as for the other. Otherwise
 * three of the rivals have it easier than ours: a lock and a change of the entry is all; who holds a page is known, so
 * that only he is told. They are the floor: what the kernel's protocol costs over them is the price of its steps.
 * {@link mmutex.bench.baseline.ChmProtocolTable} takes those steps, too, so the difference to it is that of how they are
 * written; it still has no VMAs, no reverse map, no TLBs. Plain Java, no JMH: the test of correctness and the benchmarks use
 * the same classes.
 */
package mmutex.bench.baseline;
