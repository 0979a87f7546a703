/**
 * {@code mmutex torture}: every operation of the emulator at once, from many threads, on few pages.
 *
 * <ul>
 *   <li>{@link mmutex.bench.torture.Torture}: one round in one profile and delivery; its actors are hands (CPUs that make
 *       system calls as well), computing devices, and a referee.
 *   <li>{@link mmutex.bench.torture.op.Operations}: what hands can do, a class each, with weights.
 *   <li>{@link mmutex.bench.torture.op.World}: what they do it to, and the oracles.
 * </ul>
 */
package mmutex.bench.torture;
