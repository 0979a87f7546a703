/**
 * Wrong copies: for each order that the litmus tests check, the same few steps with the order taken away, or core's own
 * classes used wrongly. A net is worth what it catches: {@code ./mmutex litmus --broken} runs these and says which ones
 * showed the outcome that must never be seen.
 *
 * <p>Each says by {@link mmutex.stress.litmus.broken.Twin} which orders it breaks, and what hardware has to do to show it.
 * The wrong outcome is "interesting" for jcstress; every other unexpected one would be a mistake in the copy.
 */
package mmutex.stress.litmus.broken;
