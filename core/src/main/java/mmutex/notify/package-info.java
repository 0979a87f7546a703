/**
 * Telling others that a range of an address space changes: MMU notifiers.
 *
 * <p>Who changes entries brackets the change with {@link mmutex.notify.NotifierState#start} and
 * {@link mmutex.notify.NotifierState#end}. Before {@code start} returns, every overlapping subscriber has been called
 * exactly once and has given up what it derived from the old entries. Two kinds of subscribers:
 *
 * <ul>
 *   <li>{@link mmutex.notify.IntervalSubscription}: a range with a sequence. A driver samples it
 *       ({@code readBegin}), reads the CPU's entries, takes its lock and asks {@code readRetry}: false means that no
 *       invalidation hit the range since.
 *   <li>{@link mmutex.notify.NotifierSubscriber}: told about every span of the address space, and of its end.
 * </ul>
 *
 * A driver sees the first kind as a {@link mmutex.notify.RangeGuard}, behind which its predecessors in
 * {@code mmutex.notify.legacy} can stand as well; {@link mmutex.notify.Protocol} names them. Interval callbacks run before list callbacks; drivers depend on it. A callback runs on the invalidating thread
 * ({@link mmutex.notify.Delivery#INLINE}, as in Linux) or on the device's own worker, which takes records off an
 * {@link mmutex.notify.InvalidationRing} ({@link mmutex.notify.Delivery#RING}).
 *
 * <p>Kernel counterpart: mm/mmu_notifier.c (6.12).
 */
package mmutex.notify;
