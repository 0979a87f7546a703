/**
 * The commands that measure. {@link mmutex.bench.Main} lists them; each is one class.
 *
 * <p>Benchmarks are JMH classes below this package, one per question, and are run by {@code bench}.
 */
package mmutex.bench;
