/**
 * The commands that break. {@link mmutex.stress.Main} lists them; each has a package of its own below this one.
 */
package mmutex.stress;
