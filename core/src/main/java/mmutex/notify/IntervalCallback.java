package mmutex.notify;

import mmutex.sync.Actor;

/**
 * What a driver does when its interval is hit: {@code mmu_interval_notifier_ops} (6.12).
 *
 * <p>Duty: take the driver lock (only try if the range is not blockable; then return false on failure), call
 * {@link RangeGuard#setSeq} unless the event is legitimately filtered, drop the mappings of the range, drain
 * accesses in progress, unlock, return true. The callback inherits every lock of the invalidating thread: it may not
 * take mmap locks, page locks, or wait for a notification.
 */
@FunctionalInterface
public interface IntervalCallback {
    /**
     * Handles one invalidation.
     *
     * @return false only for a non-blockable range that would have needed waiting
     */
    boolean invalidate(Actor actor, RangeGuard guard, NotifierRange range, long sequence);

    /**
     * Whether the subscriber makes this change itself and so need not be told of it. Asked only by a protocol that decides
     * for the driver what hits a range ({@link mmutex.notify.legacy.Hmm}); elsewhere the callback leaves the sequence alone.
     */
    default boolean isOwn(final NotifierRange range) {
        return false;
    }
}
