package mmutex.notify;

import mmutex.sync.Actor;

/**
 * A list subscriber: told about every span of an address space. {@code struct mmu_notifier_ops} (6.12).
 *
 * <p>A subscriber that may refuse a start must not implement the end.
 */
public interface NotifierSubscriber {
    /** A span begins; false (non-blockable ranges only) if it would have to wait. */
    default boolean invalidateStart(final Actor actor, final NotifierRange range) {
        return true;
    }

    /** A span ends. Called only of subscribers that {@link #wantsEnds}. */
    default void invalidateEnd(final Actor actor, final NotifierRange range) {}

    /**
     * Whether {@code invalidate_range_end} is set: always the same answer. Where nobody wants them, ends cost no SRCU
     * section.
     */
    default boolean wantsEnds() {
        return true;
    }

    /** The address space is going away; called at most once, before anything is unmapped. */
    default void release(final Actor actor) {}

    /** free_notifier: the last user has put it, and nobody can be in one of its callbacks any more. */
    default void free() {}
}
