/**
 * The litmus tests: one class per named order of core, or per two that only work together, each with core's own classes.
 *
 * <p>Outcomes are interleavings told in words; a forbidden one says which {@code ORDER(…)} forbids it. docs/ordering.md
 * is the table of the names. For each claim there is a wrong copy in {@link mmutex.stress.litmus.broken}, which shows
 * that the test could fail.
 *
 * <p>States have a final field, the place of their off-heap words: jcstress then makes a new state for each sample instead
 * of zeroing the fields of an old one, and the constructor prepares the place.
 */
package mmutex.stress.litmus.tests;
