/**
 * The JMH suite, run by {@code ./mmutex bench}: one class per question, the question in the first line of its Javadoc,
 * the settings on the class.
 *
 * <p>Steps that undo each other (make and restore) are measured in batches of {@value mmutex.bench.jmh.PageRange#PAGES}
 * pages: JMH stops the clock while the other half runs between two batches, and the two time stamps of a batch are
 * spread over all its pages. Batches are small enough for the first-level caches, so figures are those of warm lines.
 *
 * <p>{@link mmutex.bench.jmh.PartsBenchmark} is the yardstick for the others: what an uncontended read-modify-write, a
 * window, a lock cost on the same memory in the same run. Every hot path allocates nothing; {@code -prof gc} shows it,
 * and {@code HotPathAllocationTest} holds it.
 */
package mmutex.bench.jmh;
