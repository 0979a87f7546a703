/**
 * The only place that blocks, spins or fences.
 *
 * <p>Lock order, outermost first (the kernel's, see {@code docs/ordering.md}):
 *
 * <pre>
 *   IR                                     FairRwLock of a file that is written or truncated
 *     MM parent -&gt; MM child (fork)        MmapLock
 *       VL                                 VmaLock
 *         PG                               PageLock, several only by trylock
 *           IM                             FairRwLock of the VMAs that map a file
 *             AV                           FairRwLock of the root anon_vma
 *               N  span of a notification  callbacks run here and inherit everything above
 *                 DL                       DriverLock
 *                   PT, PT second (fork)   PteLock
 *                     SQ, LF               SpinLock, leaves
 * </pre>
 *
 * Nobody waits for N while holding PG, DL or PT. Whoever waits does so in a loop around {@link mmutex.sync.Wait#pause},
 * which spins a little, yields a while and then parks; the releaser unparks. Threads may outnumber cores. A device
 * worker's pause also serves its own invalidation ring.
 *
 * <p>{@link mmutex.sync.AccessWindows} is the emulator's translation shoot-down: see there.
 */
package mmutex.sync;
