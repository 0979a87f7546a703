/**
 * What the paths' time consists of, found out without making them slower: most runs of a path are timed as a whole, a few,
 * by lot, phase by phase, and what time stamps cost is measured and taken off.
 *
 * <p>{@link mmutex.bench.anatomy.AnatomyProbe} times, {@link mmutex.bench.anatomy.Anatomy} sums up,
 * {@link mmutex.bench.anatomy.Breakdown} is the result. Used by {@code run --phases} and by the suite's
 * {@code PhaseBenchmark}.
 */
package mmutex.bench.anatomy;
