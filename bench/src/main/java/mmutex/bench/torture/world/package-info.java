/**
 * What is done to memory under torture, and how losses show.
 *
 * <p>Four kinds of pages, each with an oracle of its own:
 *
 * <pre>
 *   counters  shared by all; only operations that keep contents      each is the sum of all additions (I7); never runs
 *                                                                    backwards; a child's are those of the fork (I29)
 *   shared    one word of MAP_SHARED memory                          the sum of all additions by all processes
 *   commons   shared by all; discarded, unmapped, protected ...      each word is 0 or a tag that was written to that page
 *                                                                    by this process, or by an ancestor before the fork
 *   plots     of one hand each, side by side in one address space    exactly what the hand knows to be there (I35)
 * </pre>
 */
package mmutex.bench.torture.world;
